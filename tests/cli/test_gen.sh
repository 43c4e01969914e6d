#!/bin/sh
# moshi gen and codec on the tiny model: outputs, options, exactness.
. "$(dirname "$0")/../tap.sh"
f=$MOSHI_FIXTURES
: "${MOSHI_EXAMPLES:?}"

run 0 synth tiny tiny
model="-m tiny --tokenizer $f/text/tiny96.model"

# The whole way, and everything that can be written down on it.
run 0 gen $model "$f/e2e-tiny/input.wav" out.wav --greedy --codes codes.st \
    --text words.txt -q
lines err 0
lines out 1
cp .tap/out printed
check "the words are printed and written alike" cmp printed words.txt
check "the WAV file has a header of 44 bytes and whole frames" \
    test $(( ($(wc -c <out.wav) - 44) % 3840 )) -eq 0
# 72000 samples + 12000 of silence = 43 frames; 42 are spoken (delay 1).
check "42 frames are spoken" test "$(wc -c <out.wav)" -eq $((44 + 42 * 3840))
run 0 inspect --json tiny
has out '"layout": "candle"'

# Same seed, same sound; another seed, another; greedy needs none.
run 0 gen $model "$f/e2e-tiny/input.wav" a.wav -q --seed 7
run 0 gen $model "$f/e2e-tiny/input.wav" b.wav -q --seed 7 --threads 3
run 0 gen $model "$f/e2e-tiny/input.wav" c.wav -q --seed 8
check "the same seed gives the same sound, for any threads" cmp a.wav b.wav
check "another seed gives another" test "$(cmp a.wav c.wav 2>&1)"
run 0 gen $model "$f/e2e-tiny/input.wav" d.wav -q --greedy --threads 1
check "greedy runs are the same" cmp out.wav d.wav

# Every instruction set goes the whole way.
for level in ref avx2 avx2vnni avx512; do
    check "MOSHI_CPU=$level works" env MOSHI_CPU=$level "$MOSHI_BIN" gen \
        $model "$f/e2e-tiny/input.wav" isa.wav -q --greedy
done

# Keys and values in halves or Q8_0 choose nano's tokens as those in float32.
nano="-m $f/../../models/nano"
for type in f32 f16 q8_0; do
    run 0 gen $nano "$MOSHI_EXAMPLES/hello.wav" kv.wav -q --greedy --kv $type \
        --codes $type.st
done
run 0 gen $nano "$MOSHI_EXAMPLES/hello.wav" kv.wav -q --greedy --codes own.st
check "f16 keys: the tokens of f32" cmp f16.st f32.st
check "q8_0 keys: the tokens of f32" cmp q8_0.st f32.st
check "f16 is what is used unless given" cmp own.st f16.st
run 3 gen $model "$f/e2e-tiny/input.wav" kv.wav -q --kv f8
has err "keys and values cannot be kept in 'f8'"
run 3 gen $model "$f/e2e-tiny/input.wav" kv.wav -q --kv q8_0
has err "heads of 16 cannot be kept in Q8_0"
run 0 trace $nano "$MOSHI_EXAMPLES/hello.wav" -o half.st -q --frames :3
run 0 trace $nano "$MOSHI_EXAMPLES/hello.wav" -o whole.st -q --frames :3 \
    --kv f32 --tokens-from half.st
run 0 diff half.st whole.st
has out "keys and values of other types"
has out "f16 | f32"

# Without a tokenizer: numbers, after a warning.
run 0 gen -m tiny "$f/e2e-tiny/input.wav" n.wav --greedy
has err "warning: no tokenizer"
cp .tap/out numbers
check "token numbers are printed" grep -qE '^[0-9]+( [0-9]+)*$' numbers

# A wrong delay is said; the right one is not.
run 0 gen $model "$f/e2e-tiny/input.wav" two.wav -q --acoustic-delay 2
has err "acoustic delay of 2 steps is used, but this model was trained with 1"
check "a delay of 2 speaks one frame less" \
    test "$(wc -c <two.wav)" -eq $((44 + 41 * 3840))
run 0 gen $model "$f/e2e-tiny/input.wav" one.wav -q --acoustic-delay 1
lacks err "delay"

# Room before and after; a limit; float samples.
run 0 gen $model "$f/e2e-tiny/input.wav" long.wav -q --lead-in 0.8 --tail 1.6
check "lead-in and tail are heard too" \
    test "$(wc -c <long.wav)" -eq $((44 + 72 * 3840))
run 0 gen $model "$f/e2e-tiny/input.wav" short.wav -q --max-seconds 0.8
check "--max-seconds stops" test "$(wc -c <short.wav)" -eq $((44 + 9 * 3840))
run 0 gen $model "$f/e2e-tiny/input.wav" silent.wav -q --max-seconds 0.08 \
    --codes silent.st
check "a run too short to speak writes no sound, and its codes" \
    test "$(wc -c <silent.wav)" -eq 44 -a -s silent.st
run 0 gen $model "$f/e2e-tiny/input.wav" float.wav -q --float --greedy
check "--float writes four bytes a sample" \
    test "$(wc -c <float.wav)" -gt $((42 * 7680))

# Reports.
run 0 gen $model "$f/e2e-tiny/input.wav" j.wav --json -q
cp .tap/out report.json
check "--json is one JSON object with the promised fields" python3 -c '
import json, sys
r = json.load(open("report.json"))
assert r["frames"] == 43 and abs(r["seconds_in"] - 3.44) < 1e-9
assert abs(r["seconds_out"] - 3.36) < 1e-9 and r["rss_mb"] > 0
assert r["real_time_factor"] > 0 and isinstance(r["text"], str) and r["text"]
names = [p["name"] for p in r["parts"]]
assert names == ["mimi_encode", "temporal", "depformer", "lm", "mimi_decode",
                 "frame"]
for p in r["parts"]:
    assert p["ms_p50"] <= p["ms_p95"] <= p["ms_p99"] and p["bytes"] > 0
'
run 0 gen $model "$f/e2e-tiny/input.wav" s.wav --stats -q
has err "mimi_encode"
has err "peak memory"

# Standard input and output.
check "- is standard input" sh -c '"$0" gen '"$model"' - x.wav -q --greedy \
    <"$1"' "$MOSHI_BIN" "$f/e2e-tiny/input.wav"
check "the same sound as from the file" cmp out.wav x.wav

check "- is standard output, and the words go elsewhere" sh -c '"$0" gen \
    '"$model"' "$1" - -q --greedy >piped.wav 2>words' "$MOSHI_BIN" \
    "$f/e2e-tiny/input.wav"
check "the words are on standard error" cmp words words.txt
check "the same samples, whatever the header says of their number" \
    python3 -c 'a, b = (open(n, "rb").read()[44:] for n in ("out.wav", "piped.wav"))
assert a == b'
run 2 gen $model "$f/e2e-tiny/input.wav" - --json

# Nobody speaks: said at once, and still run.
python3 - <<'PY'
import random, struct, wave
random.seed(1)
w = wave.open("noise.wav", "wb")
w.setnchannels(1); w.setsampwidth(2); w.setframerate(24000)
w.writeframes(b"".join(struct.pack("<h", int(random.gauss(0, 18)))
                       for _ in range(48000)))
PY
run 0 gen $model noise.wav noise-out.wav -q
has err "seems to hold no speech"
has err "2.0 s"
run 0 gen $model "$MOSHI_EXAMPLES/hello.wav" hello-out.wav -q
lacks err "no speech"

# The codec alone.
codec="--mimi tiny/mimi.safetensors --mimi-config tiny/mimi_config.json"
run 0 codec encode $codec "$f/e2e-tiny/input.wav" heard.st -q
run 0 codec decode $codec heard.st back.wav -q
run 0 codec roundtrip $codec "$f/e2e-tiny/input.wav" round.wav -q
check "a round trip keeps the length" test "$(wc -c <round.wav)" -eq 144044
check "encode and decode are the round trip, filled up to whole frames" \
    python3 -c '
a = open("back.wav", "rb").read()[44:]
b = open("round.wav", "rb").read()[44:]
assert len(a) == 38 * 3840 and a[:len(b)] == b
'
run 0 codec encode -m tiny "$f/e2e-tiny/input.wav" four.st --codebooks 4 -q
check "the first codes do not depend on how many there are" python3 -c '
import json, struct
def read(path):
    raw = open(path, "rb").read()
    n, = struct.unpack("<Q", raw[:8])
    e = json.loads(raw[8:8 + n])["codes"]
    assert e["dtype"] == "I32"
    K, T = e["shape"]
    return K, T, struct.unpack("<%di" % (K * T), raw[8 + n:8 + n + 4 * K * T])
K, T, all8 = read("heard.st")
assert (K, T) == (8, 38)
assert read("four.st") == (4, 38, all8[:4 * T])
'
run 0 codec decode -m tiny heard.st few.wav --codebooks 2 -q
check "decoding with two codebooks sounds different" \
    test "$(cmp back.wav few.wav 2>&1)"
run 2 codec encode out.wav
run 2 codec transmogrify a b
has err "none of encode, decode, roundtrip"
run 3 codec decode $codec heard.st more.wav --codebooks 9
has err "9 codebooks asked for"
run 3 codec decode $codec tiny/model.safetensors no.wav
has err "tensor codes is missing"

# Two seconds of codes with the language model's initial token in them.
python3 - <<'PY'
import json, struct
h = json.dumps({"codes": {"dtype": "I32", "shape": [8, 2],
                          "data_offsets": [0, 64]}}).encode()
open("initial.st", "wb").write(struct.pack("<Q", len(h)) + h +
                               struct.pack("<16i", *([3] * 15 + [2048])))
PY
run 3 codec decode $codec initial.st no.wav
has err "code 2048 in codebook 7, frame 1"
check "nothing was written" test ! -e no.wav
run 2 gen --lm tiny/model.safetensors in.wav out.wav
has err "half a model was named"
run 2 codec encode --lm tiny/model.safetensors in.wav out.st
has err "no codec was named"
run 4 gen $model --device tpu in.wav out.wav
has err "no device 'tpu'"
finish
