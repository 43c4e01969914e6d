"""Write the seeds of fuzz/corpus for the readers of files: small files of every
kind, good ones, so that the fuzzer begins behind the first checks.

    python3 fuzz/make_corpus.py

Findings lie beside the seeds under names of their own and are not touched.
fuzz_model has seeds of its own; those of fuzz_ogg were recorded.
"""
import json
import os
import struct

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "corpus")

# Names, shapes of the language model and of the codec, cut down.
TENSORS = [
    ("text_emb.weight", [5, 32]),
    ("emb.0.weight", [3, 32]),
    ("out_norm.alpha", [1, 1, 32]),
    ("transformer.layers.0.self_attn.in_proj_weight", [6, 32]),
    ("transformer.layers.0.gating.linear_in.weight", [4, 32]),
    ("depformer.0.linear_in.weight", [2, 32]),
    ("condition_provider.conditioners.description.embed.weight", [2, 16]),
    ("quantizer.rvq_first.vq.layers.0._codebook.initialized", [1]),
]
FLOATS = {"F32": 4, "F16": 2, "BF16": 2}
OTHERS = {"I8": 1, "I32": 4, "I64": 8, "U8": 1, "BOOL": 1}
# GGUF number: elements and bytes of a block
GGUF = {0: (1, 4), 1: (1, 2), 30: (1, 2), 8: (32, 34), 2: (32, 18),
        12: (256, 144), 13: (256, 176), 14: (256, 210), 24: (1, 1),
        26: (1, 4), 27: (1, 8)}

JSON = {
    "moshi": {
        "dim": 4096, "text_card": 32000, "n_q": 16, "dep_q": 8, "card": 2048,
        "num_heads": 32, "num_layers": 32, "hidden_scale": 4.125,
        "causal": True, "layer_scale": None, "context": 3000,
        "max_period": 10000, "gating": "silu", "norm": "rms_norm_f32",
        "positional_embedding": "rope", "depformer_multi_linear": True,
        "depformer_weights_per_step_schedule": [0, 1, 2, 3, 4, 4, 5, 5],
        "delays": [0, 0, 1, 1, 1, 1, 1, 1, 1, 0, 1, 1, 1, 1, 1, 1, 1],
        "lm_gen_config": {"temp": 0.8, "temp_text": 0.7, "top_k": 250},
    },
    "hibiki": {
        "model_type": "hibiki", "mimi_name": "hf://owner/repo/mimi.safetensors",
        "conditioners": {"description": {"type": "lut", "lut": {
            "n_bins": 31, "dim": 16, "tokenizer": "noop",
            "possible_values": ["very_bad", "bad", "neutral", "good"]}}},
        "fuser": {"cross_attention_pos_emb": False, "sum": ["description"],
                  "cross": []},
        "model_id": {"sig": "\u00e9\"\\/", "epoch": -1},
    },
    "mimi": {"seanet": {"ratios": [8, 6, 5, 4], "n_filters": 64},
             "quantizer": {"n_q": 32, "bins": 2048}, "transformer": {}},
}

TOML = {
    "s2st": """# model
text_in_vocab_size = 48001
text_out_vocab_size = 48_000
audio_vocab_size = 2049
audio_codebooks = 16

[transformer]
d_model = 2048
num_heads = 16
causal = true
bias_ff = false
max_period = 1e5
gating = "silu"
norm = 'RmsNorm'
positional_embedding = "Rope"

[depformer]
num_slices = 8
low_rank_embeddings = 128

[depformer.transformer]
d_model = 1_024
context = 8

[conditioners.description]
type = "Lut"
n_bins = 31
possible_values = ["very_bad", "bad", # low
  "neutral"]
""",
    "syntax": """a.b."c d".'e' = {f = [1, [2.5, -inf]], g = 0xff}
h = \"\"\"two
lines \\
   joined \\u00e9\"\"\"
i = '''raw\\'''
j = 1979-05-27T07:32:00Z
[[k]]
l = 0b11
[[k]]
l = +1_0.5e-3
""",
    "small": "a = 1\n",
}

# Messages of /api/chat, and texts of the same protocol.
PROTOCOL = {
    "handshake": b"\0" * 9,
    "audio": b"\1OggS\0\2",
    "text": b"\2 caf\xc3\xa9",
    "metadata": b"\4{\"text_topk\":25}",
    "colored": b"\7\12hi",
    "unknown": b"\xc8x",
    "query": b"text_temperature=0.7&text_topk=25&audio_seed="
             b"18446744073709551615&pad_mult=-1.5&token=a%20b+c&email=",
    "penalty": b"repetition_penalty=1.1&repetition_penalty_context=64"
               b"&max_steps=4500&audio_topk=x",
    "origin": b"http://localhost:8998 [::1]:8998",
    "url": b"wss://[::1]:8998/api/chat?token=a#b",
    "host": b"moshi.example:65536",
}


def save(target, name, data):
    folder = os.path.join(FOLDER, target)
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, name), "wb") as file:
        file.write(data)


def count_of(shape):
    n = 1
    for dim in shape:
        n *= dim
    return n


def safetensors(tensors, metadata=None, pad=8):
    header, at = {}, 0
    if metadata is not None:
        header["__metadata__"] = metadata
    for name, shape, dtype, size in tensors:
        n = count_of(shape) * size
        header[name] = {"dtype": dtype, "shape": shape,
                        "data_offsets": [at, at + n]}
        at += n
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % pad)
    return struct.pack("<Q", len(text)) + text + bytes(at)


# Two traces of two frames, and what else a trace may hold.
OPS = [("mimi.encoder.pcm", [2, 4, 1], "F32", 4),
       ("transformer.layers.0", [2, 1, 3], "F32", 4),
       ("text_linear.sample", [2, 1, 1], "I32", 4)]
TABLES = [("codes_in", [2, 3], "I32", 4),
          ("text_tokens", [3], "I32", 4), ("audio_tokens", [2, 3], "I32", 4),
          ("likeliest", [3, 3], "I32", 4), ("margins", [3, 3], "F32", 4)]
NOTES = {"moshi.trace": "1", "weights": "F32", "isa": "avx2",
         "config": '{"dim": {"value": 64, "from": "shapes"}}'}


def trace_pair(a, b):
    return struct.pack("<H", len(a)) + a + b


def string(version, text):
    return struct.pack("<I" if version == 1 else "<Q", len(text)) + text


def gguf(version, tensors, metadata=b"", entries=0, alignment=32):
    width = "<I" if version == 1 else "<Q"
    head = struct.pack("<I", version)
    head += struct.pack(width, len(tensors)) + struct.pack(width, entries)
    head += metadata
    data = b""
    for name, dims, kind in tensors:
        head += string(version, name.encode()) + struct.pack("<I", len(dims))
        head += b"".join(struct.pack(width, n) for n in reversed(dims))
        head += struct.pack("<IQ", kind, len(data))
        elements, size = GGUF[kind]
        data += bytes(count_of(dims) // elements * size)
        data += bytes(-len(data) % alignment)
    return head + bytes(-(len(head) + 4) % alignment) + data


def gguf_metadata(version):
    width = "<I" if version == 1 else "<Q"
    values = [(0, b"\1"), (1, b"\1"), (2, b"\1\0"), (3, b"\1\0"),
              (4, bytes(4)), (5, bytes(4)), (6, bytes(4)), (7, b"\1"),
              (8, string(version, b"moshi")), (10, bytes(8)), (11, bytes(8)),
              (12, bytes(8)),
              (9, struct.pack("<I", 4) + struct.pack(width, 2) + bytes(8)),
              (9, struct.pack("<I", 8) + struct.pack(width, 2) +
               string(version, b"a") + string(version, b"")),
              (9, struct.pack("<I", 9) + struct.pack(width, 1) +
               struct.pack("<I", 0) + struct.pack(width, 3) + b"abc")]
    out = b"".join(string(version, b"key") + struct.pack("<I", kind) + value
                   for kind, value in values)
    out += string(version, b"general.alignment") + struct.pack("<II", 4, 64)
    return out, len(values) + 1


def npy(descr, shape, data, version=1):
    text = "{'descr': '%s', 'fortran_order': False, 'shape': %s, }" % (descr,
                                                                     shape)
    text += " " * (-len(text) % 16) + "\n"
    return (b"\x93NUMPY" + bytes([version, 0]) +
            struct.pack("<H" if version == 1 else "<I", len(text)) +
            text.encode() + data)


def codes():
    numbers = struct.pack("<12i", *range(12))
    save("fuzz_codes", "array", npy("<i4", (2, 6), numbers))
    save("fuzz_codes", "batch", npy("<u2", (1, 3, 8), numbers, version=3))
    save("fuzz_codes", "rows.txt", b"# K by T\n1 2 3\n4, 5,\t6\n")
    save("fuzz_codes", "negative.txt", b"-1 2047\r\n2048 0")
    save("fuzz_codes", "tensor", safetensors([("codes", [2, 6], "I32", 4)]))
    save("fuzz_codes", "tensors", safetensors(
        [("audio_tokens", [1, 2, 3], "I64", 8), ("t", [4], "I32", 4)]))


def main():
    codes()
    for dtype, size in FLOATS.items():
        some = [(name, shape, dtype, size) for name, shape in TENSORS]
        save("fuzz_safetensors", dtype.lower(), safetensors(some))
    save("fuzz_safetensors", "types", safetensors(
        [(d, [3], d, n) for d, n in OTHERS.items()], {"format": "pt"}))
    save("fuzz_safetensors", "scalar", safetensors(
        [("scalar", [], "F32", 4), ("none", [0, 7], "F32", 4)], {}, pad=1))
    save("fuzz_safetensors", "empty", safetensors([]))

    for version in (1, 2, 3):
        some = [(name, shape, 8 if len(shape) == 2 and shape[1] == 32 else 0)
                for name, shape in TENSORS]
        save("fuzz_gguf", f"v{version}", gguf(version, some))
        metadata, entries = gguf_metadata(version)
        save("fuzz_gguf", f"v{version}_metadata", gguf(
            version, some[:2], metadata, entries, 64))
    save("fuzz_gguf", "types", gguf(
        3, [(f"t{kind}", [1, 256], kind) for kind in GGUF]))
    save("fuzz_gguf", "empty", gguf(2, []))

    plain = safetensors(OPS)
    ascending = TABLES + [("frames", [1], "I32", 4)]
    other = [(n, [1] + shape[1:], d, size) for n, shape, d, size in OPS]
    save("fuzz_trace", "same", trace_pair(plain, plain))
    save("fuzz_trace", "tables", trace_pair(
        safetensors(OPS + TABLES, NOTES),
        safetensors(OPS[1:] + TABLES, dict(NOTES, produced="forced"))))
    save("fuzz_trace", "frames", trace_pair(
        safetensors(other + ascending), safetensors(OPS + TABLES)))
    halves = [(n, shape, "BF16" if d == "F32" else "I64",
               2 if d == "F32" else 8) for n, shape, d, _ in OPS]
    save("fuzz_trace", "types", trace_pair(plain, safetensors(halves)))

    for name, message in PROTOCOL.items():
        save("fuzz_protocol", name, message)

    for name, config in JSON.items():
        save("fuzz_config", name + ".json",
             json.dumps(config, indent=2).encode())
    for name, text in TOML.items():
        save("fuzz_config", name + ".toml", text.encode())


main()
