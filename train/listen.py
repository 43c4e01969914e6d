"""What PocketSphinx hears: which of a list of sentences, or which words."""
import re
import subprocess
import tempfile
from pathlib import Path

import numpy as np
from scipy.io import wavfile
from scipy.signal import resample_poly

from espeak import SAMPLE_RATE

_RATE = 16000


def words_of(text):
    return re.sub(r"[^a-z' ]", " ", text.lower()).split()


class Listener:
    """Recognises speech under a grammar; one process a recording."""

    def __init__(self, grammar):
        self._folder = tempfile.TemporaryDirectory()
        self._grammar = Path(self._folder.name) / "replies.gram"
        self._grammar.write_text(
            f"#JSGF V1.0;\ngrammar g;\npublic <g> = {grammar};\n")

    @classmethod
    def of_sentences(cls, sentences):
        return cls(" | ".join(" ".join(words_of(s)) for s in sentences))

    @classmethod
    def of_words(cls, words):
        return cls("( " + " | ".join(sorted(set(words))) + " )+")

    def hear(self, samples):
        """Words of float32 samples at 24 kHz; [] when nothing was made out."""
        if len(samples) == 0 or np.abs(samples).max() < 1e-4:
            return []
        sound = resample_poly(samples, 2, 3) / np.abs(samples).max() * 0.5
        sound = np.concatenate([np.zeros(4000), sound, np.zeros(6000)])
        path = Path(self._folder.name) / "sound.wav"
        wavfile.write(path, _RATE, (sound * 32767).astype(np.int16))
        done = subprocess.run(
            ["pocketsphinx_continuous", "-infile", path, "-jsgf", self._grammar,
             "-logfn", "/dev/null"], capture_output=True, text=True, check=False)
        return " ".join(done.stdout.split("\n")).split()


def words_right(said, heard):
    """How many words of `said` stand in `heard` in the same order."""
    row = [0] * (len(heard) + 1)
    for word in said:
        last = row[:]
        for i, other in enumerate(heard):
            row[i + 1] = max(last[i + 1], row[i], last[i] + (word == other))
    return row[-1]


def spoken_part(samples, level=0.01):
    """The samples from the first to the last that is louder than `level`."""
    loud = np.flatnonzero(np.abs(samples) > level)
    return samples[loud[0]:loud[-1] + 1] if len(loud) else samples[:0]


def frames_shuffled(samples, rng):
    count = len(samples) // 1920
    frames = samples[:count * 1920].reshape(count, 1920)
    return frames[rng.permutation(count)].ravel()


assert SAMPLE_RATE == 24000  # hear() resamples by 2/3
