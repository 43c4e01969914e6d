#!/usr/bin/env python3
"""Write sick copies of the golden models into a folder, one fault each.

    make_sick_models.py FIXTURES OUT
"""
import json
import os
import struct
import sys

# The fields of a safetensors file: header, bytes of data.


def read(path):
    raw = open(path, "rb").read()
    n, = struct.unpack("<Q", raw[:8])
    return json.loads(raw[8:8 + n]), bytearray(raw[8 + n:])


def write(path, header, data):
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as f:
        f.write(struct.pack("<Q", len(text)) + text + data)


def values(path, out, name, change):
    """A copy in which the floats of one tensor are changed."""
    header, data = read(path)
    a, b = header[name]["data_offsets"]
    width = header[name]["shape"][-1]
    floats = list(struct.unpack("<%df" % ((b - a) // 4), data[a:b]))
    change(floats, width)
    data[a:b] = struct.pack("<%df" % len(floats), *floats)
    write(out, header, data)


def gguf_tensors(raw):
    """Name, dims, offset in the file of each tensor (version 2, no metadata)."""
    count, = struct.unpack_from("<Q", raw, 8)
    at, tensors = 24, []
    for _ in range(count):
        n, = struct.unpack_from("<Q", raw, at)
        name = raw[at + 8:at + 8 + n].decode()
        at += 8 + n
        k, = struct.unpack_from("<I", raw, at)
        dims = struct.unpack_from("<%dQ" % k, raw, at + 4)
        kind, offset = struct.unpack_from("<IQ", raw, at + 4 + 8 * k)
        at += 4 + 8 * k + 12
        tensors.append((name, dims, kind, offset))
    data = at + -at % 32
    return [(n, d, k, data + o) for n, d, k, o in tensors]


def half(raw, at):
    return struct.unpack_from("<e", raw, at)[0]


def q8_row(path, out, name, row, factor):
    """The scales of one row of a Q8_0 matrix, times a factor."""
    raw = bytearray(open(path, "rb").read())
    for n, dims, kind, at in gguf_tensors(raw):
        if n != name:
            continue
        assert kind == 8
        blocks = dims[0] // 32
        for b in range(blocks):
            place = at + (row * blocks + b) * 34
            struct.pack_into("<e", raw, place, half(raw, place) * factor)
    open(out, "wb").write(raw)


def models(fixtures, out):
    lm = os.path.join(fixtures, "lm-moshi-tiny")
    candle = os.path.join(lm, "model.candle.safetensors")
    at = lambda name: os.path.join(out, name)
    raw = bytearray(open(candle, "rb").read())

    # Bits of the header: in a name, in a number, in the length.
    def flipped(name, where, bit):
        copy = bytearray(raw)
        copy[where] ^= 1 << bit
        open(at(name), "wb").write(copy)

    flipped("flip_name.st", raw.index(b"emb.7.weight") + 4, 6)
    flipped("flip_layer.st", raw.index(b"layers.1.norm1") + 7, 1)
    flipped("flip_offset.st", raw.index(b"data_offsets") + 16, 0)
    flipped("flip_length.st", 3, 2)
    open(at("truncated.st"), "wb").write(raw[:len(raw) * 2 // 3])

    def nan(x, width):
        x[3 * width + 5] = float("nan")

    def zero(x, width):
        x[:] = [0.0] * len(x)

    def constant(x, width):
        x[:] = [0.25] * len(x)

    values(candle, at("nan.st"), "transformer.layers.1.gating.linear_in.weight",
           nan)
    values(candle, at("zero.st"), "transformer.layers.0.self_attn.out_proj."
           "weight", zero)
    values(candle, at("zero_norm.st"), "transformer.layers.2.norm2.alpha", zero)
    values(candle, at("constant.st"), "depformer.3.linear_out.weight", constant)
    values(os.path.join(fixtures, "mimi-tiny", "model.safetensors"),
           at("zero_mimi.st"),
           "decoder_transformer.transformer.layers.0.linear1.weight", zero)
    gguf = os.path.join(lm, "model.q8.gguf")
    q8_row(gguf, at("scale.gguf"), "transformer.layers.1.gating.linear_in."
           "weight", 17, 30)
    q8_row(gguf, at("scale_emb.gguf"), "text_emb.weight", 40, 30)

    header, data = read(candle)
    del header["transformer.layers.1.norm1.alpha"]
    write(at("missing.st"), header, data)
    header, data = read(candle)
    header["rotary.freqs"] = header.pop("depformer.7.linear_out.weight")
    write(at("renamed.st"), header, data)
    header, data = read(candle)
    end = len(data)
    header["rotary.freqs"] = {"dtype": "F32", "shape": [2],
                              "data_offsets": [end, end + 8]}
    write(at("extra.st"), header, data + bytes(8))


def configs(fixtures, out):
    path = os.path.join(fixtures, "lm-moshi-tiny", "config.json")
    config = json.load(open(path))

    def changed(name, **keys):
        json.dump(dict(config, **keys), open(os.path.join(out, name), "w"))

    # That of stt-1b, as far as it describes its shapes.
    changed("other_model.json", dim=2048, text_card=8000, n_q=32, dep_q=0,
            num_heads=16, num_layers=16, hidden_scale=4.125, context=750,
            max_period=100000, delays=[0] * 33)
    changed("vocabulary.json", text_card=48000)
    changed("delay_count.json", delays=config["delays"][:-1])
    changed("odd_delays.json", delays=[0, 1] + [0] * 7 + [0] + [1] * 7)
    changed("conditioners.json", conditioners={"description": {
        "type": "lut", "lut": {"n_bins": 31, "dim": 16, "tokenizer": "noop",
                               "possible_values": ["very_good"]}}},
            fuser={"sum": ["description"], "cross": []})
    changed("hot.json", lm_gen_config={"temp": 10.0})
    open(os.path.join(out, "broken.json"), "w").write('{"dim": 64,\n "n_q" 16}')


def main():
    fixtures, out = sys.argv[1:3]
    os.makedirs(out, exist_ok=True)
    models(fixtures, out)
    configs(fixtures, out)


if __name__ == "__main__":
    main()
