"""Sound files for the test of the page: FLAC to WAV through libsndfile, which
the program needs anyway; what a recording holds; and what PocketSphinx hears.
"""
import array
import ctypes
import math
import re
import shutil
import subprocess
import tempfile
import wave
from pathlib import Path

RATE = 24000
SFM_READ = 0x10


class _Info(ctypes.Structure):
    _fields_ = [("frames", ctypes.c_int64), ("samplerate", ctypes.c_int),
                ("channels", ctypes.c_int), ("format", ctypes.c_int),
                ("sections", ctypes.c_int), ("seekable", ctypes.c_int)]


def read_any(path):
    """16-bit samples of a recording with one channel at 24 kHz."""
    lib = ctypes.CDLL("libsndfile.so.1")
    lib.sf_open.restype = ctypes.c_void_p
    lib.sf_readf_short.restype = ctypes.c_int64
    lib.sf_readf_short.argtypes = (ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64)
    lib.sf_close.argtypes = (ctypes.c_void_p,)
    info = _Info()
    file = lib.sf_open(str(path).encode(), SFM_READ, ctypes.byref(info))
    assert file and info.channels == 1 and info.samplerate == RATE, path
    samples = array.array("h", bytes(2 * info.frames))
    address, _ = samples.buffer_info()
    assert lib.sf_readf_short(file, address, info.frames) == info.frames
    lib.sf_close(file)
    return samples


def write_wav(path, samples, rate=RATE):
    with wave.open(str(path), "wb") as out:
        out.setparams((1, 2, rate, 0, "NONE", ""))
        out.writeframes(samples.tobytes())


def read_sides(path):
    """(left, right, rate) of a WAV file with two channels of 16 bits."""
    with wave.open(str(path), "rb") as file:
        assert file.getnchannels() == 2 and file.getsampwidth() == 2
        both = array.array("h", file.readframes(file.getnframes()))
        return both[0::2], both[1::2], file.getframerate()


def silence(seconds):
    return array.array("h", bytes(2 * int(seconds * RATE)))


def loudest(samples, begin, end, rate=RATE):
    """The largest root mean square of 0.1 s between two times, 0 … 1."""
    part = samples[int(begin * rate):int(end * rate)]
    n = rate // 10
    return max((math.sqrt(sum(x * x for x in part[i:i + n]) / n) / 32768
                for i in range(0, len(part) - n + 1, n)), default=0.0)


def to_16000(samples):
    """From 24 kHz: a windowed sinc at 48 kHz, every third sample of it."""
    half = 24
    taps = []
    for k in range(-half, half + 1):
        x = k * 14000 / 48000
        sinc = 1.0 if k == 0 else math.sin(math.pi * x) / (math.pi * x)
        taps.append(2 * 14000 / 48000 * sinc *
                    (0.5 + 0.5 * math.cos(math.pi * k / (half + 1))))
    out = array.array("h")
    for n in range(0, 2 * len(samples), 3):
        total = 0.0
        # Only every other one at 48 kHz is not zero.
        for k in range(-half + (n + half) % 2, half + 1, 2):
            at = (n - k) // 2
            if 0 <= at < len(samples):
                total += samples[at] * taps[k + half]
        out.append(max(-32768, min(32767, round(total))))
    return out


def spoken_part(samples, level=300):
    """From the first sample to the last that is louder than `level`."""
    loud = [i for i, x in enumerate(samples) if abs(x) > level]
    return samples[loud[0]:loud[-1] + 1] if loud else samples[:0]


def can_listen():
    return shutil.which("pocketsphinx_continuous") is not None


def words_of(text):
    return " ".join(re.sub(r"[^a-z' ]", " ", text.lower()).split())


def hear(samples, sentences):
    """Which of the sentences PocketSphinx makes out; "" for none."""
    with tempfile.TemporaryDirectory() as folder:
        sound, grammar = Path(folder) / "sound.wav", Path(folder) / "g.gram"
        grammar.write_text("#JSGF V1.0;\ngrammar g;\npublic <g> = " +
                           " | ".join(map(words_of, sentences)) + ";\n")
        pause = silence(0.25)
        part = spoken_part(samples)
        gain = 16000 / max(1, max(map(abs, part), default=1))
        loud = array.array("h", (round(x * gain) for x in part))
        write_wav(sound, to_16000(pause + loud + pause), 16000)
        done = subprocess.run(
            ["pocketsphinx_continuous", "-infile", sound, "-jsgf", grammar,
             "-logfn", "/dev/null"], capture_output=True, text=True, check=False)
        return " ".join(done.stdout.split())
