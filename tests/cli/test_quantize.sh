#!/bin/sh
# moshi quantize. Goal: the command's options, messages and limits; that what
# it writes runs; that its memory does not grow with the model. Method: the
# tiny models, nano, and a model with tables of 64 MB whose weights are a hole
# in a file.
. "$(dirname "$0")/../tap.sh"
f=$MOSHI_FIXTURES
nano=$f/../../models/nano

# Wrong usage.
run 2 quantize "$f/lm-moshi-tiny/model.q8.gguf" out.gguf
has err "no type was named"
run 2 quantize "$f/lm-moshi-tiny/model.q8.gguf" out.gguf --type q3_k
has err "'q3_k' is not one of q8_0"
run 2 quantize "$f/lm-moshi-tiny/model.q8.gguf" --type q8_0
run 2 quantize "$f/lm-moshi-tiny/model.q8.gguf" out.gguf --type q8_0 \
    --gpu-layers 2
has err "unknown option '--gpu-layers'"
run 2 quantize "$f/lm-moshi-tiny/model.q8.gguf" - --type q8_0 --report
has err "standard output"
run 2 quantize "$f/lm-moshi-tiny/model.q8.gguf" /dev/stdout --type q8_0 --report
has err "standard output"

# A folder, or the file in it; the tensors of the official file; notes.
run 0 synth tiny tiny
run 0 quantize tiny a.gguf --type q8_0
has err "in candle layout"
has err "keep tiny/config.json beside it"
run 0 quantize tiny/model.safetensors b.gguf --type Q8_0 --threads 3 -q
lines err 0
lines out 0
check "the same bytes for any number of threads" cmp a.gguf b.gguf
run 0 quantize tiny - --type q8_0 -q
cp .tap/out piped
check "standard output takes the file too" cmp piped a.gguf
run 0 inspect a.gguf --config tiny/config.json
has out "GGUF, layout candle"

# The report: one line a tensor, in the order of the file.
run 0 quantize tiny c.gguf --type q4_k --report
lines out 158
has out "transformer.layers.0.self_attn.in_proj_weight"
has out "F32 -> Q4_0"
has out "other type"
has err "matrices have rows that Q4_K cannot take"
cp .tap/out report
check "the errors are those of four bits" python3 -c '
rms = [float(l.split()[4]) for l in open("report").read().splitlines()[1:]]
assert len(rms) == 157 and 0.05 < max(rms) < 0.12, max(rms)'

# What is written speaks, in every type; nano has rows of 256 and of 704.
for type in q8_0 q6_k q5_k q4_k q4_0 bf16 f16; do
    run 0 quantize "$nano/model.q8.gguf" "$type.gguf" --type $type -q
    run 0 gen -m "$nano" --lm $type.gguf "$f/e2e-tiny/input.wav" $type.wav -q \
        --greedy
done
run 0 gen -m "$nano" "$f/e2e-tiny/input.wav" own.wav -q --greedy
check "Q8_0 of Q8_0 says the same" cmp own.wav q8_0.wav

# Files that cannot be read or written.
run 3 quantize nothing.gguf out.gguf --type q8_0
has err "no such model"
run 3 quantize tiny /nowhere/out.gguf --type q8_0
run 3 quantize tiny/mimi.safetensors out.gguf --type q8_0
has err "a Mimi codec, not a language model"
has err "--codec-weights"
cp a.gguf tiny/copy.gguf
run 2 quantize tiny/copy.gguf tiny/copy.gguf --type q4_0
has err "is the file that is read"
check "it was left alone" cmp a.gguf tiny/copy.gguf
check "and nothing lies beside it" test "$(ls tiny | wc -l)" -eq 5

for part in config.json mimi.safetensors; do
    cp "tiny/$part" kept
    run 2 quantize tiny "tiny/$part" --type q4_0
    has err "'tiny/$part' is a part of the model"
    check "$part was left alone" cmp kept "tiny/$part"
done

# Memory: three tables of 32 to 64 MB, which are never in memory as a whole.
check "a model with large tables is made" python3 - <<'PY'
import json, os, struct, subprocess
source = open("tiny/model.safetensors", "rb").read()
n, = struct.unpack("<Q", source[:8])
header = json.loads(source[8:8 + n])
header.pop("__metadata__", None)
rows, at = 262144, 0
for name, t in header.items():
    size = t["data_offsets"][1] - t["data_offsets"][0]
    if name in ("text_emb.weight", "depformer.0.emb.weight"):
        t["shape"][0] = rows + 1
        size = (rows + 1) * t["shape"][1] * 4
    if name == "text_linear.weight":
        t["shape"][0] = rows
        size = rows * t["shape"][1] * 4
    t["data_offsets"] = [at, at + size]
    at += size
text = json.dumps(header).encode()
text += b" " * (-len(text) % 8)
os.mkdir("large")
with open("large/model.safetensors", "wb") as out:
    out.write(struct.pack("<Q", len(text)) + text)
    out.truncate(8 + len(text) + at)
config = json.load(open("tiny/config.json"))
config["text_card"] = rows
json.dump(config, open("large/config.json", "w"))
PY
if [ -n "${MOSHI_SANITIZED:-}" ]; then
    skip "memory stays small" "the sanitizer's own memory would be counted"
else
    check "160 MB of weights take less than 40 MB of memory" \
        python3 - "$MOSHI_BIN" <<'PY'
import resource, subprocess, sys
subprocess.run([sys.argv[1], "quantize", "large", "large.gguf", "--type",
                "q4_k", "--threads", "2", "-q"], check=True)
most = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
print(most, "KB")
assert most < 40000, most
PY
fi

# A disk that is full: an error, and no file.
check "a full disk is an error and leaves nothing" sh -c \
    '"$0" quantize tiny /dev/full --type q8_0; test $? -eq 3' "$MOSHI_BIN"

# Too large a file is refused before the work. (ulimit counts 512 bytes.)
check "more than a file may have is refused at once" sh -c \
    'ulimit -f 400; "$0" quantize large over.gguf --type q4_k 2>err
     test $? -eq 3 && grep -q "files here may have 0.20 MB" err' "$MOSHI_BIN"
if unshare -rm true 2>/dev/null; then
    mkdir small
    check "a disk without room is an error before the work" unshare -rm sh -c \
        'mount -t tmpfs -o size=1m none small || exit 1
         "$0" quantize large small/a.gguf --type q4_k 2>err
         test $? -eq 3 && grep -q "its disk has 1.05 MB left" err &&
             test -z "$(ls small)"' "$MOSHI_BIN"
else
    skip "a disk without room is an error before the work" "no small disk"
fi

# Interrupted in the middle: nothing is left.
cat >interrupt.py <<'PY'
import os, signal, subprocess, sys, time
try:
    os.close(os.open(".", os.O_TMPFILE | os.O_WRONLY))
except OSError:
    sys.exit(0) # this file system has no files without a name
before = sorted(os.listdir("."))
for attempt in range(5):
    p = subprocess.Popen([sys.argv[1], "quantize", "large", "half.gguf", "-q",
                          "--type", "q5_k", "--threads", "1"])
    written = 0
    while p.poll() is None and written < 1000000:
        with open(f"/proc/{p.pid}/io") as io:
            written = int(dict(l.split(":") for l in io)["wchar"])
    p.send_signal(signal.SIGINT)
    if p.wait() == -signal.SIGINT:
        left = sorted(os.listdir("."))
        assert left == before, set(left) - set(before)
        sys.exit(0)
    os.unlink("half.gguf") # it was faster
sys.exit("never interrupted")
PY
check "an interrupted run leaves no half file" python3 interrupt.py "$MOSHI_BIN"
finish
