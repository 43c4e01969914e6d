#!/bin/sh
# moshi bench. Goal: options, messages and the fields of --json, for files and
# for random weights. Method: small models; what is measured is only held to
# what must be true of any machine.
. "$(dirname "$0")/../tap.sh"
here=$(cd "$(dirname "$0")" && pwd)
f=$MOSHI_FIXTURES
nano=$f/../../models/nano

run 2 bench --lanes 0
run 2 bench --lanes 1,x
has err "--lanes takes numbers"
run 2 bench --lanes 1, --preset tiny
run 2 bench "$nano" --preset tiny
has err "both named"
run 2 bench "$nano" -m "$nano"
run 2 bench --lm x.gguf
has err "half a model"
run 2 bench --preset nothing
has err "there is no preset 'nothing'"
run 2 bench --preset tiny-q3_k
run 2 bench --preset mimi-q8_0
run 3 bench nowhere
run 0 synth tiny tiny

# For people.
run 0 bench tiny --frames 8 --threads 2 -q
lines err 0
has out "8 frames, 2 threads, 1 lane"
has out "mimi_encode"
has out "temporal"
has out "In time"
lacks out "kind of operation"
run 0 bench --preset tiny --frames 8 --profile --lanes 1,2
has out "kind of operation"
has out "LINEAR"
has out "transformer.layers.2"
has out "depformer.7"
has out "against one lane"
run 0 bench --mimi tiny/mimi.safetensors --mimi-config tiny/mimi_config.json \
    --frames 8
lacks out "temporal"

# --json: cli.md's fields, and figures that fit each other.
run 0 bench --preset tiny --frames 12 --threads 1 --json
cp .tap/out json
check "the fields of --json" python3 "$here/check_bench.py" json 1 1 12 0
run 0 bench --preset tiny-q8_0 --frames 12 --threads 2 --json --profile \
    --lanes 2,1
cp .tap/out json
check "with lanes and a profile" python3 "$here/check_bench.py" json 2 2 \
    12 0
run 0 bench --preset tiny-q4_0 --frames 9 --threads 1 --json \
    --steps-cached 40
cp .tap/out json
check "with a full cache" python3 "$here/check_bench.py" json 1 1 9 40
run 0 bench --preset mimi --frames 5 --threads 1 --json
cp .tap/out json
check "a codec alone" python3 "$here/check_bench.py" json 1 1 5 0 codec
run 0 bench --frames 5 --json
has out '"model"'

# Every type of the small model, and more memory than there is.
for type in f32 f16 bf16 q4_k q5_k q6_k; do
    run 0 bench --preset tiny-$type --frames 2 --threads 1 -q
done
if [ "$(awk '/MemAvailable/ { print $2 }' /proc/meminfo)" -lt 31000000 ]; then
    run 4 bench --preset moshi-7b-f32 --frames 1 -q
    has err "of memory and this machine has"
else
    skip "a model that is too large is refused" "this machine could hold it"
fi
finish
