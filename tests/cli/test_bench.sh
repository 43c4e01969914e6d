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
run 2 bench --preset tinny
has err "did you mean 'tiny'?"
run 2 bench --preset tiny-q3_k
run 2 bench --preset mimi-q8_0
run 3 bench nowhere
run 0 synth tiny tiny

# Nothing that was asked for is passed over.
for option in --config --tokenizer --mimi-config; do
    run 2 bench --preset tiny $option tiny/config.json
    has err "$option has no meaning here: a preset has no files"
done
run 2 bench --preset mimi --kv q8_0
has err "--kv has no meaning here"
run 2 bench --preset mimi --exact-activations
run 2 bench --mimi tiny/mimi.safetensors --kv f16
has err "--mimi names a codec alone"
run 2 bench --mimi tiny/mimi.safetensors --config tiny/config.json

# For people.
run 0 bench tiny --frames 8 --threads 2 -q
lines err 0
has out "8 frames, 2 threads, 1 lane"
has out "mimi_encode"
has out "temporal"
has out "In time: the slowest of 8 frames took"
lacks out "kind of operation"
run 0 bench tiny --frames 60 --threads 2 -q
has out "In time: 99 of 100 frames take"
run 0 bench --preset tiny --frames 8 --profile --lanes 1,2
has out "kind of operation"
has out "LINEAR"
has out "transformer.layers.2"
has out "depformer.7"
has out "against one lane"
lacks out "1 frames,"
run 0 bench --preset tiny --frames 1 --lanes 3,2
has out "1 frame, "
has out "ime with 3 lanes: the only frame took"
lacks out "against one lane"
run 0 bench --preset tiny --frames 4 --lanes 2,1
cp .tap/out said
check "one lane is compared with, wherever it stands" \
    grep -qE "^1 +[0-9.]+ +[0-9.]+ +1.00x" said
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

# More threads than there is memory for: 8 MB of stack each.
if [ -n "${MOSHI_SANITIZED:-}" ]; then
    skip "threads that cannot be started" "sanitizers map much more"
else
    check "threads that cannot be started" sh -c \
        'ulimit -s 8192; ulimit -v 1000000
         "$0" bench --preset tiny --threads 256 2>err
         test $? -eq 4 && grep -q "start thread.*: Res" err && grep -q fewer err' \
        "$MOSHI_BIN"
fi

# Caches that do not fit are refused before the weights are made: 1.9 GB, which
# would be resident. With 3 GB of address space nothing of 25 GB fits.
if [ -n "${MOSHI_SANITIZED:-}" ]; then
    skip "caches are looked at before the weights" "sanitizers map much more"
else
    cat >caches.py <<'PY'
import resource, subprocess, sys
limit = 3 << 30
p = subprocess.run([sys.argv[1], "bench", "--preset", "hibiki-1b-q8", "-q",
                    "--lanes", "1,64", "--steps-cached", "3000", "--threads",
                    "1", "--frames", "1"], capture_output=True, text=True,
                   preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS,
                                                         (limit, limit)))
most = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
print(p.stdout, p.stderr, most, "KB")
assert p.returncode == 4, p.returncode
assert "the caches of 64 streams take" in p.stderr
assert "the weights 1.9 GB" in p.stderr
assert most < 1200000, most
PY
    check "caches are looked at before the weights" \
        python3 caches.py "$MOSHI_BIN"
fi
finish
