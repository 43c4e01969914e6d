#!/bin/sh
# moshi doctor: nothing to find in clean models, and in sick copies of them the
# class of what is wrong, by the check that is meant to find it.
. "$(dirname "$0")/../tap.sh"
f=$MOSHI_FIXTURES
here=$(dirname "$0")
check "sick models are made" python3 "$here/make_sick_models.py" "$f" sick
clean=$f/lm-moshi-tiny

# fresh: the four parts, clean ones; examine STATUS ARG...: look at them. One
# thread is enough for models this small.
fresh() {
    lm=$clean/model.candle.safetensors
    config=$clean/config.json
    mimi=$f/mimi-tiny/model.safetensors
    tokenizer=$f/text/tiny96.model
}
examine() {
    wanted=$1
    shift
    run "$wanted" doctor --lm "$lm" --config "$config" --mimi "$mimi" \
        --mimi-config "$f/mimi-tiny/config.json" --tokenizer "$tokenizer" -q \
        --threads 1 "$@"
}

# Clean: no fault, whatever the layout and the type.
for name in candle.safetensors pytorch.safetensors candle.bf16.safetensors \
    q8.gguf; do
    fresh
    lm=$clean/model.$name
    examine 0 --json
    lines err 0
    cp .tap/out report.json
    check "model.$name has no fault, and nothing is left out" python3 -c '
import json
r = json.load(open("report.json"))
assert r["verdict"] == "ok" and r["line"], r["line"]
names = set()
for c in r["checks"]:
    assert c["status"] in ("ok", "skipped") or c["class"] == "speed", c
    assert c["class"] and c["found"] and "/" + "tests" not in c["found"], c
    names.add(c["name"])
    if c["status"] == "skipped":
        assert c["name"] in ("device: GPU", "likelihood: reference",
                             "reference: trace",
                             "device: kernels", "published: codec",
                             "published: tokenizer",
                             "published: language model"), c
for name in ("file: language model", "file: missing tensors",
             "language model: scale of rows", "codec: NaN and infinity",
             "config: fits the tensors", "config: delays", "tokenizer",
             "codec: streaming equals whole", "codec: lanes", "codec: reset",
             "timeline: round trip", "model: start state", "model: reset",
             "model: caches", "model: two conversations",
             "model: attention window", "codec: window of encoder",
             "input: a sound file", "speed: a frame"):
    assert name in names, name
'
done
for name in hibiki stt tts; do
    run 0 doctor --lm "$f"/lm-$name-tiny/model*.safetensors \
        --config "$f/lm-$name-tiny/config.json" \
        --mimi "$f/mimi-tiny/model.safetensors" \
        --mimi-config "$f/mimi-tiny/config.json" -q --threads 1
    has out "verdict: ok"
done
run 0 synth tiny tiny
run 0 doctor tiny --quick --threads 1
has out "skipped  values of the weights"
has out "moshi 0"

# sick CLASS CHECK: exit status 1, this verdict, by this check.
sick() {
    examine 1
    has out "verdict: $1 - $2"
}
while read -r file class name; do
    fresh
    lm=sick/$file
    sick "$class" "$name"
done <<'LIST'
flip_name.st    file file: missing tensors: 1 missing, first emb.7.weight
flip_layer.st   file file: missing tensors
flip_offset.st  file file: language model
flip_length.st  file file: language model
truncated.st    file file: language model
missing.st      file file: missing tensors
renamed.st      file file: missing tensors
nan.st          file language model: NaN and infinity
zero.st         file language model: zero tensors
zero_norm.st    file language model: zero tensors
constant.st     file language model: constant tensors
scale.gguf      file language model: scale of rows: 1 tensor, first transformer.layers.1.gating.linear_in.weight: row 17
scale_emb.gguf  file language model: scale of rows: 1 tensor, first text_emb.weight: row 40
LIST
while read -r file class name; do
    fresh
    config=sick/$file
    sick "$class" "$name"
done <<'LIST'
other_model.json  config config: fits the tensors
vocabulary.json   config config: fits the tensors
delay_count.json  config config: fits the tensors
conditioners.json config config: fits the tensors
broken.json       config config: file
hot.json          sampling config: sampling
LIST
fresh
config=sick/other_model.json
examine 1
has out "this is the config of stt-1b"
fresh
mimi=sick/zero_mimi.st
sick file "codec: zero tensors"
fresh
mimi=$clean/model.candle.safetensors
sick config "config: codebooks"
fresh
tokenizer=$f/text/tiny120.model
sick config "tokenizer: tiny120.model: 120 pieces"
fresh
tokenizer=$clean/config.json
sick file "tokenizer"

# Odd, and no fault.
fresh
lm=sick/extra.st
examine 0
has out "warning  file: unexpected tensors"
fresh
config=sick/odd_delays.json
examine 0
has out "an acoustic codebook comes before the semantic one"

# A file that bears a published name and is another.
mkdir named
cp "$f/mimi-tiny/model.safetensors" \
    named/tokenizer-e351c8d8-checkpoint125.safetensors
fresh
mimi=named/tokenizer-e351c8d8-checkpoint125.safetensors
sick file "published: codec"

# The likelihood of a conversation: the model's own, so that it is likely.
check "a model with its reference" sh -e -c '
    mkdir whole
    cp "$1/lm-moshi-tiny/model.candle.safetensors" whole/model.safetensors
    cp "$1/mimi-tiny/model.safetensors" whole/mimi.safetensors
    cp "$1/mimi-tiny/config.json" whole/mimi_config.json
    cp "$1/text/tiny96.model" whole/tokenizer.model' sh "$f"
python3 - "$clean/config.json" <<'PY'
import json, sys
c = json.load(open(sys.argv[1]))
c["mimi_config_name"] = "mimi_config.json"
json.dump(c, open("whole/config.json", "w"))
c["delays"] = [0] + ([0] + [2] * 7) * 2
json.dump(c, open("delay2.json", "w"))
PY
run 0 gen -m whole "$f/e2e-tiny/input.wav" said.wav --greedy -q --codes said.st
python3 - <<'PY'
import json, random, struct
raw = open("said.st", "rb").read()
n, = struct.unpack("<Q", raw[:8])
head = json.loads(raw[8:8 + n])

def rows(name):
    e = head[name]
    a, b = e["data_offsets"]
    v = struct.unpack("<%di" % ((b - a) // 4), raw[8 + n + a:8 + n + b])
    T = e["shape"][-1]
    return [v[i:i + T] for i in range(0, len(v), T)]

def save(path, order):
    tables = {"text": rows("text_tokens"), "own": rows("codes_out"),
              "user": rows("codes_in")}
    out, data = {}, b""
    for name, table in tables.items():
        d = b"".join(struct.pack("<%di" % len(order), *(r[f] for f in order))
                     for r in table)
        shape = [len(order)] if name == "text" else [len(table), len(order)]
        out[name] = {"dtype": "I32", "shape": shape,
                     "data_offsets": [len(data), len(data) + len(d)]}
        data += d
    text = json.dumps(out).encode()
    text += b" " * (-len(text) % 8)
    open(path, "wb").write(struct.pack("<Q", len(text)) + text + data)

T = len(rows("codes_out")[0])
order = list(range(T))
save("whole/reference.safetensors", order)
random.Random(1).shuffle(order)
save("shuffled.st", order)
PY
run 0 doctor whole -q --threads 1
has out "ok       likelihood: delay"
has out "ok       likelihood: reference"
run 1 doctor whole --config delay2.json -q --threads 1
has out "verdict: timeline - likelihood: delay: an acoustic delay of 1 is"
cp shuffled.st whole/reference.safetensors
run 1 doctor whole -q --threads 1
has out "verdict: model code - likelihood: reference"
head -c 100 shuffled.st >whole/reference.safetensors
run 0 doctor whole -q --threads 1
has out "warning  likelihood: reference"

# The names of folders stay at home; nothing is written.
lacks out "$PWD"
check "nothing but the folders of this test" test -z "$(ls whole/*.tmp* \
    2>/dev/null)"

# Not there at all: bad input, not a verdict.
run 3 doctor nowhere
has err "no such model: 'nowhere'"
run 2 doctor --lm whole/model.safetensors
has err "half a model was named"
run 2 doctor whole -m tiny
has err "named twice"
finish
