"""Step 6b: the recording of questions that `make demo` plays to nano.

    python make_demo.py FOLDER

Writes questions.wav, questions.txt and answers.txt; nobody in it was heard in
training. `moshi` reads WAV as well as FLAC: `flac questions.wav` makes it small.
"""
import argparse
from pathlib import Path

import numpy as np
from scipy.io import wavfile

import domain
from espeak import SAMPLE_RATE, Espeak, Voice
from make_speech import scaled

VOICE = Voice("en-us", "m5", words_per_minute=150, pitch=45, pitch_range=60)
QUESTIONS = ["what is your name", "how much is three plus four",
             "what is the capital of Japan"]
BEFORE_SECONDS, ANSWER_SECONDS = 0.6, 3.2


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    args = parser.parse_args()
    espeak, parts = Espeak(), []
    reply_of = {p: t.reply for t in domain.topics() for p in t.phrasings}
    for question in QUESTIONS:
        parts += [np.zeros(int(BEFORE_SECONDS * SAMPLE_RATE), np.float32),
                  scaled(espeak.speak(question, VOICE).samples, 0.5),
                  np.zeros(int(ANSWER_SECONDS * SAMPLE_RATE), np.float32)]
    sound = np.concatenate(parts)
    wavfile.write(args.folder / "questions.wav", SAMPLE_RATE,
                  (sound * 32767).astype(np.int16))
    for name, lines in (("questions", [q[0].upper() + q[1:] + "?" for q in QUESTIONS]),
                        ("answers", [reply_of[q] for q in QUESTIONS])):
        (args.folder / f"{name}.txt").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
