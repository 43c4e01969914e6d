"""Step 4b: the codec alone, on speech that it has not seen.

    python evaluate_codec.py MOSHI FOLDER [--recordings WAV ...] [--out results.json]

Sentences of random words in nano's voice and in voices held out: STOI
(intelligibility, 0 to 1), the words PocketSphinx makes out before and after the
codec, and how evenly the codebooks are used. --recordings adds real ones.
"""
import argparse
import json
import random
import subprocess
import tempfile
from pathlib import Path

import numpy as np
from pystoi import stoi
from scipy.io import wavfile
from scipy.signal import resample_poly

import domain
import voices
from espeak import SAMPLE_RATE, Espeak
from evaluate import read_safetensors
from listen import Listener, words_of, words_right
from make_speech import scaled

SENTENCES = 60


class Codec:
    def __init__(self, program, folder, scratch):
        self.program, self.folder, self.scratch = program, folder, Path(scratch)

    def through(self, samples):
        """(samples after the codec, codes [K, T])."""
        sound, codes, out = (self.scratch / n for n in ("in.wav", "c.st", "out.wav"))
        wavfile.write(sound, SAMPLE_RATE, (samples * 32767).astype(np.int16))
        run = [self.program, "codec"]
        model = ["-m", self.folder, "--quiet"]
        subprocess.run(run + ["encode", sound, codes] + model, check=True)
        subprocess.run(run + ["decode", codes, out] + model, check=True)
        decoded = wavfile.read(out)[1].astype(np.float32) / 32768
        return decoded[:len(samples)], read_safetensors(codes)["codes"]


def entropy_share(codes, bins):
    """Entropy of each codebook over that of equal use; share of codes used."""
    rows = []
    for row in codes:
        p = np.bincount(row, minlength=bins) / len(row)
        used = p[p > 0]
        rows.append((float(-(used * np.log(used)).sum() / np.log(bins)),
                     float((p > 0).mean())))
    return rows


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("moshi")
    parser.add_argument("folder")
    parser.add_argument("--recordings", nargs="*", default=[])
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    espeak, rng, results = Espeak(), random.Random(77), {}
    sentences = [domain.babble(rng) for _ in range(SENTENCES)]
    listener = Listener.of_words(w for s in sentences for w in words_of(s))
    with tempfile.TemporaryDirectory() as scratch:
        codec, every = Codec(args.moshi, args.folder, scratch), []
        for who in ("nano", "unseen"):
            scores, right = [], {"before": 0, "after": 0}
            total = 0
            for sentence in sentences:
                voice = (voices.NANO if who == "nano"
                         else voices.user_voice(rng, held_out=True))
                samples = scaled(espeak.speak(sentence, voice).samples, 0.5)
                samples = np.concatenate([np.zeros(9600, np.float32), samples,
                                          np.zeros(4800, np.float32)])
                decoded, codes = codec.through(samples)
                every.append(codes)
                scores.append(stoi(samples[:len(decoded)], decoded, SAMPLE_RATE))
                said = words_of(sentence)
                total += len(said)
                right["before"] += words_right(said, listener.hear(samples))
                right["after"] += words_right(said, listener.hear(decoded))
            results[who] = {"stoi": float(np.mean(scores)),
                            "stoi_p10": float(np.percentile(scores, 10)),
                            "words_before": right["before"] / total,
                            "words_after": right["after"] / total}
            print(who, results[who], flush=True)
        for path in args.recordings:
            rate, samples = wavfile.read(path)
            samples = samples.astype(np.float32) / 32768
            samples = samples if samples.ndim == 1 else samples.mean(1)
            samples = resample_poly(samples, SAMPLE_RATE // 100, rate // 100)
            decoded, _ = codec.through(samples.astype(np.float32))
            results[Path(path).name] = {
                "stoi": float(stoi(samples[:len(decoded)], decoded, SAMPLE_RATE))}
            print(Path(path).name, results[Path(path).name], flush=True)
    bins = json.loads((Path(args.folder) / "mimi.json").read_text())["quantizer"]["bins"]
    results["codebooks"] = entropy_share(np.concatenate(every, 1), bins)
    print("entropy, use:", [tuple(round(v, 2) for v in r) for r in results["codebooks"]])
    if args.out:
        args.out.write_text(json.dumps(results, indent=2) + "\n")


if __name__ == "__main__":
    main()
