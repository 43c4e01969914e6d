"""Sounds for test_analyze.sh, from one clean recording: usage: CLEAN FOLDER.

Only the standard library, since the tests need no more.
"""
import array
import os
import random
import struct
import sys
import wave

FRAME = 1920
clean, folder = sys.argv[1:]
os.makedirs(folder, exist_ok=True)
with wave.open(clean) as w:
    rate = w.getframerate()
    assert (rate, w.getnchannels(), w.getsampwidth()) == (24000, 1, 2)
    x = array.array("h", w.readframes(w.getnframes())).tolist()
chance = random.Random(4)


def save(name, samples):
    with wave.open(f"{folder}/{name}.wav", "wb") as out:
        out.setparams((1, 2, rate, 0, "NONE", ""))
        out.writeframes(array.array("h", samples).tobytes())


def frames(samples):
    return [samples[i:i + FRAME] for i in range(0, len(samples) - FRAME + 1, FRAME)]


def joined(pieces):
    return [v for piece in pieces for v in piece]


f = frames(x)
save("clean", x)
save("quiet", [v // 10 for v in x])
save("cut", x[1234:])
save("reversed", joined(p[::-1] for p in f))
save("backwards", joined(f[::-1]))
save("swapped", joined(p for i in range(0, len(f) - 1, 2) for p in (f[i + 1], f[i])))
save("dropped", joined(p for i, p in enumerate(f) if i % 4 != 3))
save("doubled", joined(p for i, p in enumerate(f) for _ in range(1 + (i % 4 == 3))))
save("shifted", joined(p[::-1] for p in f)[777:])
save("blanked", joined([0] * FRAME if i % 5 == 4 else p for i, p in enumerate(f)))
save("starved", [0 if i % 5000 > 4300 else v for i, v in enumerate(x)])
save("noise", [round(chance.gauss(0, 32768 * 10 ** (-65 / 20))) for _ in range(rate * 4)])
save("silence", [0] * rate * 3)
swapped = array.array("h", x)
swapped.byteswap()
save("bytes", swapped.tolist())
save("short", x[rate:rate + rate // 2])
save("sample", [1000])
head = struct.pack("<4sI4s4sIHHIIHH", b"RIFF", 0x7fffffff, b"WAVE", b"fmt ", 16, 3, 1,
                   rate, 4 * rate, 4, 32)
with open(f"{folder}/nan.wav", "wb") as out:
    out.write(head + struct.pack("<4sI", b"data", 4000))
    out.write(struct.pack("<1000f", *([0.1] * 500 + [float("nan")] + [0.1] * 499)))
with open(f"{folder}/header.wav", "wb") as out:
    out.write(head + struct.pack("<4sI", b"data", 0x7fffff00))
open(f"{folder}/empty.wav", "wb").close()
