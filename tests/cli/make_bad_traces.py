"""Damage traces and models, one thing at a time.

    make_bad_traces.py traces TRACE FOLDER     copies with one fault each
    make_bad_traces.py weight MODEL OUT NAME   one number of a tensor changed
    make_bad_traces.py memory MOSHI            diff of large traces: its memory
"""
import json
import os
import resource
import struct
import subprocess
import sys


def read(path):
    raw = open(path, "rb").read()
    n, = struct.unpack("<Q", raw[:8])
    return json.loads(raw[8:8 + n]), bytearray(raw[8 + n:])


def write(path, header, data=b""):
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as f:
        f.write(struct.pack("<Q", len(text)) + text + data)


def copy(header):
    return json.loads(json.dumps(header))


def traces(path, out):
    os.makedirs(out, exist_ok=True)
    at = lambda name: os.path.join(out, name + ".st")
    header, data = read(path)
    raw = open(path, "rb").read()
    open(at("truncated"), "wb").write(raw[:len(raw) // 2])

    h = copy(header)
    F, rows, width = h["out_norm"]["shape"]
    h["out_norm"]["shape"] = [1, F * rows, width]
    write(at("rows"), h, data)

    h = copy(header)
    F, rows, width = h["out_norm"]["shape"]
    h["out_norm"]["shape"] = [F, width // 2, 2]
    write(at("turned"), h, data)

    h = copy(header)
    del h["out_norm"]
    write(at("missing"), h, data)

    h = copy(header)
    h["something"] = h.pop("out_norm")
    keep = ("__metadata__", "frames", "something")
    write(at("nothing"), {k: h[k] for k in keep}, data)

    for name, change in (("twice", lambda f: 5), ("later", lambda f: f + 1000)):
        d = bytearray(data)
        begin, end = header["frames"]["data_offsets"]
        numbers = struct.unpack("<%di" % ((end - begin) // 4), d[begin:end])
        d[begin:end] = struct.pack("<%di" % len(numbers),
                                   *[change(f) for f in numbers])
        write(at(name), header, d)

    d = bytearray(data)
    begin, end = header["encoder.model.0"]["data_offsets"]
    frame = (end - begin) // 43
    d[begin + 2 * frame:begin + 2 * frame + 20] = struct.pack(
        "<5f", *[float("nan")] * 5)
    write(at("nan"), header, d)

    d = bytearray(data)
    begin = header["audio_tokens"]["data_offsets"][0]
    d[begin:begin + 4] = struct.pack("<i", 4096)
    write(at("tokens"), header, d)

    text = b'{"op": [' + b"[],\n" * (1 << 19) + b"[]]}"
    open(at("huge"), "wb").write(struct.pack("<Q", len(text)) + text)


def weight(path, out, name):
    header, data = read(path)
    begin = header[name]["data_offsets"][0]
    value, = struct.unpack("<f", data[begin:begin + 4])
    data[begin:begin + 4] = struct.pack("<f", value + 0.5)
    write(out, header, data)


def memory(program):
    """Two traces of holes, 256 MB each: no disk is needed."""
    tensors, size = 16, 16 << 20
    header = {"op.%d" % i: {"dtype": "F32", "shape": [64, 1, size // 256],
                            "data_offsets": [i * size, (i + 1) * size]}
              for i in range(tensors)}
    for name in ("large-a.st", "large-b.st"):
        write(name, header)
        os.truncate(name, os.path.getsize(name) + tensors * size)
    with open("large-b.st", "r+b") as f:
        f.seek(-4, 2)
        f.write(struct.pack("<f", 1))
    done = subprocess.run([program, "diff", "large-a.st", "large-b.st"],
                          stdout=subprocess.PIPE)
    assert done.returncode == 1, done.returncode
    assert b"first difference: op.15, frame 63" in done.stdout, done.stdout
    used = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss << 10
    # An instrumented program takes more; it is not what is measured.
    if "MOSHI_SANITIZED" not in os.environ:
        assert used < 2 * size + (100 << 20), used


if __name__ == "__main__":
    {"traces": traces, "weight": weight, "memory": memory}[sys.argv[1]](
        *sys.argv[2:])
