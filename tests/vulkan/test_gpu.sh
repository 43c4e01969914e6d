#!/bin/sh
# The GPU from the command line. Goal: `--device` names one, or says in one
# line and with exit status 4 why not; `auto` falls back to the CPU and says
# so; a run gives the CPU's tokens. Method: lavapipe, and a loader in front of
# it that goes wrong on request (fake_loader.c).
. "$(dirname "$0")/../tap.sh"
: "${FAKE_LOADER:?the loader that goes wrong}"
f=$MOSHI_FIXTURES
in=$f/e2e-tiny/input.wav

run 0 synth tiny tiny
"$MOSHI_BIN" devices >list 2>/dev/null
if ! grep -q '^vulkan:0' list; then
    skip "the GPU from the command line" "no Vulkan device here"
    finish
    exit
fi
[ -f "$in" ] || in=tone.wav
if [ ! -f "$in" ]; then
    python3 - "$in" <<'PYTHON'
import math, struct, sys, wave
with wave.open(sys.argv[1], "wb") as w:
    w.setnchannels(1), w.setsampwidth(2), w.setframerate(24000)
    w.writeframes(b"".join(struct.pack("<h", int(9000 * math.sin(t * t / 9e6)))
                           for t in range(24000)))
PYTHON
fi

run 0 devices
has out "vulkan:0"
has out "Vulkan 1."
run 0 devices --json
cp .tap/out devices.json
check "devices --json is JSON" python3 -m json.tool devices.json

# The same tokens, greedy and drawn; several times the same.
run 0 gen -m tiny "$in" a.wav --greedy --codes a.safetensors -q
run 0 gen -m tiny "$in" b.wav --greedy --codes b.safetensors -q --device vulkan
check "greedy: the CPU's tokens" cmp a.safetensors b.safetensors
run 0 gen -m tiny "$in" a.wav --seed 9 --codes a.safetensors -q
run 0 gen -m tiny "$in" b.wav --seed 9 --codes b.safetensors -q \
    --device vulkan:0
check "drawn: the CPU's tokens" cmp a.safetensors b.safetensors
run 0 compare -m tiny "$in" --frames :3 --a device=cpu --b device=vulkan
has out "agree"
run 0 codec roundtrip "$in" c.wav --mimi tiny/mimi.safetensors \
    --mimi-config tiny/mimi_config.json --device vulkan
has err "computing on vulkan"
# Whatever the CPU keeps small, the GPU keeps so, too.
nano=$f/../../models/nano
for kv in f32 q8_0; do
    run 0 compare -m "$nano" "$in" --frames :2 --a device=cpu,kv=$kv \
        --b device=vulkan,kv=$kv
    has out " 0 different"
done
for type in bf16 q8_0; do
    run 0 compare -m "$nano" "$in" --frames :2 --codec-weights $type \
        --a device=cpu --b device=vulkan
    has out " 0 different"
done

# Its exit status says whether a software device is fast enough, too.
"$MOSHI_BIN" doctor tiny --quick --device vulkan >doctor.txt 2>&1
check "doctor compares the GPU" \
    grep -q "^ok  *device: GPU 0 .* apart, in" doctor.txt

# Layers that stay on the CPU.
for n in 0 1 2; do
    run 0 gen -m tiny "$in" b.wav --seed 9 --codes b.safetensors \
        --device vulkan --gpu-layers $n
    has err "$n of 3 layers there, $((3 - n)) on the CPU"
    check "$n layers on the GPU: the CPU's tokens" cmp a.safetensors \
        b.safetensors
done
run 0 compare -m tiny "$in" --frames :3 --a device=cpu \
    --b device=vulkan,gpu-layers=1
has out "agree"
run 3 gen -m tiny "$in" no.wav --device vulkan --gpu-layers few
has err "expected a number of layers, or auto"

# What is not there.
run 4 gen -m tiny "$in" no.wav --device vulkan:7
has err "there is no device vulkan:7"
has err "moshi devices"
run 2 quantize tiny/model.safetensors q.gguf --type q8_0 --device vulkan
has err "unknown option '--device'"
MOSHI_VULKAN_LACKS=everything
export MOSHI_VULKAN_LACKS
run 4 gen -m tiny "$in" no.wav --device vulkan
has err "lacks everything, as asked for"
unset MOSHI_VULKAN_LACKS

# A Vulkan that goes wrong.
MOSHI_VULKAN_LIBRARY=$work/none.so
export MOSHI_VULKAN_LIBRARY
run 4 gen -m tiny "$in" no.wav --device vulkan
has err "there is no Vulkan here"
has err "hint: install the driver"
run 0 gen -m tiny "$in" yes.wav --greedy --device auto
has err "computing on the CPU: there is no Vulkan here"
run 0 devices
has err "no GPU: there is no Vulkan here"
MOSHI_VULKAN_LIBRARY=$FAKE_LOADER
export MOSHI_VULKAN_LIBRARY FAKE_VULKAN
FAKE_VULKAN=crash
run 4 gen -m tiny "$in" no.wav --device vulkan -q
has err "driver crashed when it was started (Segmentation fault)"
lines err 2
run 0 gen -m tiny "$in" yes.wav --greedy --device auto
has err "computing on the CPU: a Vulkan driver crashed"
run 0 devices
FAKE_VULKAN=hide
run 4 gen -m tiny "$in" no.wav --device vulkan
has err "no device that it can use"
FAKE_VULKAN=old
run 4 gen -m tiny "$in" no.wav --device vulkan
has err "lacks Vulkan 1.1 (it has 1.0)"
FAKE_VULKAN=discrete+old
run 0 gen -m tiny "$in" yes.wav --greedy --device auto
has err "computing on the CPU: Vulkan finds no GPU that can be used"
FAKE_VULKAN=discrete
run 0 gen -m tiny "$in" yes.wav --greedy --device auto
has err "computing on vulkan"
FAKE_VULKAN=discrete+heap=105
run 0 gen -m "$nano" "$in" yes.wav --greedy --device auto --max-seconds 1
has err "of 6 layers there"
FAKE_VULKAN=discrete+heap=80
run 0 gen -m "$nano" "$in" yes.wav --greedy --device auto --max-seconds 1
has err "computing on the CPU: vulkan: llvmpipe"
has err "even without its layers"
FAKE_VULKAN=memory=17
run 4 gen -m tiny "$in" no.wav --device vulkan
has err "has no room for"
has err "--device cpu"
FAKE_VULKAN=lost=1
run 4 gen -m tiny "$in" no.wav --device vulkan
has err "was lost while"
FAKE_VULKAN=lost=300
run 4 gen -m tiny "$in" no.wav --device vulkan
has err "was lost while running a frame (VK_ERROR_DEVICE_LOST)"
check "a failed run leaves no file" test ! -e no.wav
for n in 500 700; do
    FAKE_VULKAN=lost=$n
    run 4 bench --preset tiny --frames 200 --device vulkan -q
    has err "was lost while running a frame (VK_ERROR_DEVICE_LOST)"
    lines err 2
    lines out 0
done
FAKE_VULKAN=lost=400
run 4 chat -m tiny --in "$in" --out no.wav --speed 50 --device vulkan -q
has err "was lost while"
finish
