"""Sound for calibrating `moshi analyze`: clean pieces, faults, honest changes.

Clips come from espeak-ng (many voices), from nano (its codec and its answers)
and, where a folder is named, from recordings. They lie as 24 kHz mono arrays;
each belongs to one half by its voice, so that no threshold is judged by the
voice it was chosen on.
"""
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
from scipy.signal import butter, resample_poly, sosfiltfilt

RATE = 24000
FRAME = 1920

TEXTS = [
    "The harbour was quiet that morning. Two boats lay at the pier, and a man "
    "in a yellow coat was mending his net. Nobody else had come so early, for "
    "the fog still hid the far side of the bay. He hummed an old song, stopped, "
    "listened, and went on with his work until the bell rang.",
    "Before you open the box, read these pages with care. First put the four "
    "short screws on the table, then join the long boards at their ends. If a "
    "part is missing, call the number below; we answer every day between nine "
    "and five. Keep small children away from the loose pieces.",
    "My sister grows tomatoes on her roof. She says that the secret is patience, "
    "good soil and a little salt. Last year the wind took half of the plants, "
    "yet she laughed and began again. This summer we ate from them every "
    "Thursday, with bread, cheese and far too much garlic.",
    "When the train finally left, an hour late, most of us had fallen asleep. "
    "The lights went out near the border. Somebody asked whether that was usual, "
    "and an older woman said yes, quite usual, and passed round a bag of plums. "
    "We reached the city just as the sun came up over the river.",
]

ACCENTS = ["en-us", "en-gb", "en-gb-scotland", "en-029", "de", "fr-fr", "es",
           "it", "pt", "nl", "sv", "pl"]
VARIANTS = ["", "+f1", "+m1", "+f2", "+m2", "+f3", "+m3", "+f4", "+m4", "+m5",
            "+f5", "+m7"]


@dataclass
class Clip:
    name: str
    kind: str   # "espeak", "codec" (nano's), "answers" (nano's), "recording"
    half: int   # 0: thresholds are chosen on it, 1: reported
    sound: np.ndarray


def read(path):
    sound, rate = soundfile.read(path, dtype="float64", always_2d=True)
    sound = sound.mean(axis=1)
    return sound if rate == RATE else resample_poly(sound, RATE, rate)


def write(path, sound, rate=RATE):
    soundfile.write(path, np.clip(sound, -1, 32767 / 32768), rate, subtype="PCM_16")


def _espeak(folder, index):
    """One voice reading a text; accents, variants and dials all differ."""
    path = folder / f"espeak{index:02}.wav"
    if not path.exists():
        voice = ACCENTS[index % len(ACCENTS)] + VARIANTS[(index * 5 + index // 12) % 12]
        pitch, speed = 20 + index * 17 % 65, 125 + index * 29 % 90
        raw = folder / f"raw{index:02}.wav"
        # Both readings of one voice stay together.
        text = TEXTS[index % 4] + " " + TEXTS[(index + 1) % 4]
        subprocess.run(["espeak-ng", "-v", voice, "-p", str(pitch), "-s",
                        str(speed), "-w", raw, text], check=True)
        sound = read(raw)
        write(path, 0.5 * sound / np.max(np.abs(sound)))
        raw.unlink()
    return path


def _through(moshi, command, source, path, *more):
    if not path.exists():
        subprocess.run([moshi, *command, source, path, "--quiet", *more], check=True,
                       stdout=subprocess.DEVNULL)
    return path


def clips(moshi, folder, recordings=None, voices=48):
    """All clips, made once and kept in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    codec, made = ["codec", "roundtrip"], []

    def add(path, kind, index):
        made.append(Clip(path.stem, kind, index % 2, read(path)))

    for i in range(voices):
        source = _espeak(folder, i)
        add(source, "espeak", i)
        add(_through(moshi, codec, source, folder / f"codec{i:02}.wav"), "codec", i)
    questions = Path(__file__).parents[1] / "examples" / "questions.flac"
    for seed in range(1, 13):
        path = folder / f"answers{seed:02}.wav"
        add(_through(moshi, ["gen"], questions, path, "--seed", str(seed)),
            "answers", seed)
    for i, path in enumerate(sorted(Path(recordings).glob("*.wav")) if recordings
                             else []):
        add(path, "recording", i)
        add(_through(moshi, codec, path, folder / f"codec_{path.stem}.wav"),
            "codec", i)
    return made


def activity(sound):
    """Share of 20 ms windows within 35 dB of the loudest tenth."""
    windows = sound[:len(sound) // 480 * 480].reshape(-1, 480)
    level = 10 * np.log10(np.mean(windows ** 2, axis=1) + 1e-12)
    loud = np.mean(np.sort(level)[-max(1, len(level) // 10):])
    return np.mean(level > loud - 35)


def pieces(all_clips, seconds, rng, least=0.3):
    """Pieces cut anywhere: (clip, sound). One without speech is left out."""
    n = int(seconds * RATE)
    for clip in all_clips:
        count = max(1, int(len(clip.sound) / n))
        for i in range(count):
            room = len(clip.sound) - n
            if room < 0:
                continue
            low = min(i * n, room)
            at = int(rng.integers(low, min(low + n // 2, room) + 1))
            piece = clip.sound[at:at + n]
            if np.max(np.abs(piece)) > 0.05 and activity(piece) >= least:
                yield clip, piece


# --- faults: each takes frames [T, 1920] and a generator ---

def _swap(f, rng):
    order = np.arange(len(f))
    for i in range(0, len(f) - 1, 2):
        order[i], order[i + 1] = i + 1, i
    return f[order]


def _window(f, rng, size=4):
    order = np.arange(len(f))
    for i in range(0, len(f), size):
        rng.shuffle(order[i:i + size])
    return f[order]


def _every(f, n, copies):
    times = np.ones(len(f), int)
    times[n - 1::n] = copies
    return np.repeat(f, times, axis=0)


def _event(f, rng, times):
    """One frame in the middle half, where somebody speaks."""
    loud = np.mean(f ** 2, axis=1)
    middle = np.arange(len(f) // 4, max(len(f) // 4 + 1, 3 * len(f) // 4))
    spoken = middle[loud[middle] > np.median(loud)]
    count = np.ones(len(f), int)
    count[rng.choice(spoken if len(spoken) else middle)] = times
    return np.repeat(f, count, axis=0)


FAULTS = {
    "samples reversed": lambda f, rng: f[:, ::-1],
    "order reversed": lambda f, rng: f[::-1],
    "shuffled": lambda f, rng: f[rng.permutation(len(f))],
    "shuffled by 4": _window,
    "swapped": _swap,
    "every 4th dropped": lambda f, rng: _every(f, 4, 0),
    "every 8th dropped": lambda f, rng: _every(f, 8, 0),
    "every 4th doubled": lambda f, rng: _every(f, 4, 2),
    "every 8th doubled": lambda f, rng: _every(f, 8, 2),
    "one doubled": lambda f, rng: _event(f, rng, 2),
    "one dropped": lambda f, rng: _event(f, rng, 0),
}
SINGLE = ("one doubled", "one dropped")


def _marked(stride):
    """A state that is lost at every stride: what follows begins from nothing."""
    def fault(f, rng):
        ramp = np.ones(stride)
        length = max(1, stride // 8)
        ramp[:length] = np.arange(length) / length
        if stride < 8:
            ramp[0] = 0.5
        return (f.reshape(-1, stride) * ramp).reshape(f.shape)
    return fault


STRIDE_FAULTS = {f"a state lost every {n} samples": _marked(n)
                 for n in (4, 20, 120, 960)}
FAULTS.update(STRIDE_FAULTS)


def faulty(clip, seconds, name, rng):
    """A fault in the whole clip's frames, then cut out anywhere: the grid's
    offset is unknown. Single events are put into the piece itself."""
    n = int(seconds * RATE)
    need = n + 4 * FRAME
    sound = clip.sound
    spare = max(1.0, 1.4 * need / 1) if "dropped" in name else need
    take = int(min(len(sound), spare)) // FRAME * FRAME
    at = int(rng.integers(0, len(sound) - take + 1))
    source = sound[at:at + take]
    if name in SINGLE:
        shift = int(rng.integers(0, FRAME))
        source = source[:n + FRAME]
        head, body = source[:shift], source[shift:]
        body = body[:len(body) // FRAME * FRAME]
        out = FAULTS[name](body.reshape(-1, FRAME), rng).ravel()
        return np.concatenate([head, out])[:n]
    out = FAULTS[name](source.reshape(-1, FRAME), rng).ravel()
    cut = int(rng.integers(0, max(1, min(len(out) - n, 2 * FRAME)) + 1))
    return out[cut:cut + n]


# --- honest changes ---

def _gain(decibels):
    def change(x, rng, folder):
        x = x * 10 ** (decibels / 20)
        return x / max(1, np.max(np.abs(x)) / 0.98)
    return change


def _telephone(x, rng, folder):
    band = butter(4, [300, 3400], "bandpass", fs=RATE, output="sos")
    return sosfiltfilt(band, x)


def _resampled(rate):
    def change(x, rng, folder):
        step = np.gcd(rate, RATE)
        there = resample_poly(x, rate // step, RATE // step)
        return resample_poly(there, RATE // step, rate // step)[:len(x)]
    return change


def _opus(x, rng, folder):
    with tempfile.TemporaryDirectory(dir=folder) as t:
        write(f"{t}/a.wav", x)
        quiet = {"stderr": subprocess.DEVNULL, "check": True}
        subprocess.run(["opusenc", "--quiet", "--bitrate", "24", f"{t}/a.wav",
                        f"{t}/a.opus"], **quiet)
        subprocess.run(["opusdec", "--quiet", "--rate", str(RATE), f"{t}/a.opus",
                        f"{t}/b.wav"], **quiet)
        return read(f"{t}/b.wav")


def _pauses(x, rng, folder):
    """Two pauses of a third of a second, as an editor of sound puts them in."""
    n, fade = int(0.3 * RATE), 120
    ramp = np.linspace(1, 0, fade)
    for _ in range(2):
        at = int(rng.integers(fade, len(x) - fade))
        a, b = x[:at].copy(), x[at:].copy()
        a[-fade:] *= ramp
        b[:fade] *= ramp[::-1]
        x = np.concatenate([a, np.zeros(n), b])
    return x


def _noise(x, rng, folder):
    power = np.mean(x ** 2) / 100
    return x + rng.normal(0, np.sqrt(power), len(x))


CHANGES = {
    "gain -20 dB": _gain(-20),
    "gain +6 dB": _gain(6),
    "telephone band": _telephone,
    "resampled 8 kHz": _resampled(8000),
    "resampled 16 kHz": _resampled(16000),
    "resampled 44.1 kHz": _resampled(44100),
    "resampled 48 kHz": _resampled(48000),
    "Opus 24 kbit/s": _opus,
    "pauses": _pauses,
    "noise 20 dB": _noise,
}
