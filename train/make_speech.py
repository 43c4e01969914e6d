"""Step 1: one long recording for the codec, with its phonemes.

    python make_speech.py WORK [--hours 10]

Writes WORK/speech.i16 (24 kHz, mono), WORK/phonemes.u8 (one label for each
960 samples, 0 = silence), and WORK/speech.json: the label names and where each
utterance lies. A third is nano's voice, the rest are user voices.
"""
import argparse
import json
import random
from pathlib import Path

import numpy as np

import domain
import voices
from espeak import SAMPLE_RATE, Espeak

LABEL_SAMPLES = 960
NANO_PEAK = 0.5


def scaled(samples, peak):
    return samples * (peak / max(1e-6, np.abs(samples).max()))


def labels_of(speech, names):
    """Phonemes of a clip on the grid of LABEL_SAMPLES, by the label's middle."""
    count = len(speech.samples) // LABEL_SAMPLES
    labels = np.zeros(count, np.uint8)
    times = [time for time, _ in speech.phonemes]
    for i in range(count):
        middle = (i + 0.5) * LABEL_SAMPLES / SAMPLE_RATE
        k = np.searchsorted(times, middle, "right") - 1
        if k >= 0 and not speech.phonemes[k][1].startswith("_"):
            name = speech.phonemes[k][1]
            if name not in names and len(names) < 255:
                names[name] = len(names) + 1
            labels[i] = names.get(name, 0)
    return labels


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("work", type=Path)
    parser.add_argument("--hours", type=float, default=10)
    args = parser.parse_args()
    args.work.mkdir(parents=True, exist_ok=True)
    rng = random.Random(1)
    espeak, names, utterances, position = Espeak(), {}, [], 0
    replies = domain.replies()
    questions = [p for topic in domain.topics() for p in topic.phrasings]
    total = int(args.hours * 3600 * SAMPLE_RATE)
    with open(args.work / "speech.i16", "wb") as sound, \
            open(args.work / "phonemes.u8", "wb") as phonemes:
        while position < total:
            own = rng.random() < 1 / 3
            if own:
                text = rng.choice(replies) if rng.random() < 0.6 else domain.babble(rng)
                voice, peak = voices.NANO, NANO_PEAK
            else:
                text = rng.choice(questions) if rng.random() < 0.5 else domain.babble(rng)
                voice, peak = voices.user_voice(rng), rng.uniform(0.08, 0.8)
            speech = espeak.speak(text, voice)
            labels = labels_of(speech, names)
            samples = scaled(speech.samples[:len(labels) * LABEL_SAMPLES], peak)
            gap = rng.choice([0, 2, 4, 8, 16])  # of silence, in labels
            sound.write((samples * 32767).astype(np.int16).tobytes())
            sound.write(bytes(2 * gap * LABEL_SAMPLES))
            phonemes.write(labels.tobytes() + bytes(gap))
            utterances.append((position, len(samples), own))
            position += len(samples) + gap * LABEL_SAMPLES
    (args.work / "speech.json").write_text(json.dumps(
        {"phonemes": [""] + list(names), "utterances": utterances}))
    print(f"{position / SAMPLE_RATE / 3600:.1f} h, {len(utterances)} utterances, "
          f"{len(names)} phonemes")


if __name__ == "__main__":
    main()
