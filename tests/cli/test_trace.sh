#!/bin/sh
# trace, diff and compare on the tiny model: what they record and say, what
# they refuse, and that nothing is left behind.
. "$(dirname "$0")/../tap.sh"
f=$MOSHI_FIXTURES
here=$(dirname "$0")
in=$f/e2e-tiny/input.wav

run 0 synth tiny tiny
model="-m tiny -q"

# A trace holds the tokens of the same run of gen, and what the run was.
run 0 trace $model "$in" --out a.st --seed 7
lines out 0
run 0 gen $model "$in" gen.wav --seed 7 --codes gen.st
check "tokens as gen's, manifest, frames" python3 "$here/check_trace.py" \
    a.st gen.st tiny/model.safetensors

# Only some names, only some frames.
run 0 trace $model "$in" -o b.st --seed 7 --frames 3:5 \
    --match 'transformer.layers.?' --match text_linear
check "four operations in two frames" python3 -c '
import json, struct
raw = open("b.st", "rb").read()
n, = struct.unpack("<Q", raw[:8])
h = json.loads(raw[8:8 + n])
del h["__metadata__"]
ops = [k for k in h if len(h[k]["shape"]) == 3]
assert ops == ["transformer.layers.%d" % i for i in range(3)] + \
    ["text_linear"], ops
assert h["text_linear"]["shape"] == [2, 1, 96]
assert h["text_tokens"]["shape"] == [43]
'
run 0 diff a.st b.st
has out "4 operations compared in 2 frames, 3 to 4"
has out "agree within the tolerance"
run 0 trace $model "$in" -o c.st --frames :1 --match out_norm
run 0 trace $model "$in" -o c.st --frames 42: --match out_norm
run 3 trace $model "$in" -o c2.st --frames 43
has err "frames 43 to 44 were asked for; the run has frames 0 to 43"
run 3 trace $model "$in" -o c2.st --match 'nothing*'
has err "matches 'nothing*'"
check "no file was made" test ! -e c2.st

# The same run again: no effect. Another seed: said to be that.
run 0 trace $model "$in" -o same.st --seed 7 --threads 1
run 0 diff a.st same.st
has out "byte-identical: the change had no effect"
run 0 trace $model "$in" -o other.st --seed 8
run 1 diff a.st other.st
has out ".sample, frame"
has out "the runs differ"
run 1 diff --json a.st other.st
cp .tap/out answer.json
check "--json holds what is promised" python3 -c '
import json
d = json.load(open("answer.json"))
assert d["equal"] is False and d["identical"] is False
assert d["tolerance"] == 1e-4
assert d["first"]["op"].endswith(".sample") and d["first"]["error"] == 1
assert isinstance(d["first"]["frame"], int)
assert len(d["layers"]) > 300
assert all(set(r) >= {"op", "max_error"} for r in d["layers"])
t = d["tokens"]
assert t["compared"] == 17 * 43 and t["different"] > 0
assert t["first_frame"] == d["first"]["frame"]
'
run 0 diff --json a.st same.st
has out '"identical": true'
has out '"first": null'
has out '"first_frame": null'

# Teacher-forced: seeds make no difference any more.
run 0 trace $model "$in" -o forced.st --seed 8 --tokens-from a.st
run 0 diff a.st forced.st
has out "byte-identical"
run 0 trace $model "$in" -o forced.st --seed 8 --tokens-from gen.st
run 0 diff a.st forced.st
has out "byte-identical"

# The codec alone.
run 0 trace --codec --mimi tiny/mimi.safetensors --mimi-config \
    tiny/mimi_config.json "$in" -o codec.st -q
run 1 diff a.st codec.st
has out "first difference: mimi.decoder.codes, frame 0"
run 0 trace --codec $model "$in" -o codec2.st --tokens-from a.st
run 1 diff codec.st codec2.st
has out "first difference: mimi.decoder.codes, frame 0"

# compare: settings that change nothing, little, and something.
run 0 compare $model "$in" --a threads=1 --b threads=2
has out "byte-identical"
run 0 compare $model "$in" --a isa=ref --b ""
run 0 compare "$in" -q --a model=tiny --b model=tiny,isa=ref --json --frames :3
has out '"equal": true'
run 0 compare $model "$in" --codec --a threads=1 --b threads=2
has out "byte-identical"
run 1 compare $model "$in" --a "" --b acoustic-delay=2
has out "config       delays"
has out "first difference: mimi.decoder.codes, frame 1"
fixtures="--lm $f/lm-moshi-tiny/model.candle.safetensors \
--config $f/lm-moshi-tiny/config.json --mimi $f/mimi-tiny/model.safetensors \
--mimi-config $f/mimi-tiny/config.json"
run 0 compare $fixtures "$in" -q --a "" --b \
    "lm=$f/lm-moshi-tiny/model.pytorch.safetensors"
run 0 compare $fixtures "$in" -q --a "" --b \
    "lm=$f/lm-moshi-tiny/model.q8.gguf"
has out "tolerance 0.1 of each one's peak (weights of other types)"
run 1 compare $fixtures "$in" -q --a "" --b \
    "lm=$f/lm-moshi-tiny/model.q8.gguf" --tolerance 1e-3
has out "first difference: text_emb, frame 0"

# One weight of one layer another: that operation is named.
python3 "$here/make_bad_traces.py" weight tiny/model.safetensors bent.st \
    transformer.layers.1.self_attn.out_proj.weight
run 1 compare $model "$in" --a "" --b lm=bent.st
has out "first difference: transformer.layers.1.self_attn.out_proj, frame 0"

# Nothing is left, whatever happens.
mkdir temporary
TMPDIR=$PWD/temporary
export TMPDIR
run 0 compare $model "$in" --a "" --b "" --frames :2
run 3 compare $model nowhere.wav --a "" --b ""
run 3 compare "$in" -q --a model=tiny --b model=nowhere
check "temporary files are gone" test -z "$(ls temporary)"
TMPDIR=$PWD/no-such-folder
run 3 compare $model "$in" --a "" --b ""
has err "cannot write into"
has err "hint: set TMPDIR"
unset TMPDIR

# Wrong usage.
run 2 trace $model "$in"
has err "give --out"
run 2 trace "$in" -o x.st --lm x.gguf
has err "half a model was named"
run 2 trace $model "$in" -o x.st --frames 5:5
has err "no range of frames"
run 2 diff a.st
run 2 compare $model "$in" --a threads=1
has err "give --b"
run 2 compare $model "$in" --a threads=1 --b colour=blue
has err "there is no setting 'colour'"
run 2 compare $model "$in" --a threads --b threads=1
has err "NAME=VALUE"
run 2 compare $model "$in" --a threads=0 --b ""
has err "expected 1 to 256"
run 2 compare "$in" --a lm=x.gguf --b threads=2
has err "half a model was named for --a"
run 4 compare $model "$in" --a "" --b device=tpu
has err "no device 'tpu'"

# Bad traces: one line that says what is wrong, exit status 3.
python3 "$here/make_bad_traces.py" traces a.st bad
refuse() {
    run 3 diff a.st "bad/$1.st"
    has err "$2"
    lines out 0
}
refuse truncated "the file ends at"
refuse rows "frames, rows, width]"
refuse twice "do not ascend"
refuse huge "larger than that of any trace"
refuse nothing "no operation is in both traces"
refuse later "no frame is in both traces"
run 3 diff a.st nowhere.st
has err "nowhere.st"
run 3 diff a.st "$in"
run 3 diff a.st tiny/model.safetensors
has err "a file made by 'moshi trace' is expected"
run 3 diff a.st "$f/lm-moshi-tiny/model.q8.gguf"
run 3 trace $model "$in" -o x.st --tokens-from tiny/model.safetensors
has err "tensor text_tokens is missing"
run 3 trace $model "$in" -o x.st --tokens-from bad/tokens.st
has err "holds 4096 in row 1, step 0"
check "no trace was made" test ! -e x.st

# Numbers that are none; names that are missing; shapes that differ.
run 1 diff a.st bad/nan.st
has out "numbers that are not finite begin in encoder.model.0: 0 in A, 5 in B"
has out "first difference: encoder.model.0, frame 2: error inf"
run 0 diff bad/nan.st bad/nan.st
run 0 diff a.st bad/missing.st
has out "1 operations are only in A, out_norm the first"
run 1 diff a.st bad/turned.st
has out "the shapes differ"

# Memory: a gigabyte of trace is held against another in much less.
check "a large trace takes little memory" python3 \
    "$here/make_bad_traces.py" memory "$MOSHI_BIN"
finish
