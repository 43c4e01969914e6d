"""Speech from the espeak-ng library, with the times of its words and phonemes.

One call, `speak`, returns samples at 24 kHz. The library is not thread-safe:
use one process for each stream of speech.
"""
import ctypes
import math
import re
from dataclasses import dataclass, field

import numpy as np
from scipy.signal import resample_poly

SAMPLE_RATE = 24000

_WORD, _PHONEME = 1, 7
_SYNCHRONOUS, _PHONEME_EVENTS = 2, 1
_UTF8, _RATE, _VOLUME, _PITCH, _RANGE = 1, 1, 2, 3, 4


class _Event(ctypes.Structure):
    _fields_ = [("type", ctypes.c_int), ("unique_identifier", ctypes.c_uint),
                ("text_position", ctypes.c_int), ("length", ctypes.c_int),
                ("audio_position", ctypes.c_int), ("sample", ctypes.c_int),
                ("user_data", ctypes.c_void_p), ("id", ctypes.c_char * 8)]


@dataclass(frozen=True)
class Voice:
    """A way of speaking: espeak-ng's accent and variant, and its dials."""
    accent: str = "en-us"
    variant: str = ""       # "f3": the file of that name among the variants
    words_per_minute: int = 160
    pitch: int = 50         # 0 .. 99
    pitch_range: int = 50   # 0 .. 99; 0 is monotone


@dataclass
class Speech:
    """Samples (float32, 24 kHz) and what is said when, in seconds."""
    samples: np.ndarray
    words: list = field(default_factory=list)     # (start, word, where in the text)
    phonemes: list = field(default_factory=list)  # (start, espeak's name)


class Espeak:
    def __init__(self):
        self._library = ctypes.CDLL("libespeak-ng.so.1")
        self._rate = self._library.espeak_Initialize(
            _SYNCHRONOUS, 0, None, _PHONEME_EVENTS)
        if self._rate <= 0:
            raise RuntimeError("espeak-ng does not start: is its data installed?")
        self._step = math.gcd(self._rate, SAMPLE_RATE)
        callback_type = ctypes.CFUNCTYPE(
            ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int,
            ctypes.POINTER(_Event))
        self._callback = callback_type(self._receive)  # must outlive the calls
        self._library.espeak_SetSynthCallback(self._callback)
        self._pieces, self._events, self._voice = [], [], None

    def _receive(self, samples, count, events):
        if samples and count > 0:
            self._pieces.append(np.ctypeslib.as_array(samples, (count,)).copy())
        i = 0
        while events[i].type != 0:
            event = events[i]
            if event.type in (_WORD, _PHONEME):
                self._events.append((event.type, event.audio_position / 1000,
                                     event.text_position, event.length,
                                     bytes(event.id).split(b"\0")[0]))
            i += 1
        return 0

    def _use(self, voice):
        if voice == self._voice:
            return
        name = voice.accent + ("+" + voice.variant if voice.variant else "")
        if self._library.espeak_SetVoiceByName(name.encode()) != 0:
            raise ValueError(f"espeak-ng has no voice '{name}'")
        for which, value in ((_RATE, voice.words_per_minute), (_VOLUME, 100),
                             (_PITCH, voice.pitch), (_RANGE, voice.pitch_range)):
            self._library.espeak_SetParameter(which, int(value), 0)
        self._voice = voice

    def speak(self, text: str, voice: Voice) -> Speech:
        """The text's speech, cut to where it sounds (30 ms kept around)."""
        self._use(voice)
        self._pieces, self._events = [], []
        data = text.encode()
        self._library.espeak_Synth(data, len(data) + 1, 0, 1, 0, _UTF8, None, None)
        if not self._pieces:
            raise RuntimeError(f"espeak-ng says nothing for '{text}'")
        raw = np.concatenate(self._pieces).astype(np.float32) / 32768
        samples = resample_poly(raw, SAMPLE_RATE // self._step,
                                self._rate // self._step).astype(np.float32)
        loud = np.flatnonzero(np.abs(samples) > 0.01 * np.abs(samples).max())
        margin = int(0.03 * SAMPLE_RATE)
        begin = max(0, loud[0] - margin)
        end = min(len(samples), loud[-1] + margin)
        speech = Speech(samples[begin:end])
        for kind, time, position, length, name in self._events:
            time = max(0.0, time - begin / SAMPLE_RATE)
            if kind == _WORD:
                word = re.match(r"[\w']+", text[position - 1:])
                if word:
                    speech.words.append((time, word.group(), position - 1))
            else:
                speech.phonemes.append((time, name.decode("utf-8", "replace")))
        return speech
