"""Step 7: hold nano to what it promises, through the C program.

    python evaluate.py MOSHI FOLDER [--questions 240] [--out results.json]
                       [--others FOLDER ...]

Asks questions in voices that training never heard: known phrasings and phrasings
held out, one in each recording; then conversations of three questions; then
minutes of noise. Judges the reply's text, when it begins, and whether
PocketSphinx hears the reply in the sound. --others: the same model in other
types, whose replies are compared. Exit status 1 when a promise is not kept.
"""
import argparse
import json
import random
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from scipy.io import wavfile

import augment
import domain
import voices
from espeak import SAMPLE_RATE, Espeak
from listen import Listener, frames_shuffled, spoken_part, words_of
from make_speech import scaled

FRAME = 1920
PAUSE_SECONDS = 4.5     # room for an answer
SPECIAL = (0, 3)        # text ids that are no words


def read_safetensors(path):
    data = Path(path).read_bytes()
    size = struct.unpack("<Q", data[:8])[0]
    return {name: np.frombuffer(data[8 + size:], np.int32,
                                int(np.prod(entry["shape"])),
                                entry["data_offsets"][0]).reshape(entry["shape"])
            for name, entry in json.loads(data[8:8 + size]).items()
            if name != "__metadata__"}


class Moshi:
    """The program with one model."""

    def __init__(self, program, folder, scratch):
        self.program, self.folder, self.scratch = program, folder, Path(scratch)

    def gen(self, samples):
        """(text, text ids of all frames, sound, statistics) of nano's side."""
        sound, reply, codes = (self.scratch / n for n in ("q.wav", "a.wav", "c.st"))
        wavfile.write(sound, SAMPLE_RATE,
                      (np.clip(samples, -1, 1) * 32767).astype(np.int16))
        done = subprocess.run(
            [self.program, "gen", "-m", self.folder, sound, reply, "--json",
             "--codes", codes, "--quiet"], capture_output=True, text=True, check=True)
        result = json.loads(done.stdout)
        ids = read_safetensors(codes)["text_tokens"].ravel()
        answer = wavfile.read(reply)[1].astype(np.float32) / 32768
        return result["text"], ids, answer, result


class Asker:
    """Questions as sound, in voices held out of training."""

    def __init__(self, espeak, seed):
        self.espeak, self.rng = espeak, random.Random(seed)
        self.noise = np.random.default_rng(seed)

    def recording(self, questions):
        """(samples, [(begin, end) of each question in seconds])."""
        voice, peak = voices.user_voice(self.rng, held_out=True), self.rng.uniform(.1, .8)
        parts, times, at = [], [], 0
        for question in questions:
            before = np.zeros(int(self.rng.uniform(0.3, 1.0) * SAMPLE_RATE), np.float32)
            speech = scaled(self.espeak.speak(question, voice).samples, peak)
            after = np.zeros(int(PAUSE_SECONDS * SAMPLE_RATE), np.float32)
            begin = at + len(before)
            times.append((begin / SAMPLE_RATE, (begin + len(speech)) / SAMPLE_RATE))
            at = begin + len(speech) + len(after)
            parts += [before, speech, after]
        samples = np.concatenate(parts)
        if self.rng.random() < 0.25:
            samples = augment.room(self.noise, samples)
        if self.rng.random() < 0.75:
            samples = samples + augment.noise(self.noise, len(samples),
                                              self.rng.uniform(-75, -46))
        return samples.astype(np.float32), times


def pick(rng, count, held_out):
    """(question, reply) of `count` topics, each topic as often as any other,
    sums and unknown things together no more than a fifth."""
    topics = domain.topics()
    common = [t for t in topics if not t.name.startswith(("sum", "unknown"))]
    rare = [t for t in topics if t.name.startswith(("sum", "unknown"))]
    rng.shuffle(common)
    chosen = [rng.choice(rare) if i % 5 == 4 else common[i % len(common)]
              for i in range(count)]
    return [(rng.choice(t.held_out if held_out else t.phrasings), t.reply)
            for t in chosen]


def ask(moshi, asker, pairs, verbose):
    """One recording a question."""
    rows = []
    for question, reply in pairs:
        samples, times = asker.recording([question])
        text, ids, sound, stats = moshi.gen(samples)
        said = [i for i, token in enumerate(ids) if token not in SPECIAL]
        end = times[0][1]
        row = {"question": question, "reply": reply, "text": text,
               "right": text.strip() == reply, "sound": sound, "samples": samples,
               "after": said[0] * FRAME / SAMPLE_RATE - end if said else None,
               "speed": stats["real_time_factor"]}
        rows.append(row)
        if verbose and not row["right"]:
            print(f"    asked '{question}', expected '{reply}', got '{text.strip()}'")
    return rows


def share(rows, key="right"):
    return float(np.mean([bool(r[key]) for r in rows]))


def judge_sound(rows, espeak):
    """How often the sentence is heard: nano's sound, the same sentence without the
    codec, and two controls that must fail."""
    listener = Listener.of_sentences(domain.replies())
    rng = np.random.default_rng(1)
    counts = dict.fromkeys(("nano", "espeak", "reversed", "shuffled"), 0)
    for row in rows:
        wanted = words_of(row["reply"])
        sound = spoken_part(row["sound"])
        plain = scaled(espeak.speak(row["reply"], voices.NANO).samples, 0.5)
        for name, samples in (("nano", sound), ("espeak", plain),
                              ("reversed", sound[::-1].copy()),
                              ("shuffled", frames_shuffled(sound, rng))):
            counts[name] += listener.hear(samples) == wanted
    return {name: count / len(rows) for name, count in counts.items()}


def quiet_share(moshi, trials, seconds, seed):
    """Noise at -50 dBFS in: the share of trials in which nothing is said."""
    rng, quiet = np.random.default_rng(seed), 0
    for _ in range(trials):
        noise = augment.noise(rng, int(seconds * SAMPLE_RATE), -50)
        _, ids, sound, _ = moshi.gen(noise)
        windows = sound[:len(sound) // 2400 * 2400].reshape(-1, 2400)
        loudest = np.sqrt((windows ** 2).mean(1)).max()  # of a tenth of a second
        quiet += all(t in SPECIAL for t in ids) and loudest < 0.01  # -40 dBFS
    return quiet / trials


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("moshi")
    parser.add_argument("folder")
    parser.add_argument("--questions", type=int, default=240)
    parser.add_argument("--silences", type=int, default=40)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--others", nargs="*", default=[])
    parser.add_argument("--out", type=Path)
    parser.add_argument("--seed", type=int, default=2026)
    parser.add_argument("--verbose", action="store_true")
    args = parser.parse_args()
    start = time.time()
    espeak, rng = Espeak(), random.Random(args.seed)
    asker = Asker(espeak, args.seed)
    results, promises = {}, []

    def report(name, value, least=None):
        results[name] = value
        kept = least is None or value >= least
        promises.append(kept)
        limit = "" if least is None else f"   (at least {least:.3g}) " + (
            "ok" if kept else "NOT KEPT")
        print(f"{name:48} {value:.3f}{limit}", flush=True)

    with tempfile.TemporaryDirectory() as scratch:
        moshi = Moshi(args.moshi, args.folder, scratch)
        known = ask(moshi, asker, pick(rng, args.questions // 2, False), args.verbose)
        report("right reply, known phrasings", share(known), 0.95)
        new = ask(moshi, asker, pick(rng, args.questions // 2, True), args.verbose)
        report("right reply, phrasings held out", share(new), 0.75)
        everything = known + new
        after = [r["after"] for r in everything if r["after"] is not None]
        report("reply begins, seconds after the question, median", float(np.median(after)))
        report("share that begins 0 to 1.2 s after it",
               float(np.mean([0 <= a <= 1.2 for a in after])), 0.9)
        report("times real time, median",
               float(np.median([r["speed"] for r in everything])), 1)
        right = [r for r in everything if r["right"]]
        heard = judge_sound(right, espeak)
        for name, value in heard.items():
            report(f"sound recognised: {name}", value)
        report("sound recognised: nano / espeak", heard["nano"] / heard["espeak"], 0.9)
        report("controls near chance", 1 - max(heard["reversed"], heard["shuffled"]), 0.85)
        turns = []
        for _ in range(max(1, args.questions // 12)):
            pairs = pick(rng, 3, False)
            samples, _ = asker.recording([q for q, _ in pairs])
            text = moshi.gen(samples)[0]
            turns.append(" ".join(text.split()) == " ".join(r for _, r in pairs))
        report("conversations of three turns all right", float(np.mean(turns)))
        report(f"noise of {args.seconds:g} s answered with silence",
               quiet_share(moshi, args.silences, args.seconds, args.seed), 0.95)
        for folder in args.others:
            other = Moshi(args.moshi, folder, scratch)
            same = [other.gen(r["samples"])[0] == r["text"] for r in everything]
            report(f"same reply from {Path(folder).name}", float(np.mean(same)), 0.98)
    if args.out:
        args.out.write_text(json.dumps(results, indent=2) + "\n")
    print(f"{sum(promises)} of {len(promises)} kept, in {time.time() - start:.0f} s")
    return 0 if all(promises) else 1


if __name__ == "__main__":
    sys.exit(main())
