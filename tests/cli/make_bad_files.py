#!/usr/bin/env python3
"""Write damaged copies of the tiny model, and odd recordings, into a folder.

    make_bad_files.py TINY_MODEL MODEL.gguf OUT

Each file has one thing wrong with it, named by the file.
"""
import json
import os
import struct
import sys
import wave


def read(path):
    raw = open(path, "rb").read()
    n, = struct.unpack("<Q", raw[:8])
    return json.loads(raw[8:8 + n]), raw[8 + n:]


def write(path, header, data, length=None):
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as f:
        f.write(struct.pack("<Q", len(text) if length is None else length))
        f.write(text + data)


def damaged_models(tiny, out):
    header, data = read(os.path.join(tiny, "model.safetensors"))
    at = lambda name: os.path.join(out, name)
    first, second = list(header)[:2]
    raw = open(os.path.join(tiny, "model.safetensors"), "rb").read()
    open(at("empty.safetensors"), "wb").close()
    open(at("short.safetensors"), "wb").write(raw[:5])
    open(at("truncated.safetensors"), "wb").write(raw[:len(raw) // 2])
    write(at("header_beyond.safetensors"), header, data, length=1 << 40)

    def changed(name, change):
        h = json.loads(json.dumps(header))
        change(h)
        write(at(name), h, data)

    def outside(h):
        a, b = h[first]["data_offsets"]
        h[first]["data_offsets"] = [len(data) + 64, len(data) + 64 + b - a]

    def overlap(h):
        a, b = h[second]["data_offsets"]
        h[second]["data_offsets"] = [a - 64, b - 64] if a else [a + 64, b + 64]

    def wrong_type(h):
        for name, e in h.items():
            if name == "text_linear.weight":
                e["dtype"] = "I32"

    def missing(h):
        del h["transformer.layers.1.norm1.alpha"]

    def unknown_type(h):
        h[first]["dtype"] = "F7"

    changed("outside.safetensors", outside)
    changed("overlap.safetensors", overlap)
    changed("wrong_type.safetensors", wrong_type)
    changed("missing_tensor.safetensors", missing)
    changed("unknown_type.safetensors", unknown_type)
    open(at("not_json.safetensors"), "wb").write(
        struct.pack("<Q", 16) + b"this is not JSON" + data)


def damaged_codecs(tiny, out):
    header, data = read(os.path.join(tiny, "mimi.safetensors"))
    renamed = {}
    for name, e in header.items():
        # The naming of the transformers library.
        for a, b in (("conv.conv", "conv"), ("encoder.model", "encoder.layers"),
                     ("decoder.model", "decoder.layers")):
            name = name.replace(a, b)
        renamed[name] = e
    write(os.path.join(out, "hugging_face_mimi.safetensors"), renamed, data)
    few = {name: e for name, e in header.items()
           if not name.startswith("quantizer.rvq_rest.vq.layers.6.")}
    write(os.path.join(out, "seven_codebooks.safetensors"), few, data)


def damaged_ggufs(gguf, out):
    raw = open(gguf, "rb").read()
    at = lambda name: os.path.join(out, name)
    open(at("truncated.gguf"), "wb").write(raw[:len(raw) // 2])
    open(at("short.gguf"), "wb").write(raw[:20])
    open(at("version9.gguf"), "wb").write(raw[:4] + struct.pack("<I", 9) +
                                          raw[8:])
    open(at("many_tensors.gguf"), "wb").write(
        raw[:8] + struct.pack("<Q", 1 << 60) + raw[16:])
    # The first tensor's offset, after its name, dims and type.
    n, = struct.unpack_from("<Q", raw, 24)
    dims, = struct.unpack_from("<I", raw, 32 + n)
    place = 32 + n + 4 + 8 * dims + 4
    open(at("outside.gguf"), "wb").write(
        raw[:place] + struct.pack("<Q", 1 << 50) + raw[place + 8:])
    open(at("bad_type.gguf"), "wb").write(
        raw[:place - 4] + struct.pack("<I", 99) + raw[place:])


def configs(tiny, out):
    config = json.load(open(os.path.join(tiny, "config.json")))

    def changed(name, **keys):
        c = dict(config, **keys)
        json.dump(c, open(os.path.join(out, name), "w"))

    changed("text_card.json", text_card=48000)
    changed("dim.json", dim=128)
    changed("layers.json", num_layers=7)
    changed("n_q.json", n_q=32)
    changed("hidden.json", hidden_scale=4.125)
    changed("heads.json", num_heads=5)
    changed("norm.json", norm="batch_norm")
    changed("norm_emb.json", norm_emb=True)
    changed("delays.json", delays=[0, 1, 2])
    changed("conditioners.json", conditioners={
        "description": {"type": "lut", "lut": {"n_bins": 31, "dim": 16}}})
    open(os.path.join(out, "broken.json"), "w").write('{"dim": 64,\n "n_q" 16}')
    open(os.path.join(out, "list.json"), "w").write("[1, 2]")


def wav(path, samples, rate=24000, channels=1, width=2):
    with wave.open(path, "wb") as w:
        w.setnchannels(channels)
        w.setsampwidth(width)
        w.setframerate(rate)
        w.writeframes(samples)


def float_wav(path, values, rate=24000):
    data = struct.pack("<%df" % len(values), *values)
    with open(path, "wb") as f:
        f.write(b"RIFF" + struct.pack("<I", 36 + len(data)) + b"WAVEfmt " +
                struct.pack("<IHHIIHH", 16, 3, 1, rate, 4 * rate, 4, 32) +
                b"data" + struct.pack("<I", len(data)) + data)


def recordings(out):
    at = lambda name: os.path.join(out, name)
    tone = lambda n, c=1: b"".join(
        struct.pack("<h", (i * 997) % 20000 - 10000) * c for i in range(n))
    wav(at("no_samples.wav"), b"")
    float_wav(at("nan.wav"), [0.1] * 3000 + [float("nan")] + [0.1] * 3000)
    wav(at("channels8.wav"), tone(24000, 8), channels=8)
    wav(at("rate8000.wav"), tone(8000), rate=8000)
    wav(at("rate192000.wav"), tone(192000), rate=192000)
    wav(at("good.wav"), tone(24000))
    wav(at("long.wav"), tone(24000 * 60))
    open(at("empty.wav"), "wb").close()
    open(at("text.wav"), "w").write("this is a text, not a recording\n")


def main():
    tiny, gguf, out = sys.argv[1:4]
    os.makedirs(out, exist_ok=True)
    damaged_models(tiny, out)
    damaged_codecs(tiny, out)
    damaged_ggufs(gguf, out)
    configs(tiny, out)
    recordings(out)


if __name__ == "__main__":
    main()
