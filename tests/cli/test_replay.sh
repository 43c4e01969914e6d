#!/bin/sh
# moshi codec decode of what others recorded, and its scans. The tiny codec has
# random weights: its echo is chance, and a scan must say so.
. "$(dirname "$0")/../tap.sh"
f=$MOSHI_FIXTURES
codec="--mimi $f/mimi-tiny/model.safetensors"
codec="$codec --mimi-config $f/mimi-tiny/config.json"

run 0 codec encode $codec "$f/e2e-tiny/input.wav" codes.st -q
run 0 codec decode $codec codes.st expected.wav -q

# The same codes in every form that they come in.
python3 - <<'PY'
import json, struct
raw = open("codes.st", "rb").read()
n, = struct.unpack("<Q", raw[:8])
K, T = json.loads(raw[8:8 + n])["codes"]["shape"]
flat = struct.unpack("<%di" % (K * T), raw[8 + n:8 + n + 4 * K * T])
books = [flat[k * T:(k + 1) * T] for k in range(K)]
frames = list(zip(*books))

def npy(path, rows, shape, code, fortran=False):
    head = "{'descr': '%s', 'fortran_order': %s, 'shape': %s, }" % (
        code, fortran, shape)
    head += " " * (-(len(head) + 11) % 64) + "\n"
    fmt = {"<i8": "q", "<i4": "i", "|u1": "B"}[code]
    with open(path, "wb") as out:
        out.write(b"\x93NUMPY\1\0" + struct.pack("<H", len(head)))
        out.write(head.encode())
        for row in rows:
            out.write(struct.pack("<%d%s" % (len(row), fmt), *row))

npy("kt.npy", books, (K, T), "<i8")
npy("tk.npy", frames, (T, K), "<i4")
npy("batch.npy", books, (1, K, T), "|u1")
npy("fortran.npy", books, (K, T), "<i8", True)
for name, rows, between in (("kt.txt", books, " "), ("tk.csv", frames, ",")):
    with open(name, "w") as out:
        for row in rows:
            out.write(between.join(map(str, row)) + "\n")
with open("two.txt", "w") as out: # as many frames as codebooks
    for row in frames[:K]:
        out.write(" ".join(map(str, row)) + "\n")
h = {"codes": {"dtype": "I32", "shape": [K, K], "data_offsets": [0, 4 * K * K]}}
text = json.dumps(h).encode()
with open("two.st", "wb") as out:
    out.write(struct.pack("<Q", len(text)) + text)
    for row in books:
        out.write(struct.pack("<%di" % K, *row[:K]))
PY
for file in kt.npy tk.npy batch.npy kt.txt tk.csv; do
    run 0 codec decode $codec $file out.wav -q
    check "$file holds the same codes" cmp out.wav expected.wav
done
run 0 codec decode $codec two.st square.wav -q
run 0 codec decode $codec two.txt out.wav -q --layout tk
check "--layout tk reads frames by codebooks" cmp out.wav square.wav
run 3 codec decode $codec two.txt out.wav -q --layout sideways
has err "--layout sideways"
run 3 codec decode $codec fortran.npy out.wav -q
has err "Fortran order"
has err "hint: "
run 3 codec decode $codec codes.st out.wav -q --tensor tokens
has err "tensor tokens is missing"

# A scan of a codec that cannot be read by its echo.
run 0 codec decode $codec --delay-scan kt.npy
has err "49 ways to see 8 codebooks; each is decoded and encoded again"
has out "verdict: cannot tell: echo is no measure for this codec"
run 0 codec decode $codec --delay-scan --order-scan tk.csv --json -q
lines err 0
cp .tap/out report.json
check "--json has all views, and no best one" python3 -c '
import json
r = json.load(open("report.json"))
assert r["verdict"] == "cannot tell" and r["best"] is None
assert len(r["views"]) == 84 and r["views"][0]["name"] == "as recorded"
assert r["codebooks"] == 8 and r["frames"] == 32
for v in r["views"]:
    assert 0 <= v["echo"] <= 1 and 0 <= v["chance"] <= 1, v
'
run 0 codec decode $codec --order-scan codes.st out.wav -q
check "the sound is written as well" cmp out.wav expected.wav
check "the same scan gives the same answer" sh -c \
    '"$0" codec decode '"$codec"' --delay-scan --order-scan tk.csv --json -q \
    --threads 2 | cmp - report.json' "$MOSHI_BIN"
run 3 codec decode $codec --delay-scan two.st -q
has err "8 frames are too few"
run 2 codec encode $codec --delay-scan codes.st x.wav
has err "only decode can scan"
run 2 codec decode $codec codes.st
has err "no output file was named"
finish
