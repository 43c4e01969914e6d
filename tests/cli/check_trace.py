"""Hold a trace against the codes file of the same run of gen.

    check_trace.py TRACE CODES MODEL
"""
import hashlib
import json
import struct
import sys


def read(path):
    raw = open(path, "rb").read()
    n, = struct.unpack("<Q", raw[:8])
    return json.loads(raw[8:8 + n]), raw[8 + n:]


def cells(header, data, name):
    e = header[name]
    begin, end = e["data_offsets"]
    return e["shape"], data[begin:end]


trace, trace_data = read(sys.argv[1])
codes, codes_data = read(sys.argv[2])
notes = trace.pop("__metadata__")
for name in ("codes_in", "text_tokens", "audio_tokens", "codes_out"):
    assert cells(trace, trace_data, name) == cells(codes, codes_data, name), name
assert trace["frames"]["shape"] == [43]
assert trace["inputs"]["shape"] == [17, 43]
assert trace["margins"]["shape"] == trace["likeliest"]["shape"] == [9, 43]
assert trace["decoder.model.14"]["shape"] == [43, 1920, 1]

# What a step reads is what the one before produced.
_, text = cells(trace, trace_data, "text_tokens")
_, inputs = cells(trace, trace_data, "inputs")
assert inputs[4:4 * 43] == text[:-4]

assert notes["moshi.trace"] == "1" and notes["engine"] == "moshi.c"
assert notes["seed"] == "7" and notes["backend"] == "cpu"
assert notes["weights"] == "F32" and notes["produced"] == "free"
assert int(notes["threads"]) > 0 and notes["isa"]
assert json.loads(notes["config"])["dim"] == {"value": 64, "from": "shapes"}
files = {f["part"]: f for f in json.loads(notes["files"])}
assert {"lm", "mimi", "config", "input"} <= set(files)
raw = open(sys.argv[3], "rb").read()
assert files["lm"]["bytes"] == len(raw)
# A build without libcrypto notes no hashes.
assert files["lm"].get("sha256") in (None, hashlib.sha256(raw).hexdigest())
# In the order of the plans.
names = list(trace)
order = [names.index(n) for n in ("mimi.encoder.pcm", "encoder.model.0",
                                  "quantizer.codebook.7", "lm.tokens",
                                  "transformer.layers.0", "text_linear.sample",
                                  "depformer.7.linear_out",
                                  "mimi.decoder.codes", "decoder.model.14")]
assert order == sorted(order), order
