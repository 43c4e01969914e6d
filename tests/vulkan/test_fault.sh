#!/bin/sh
# Goal: `moshi compare` names the very operation whose shader is wrong, and
# doctor finds it too. Method: the program built with a fault in one shader
# (silu_gate: one element of each output is off by 0.5).
. "$(dirname "$0")/../tap.sh"
in=$MOSHI_FIXTURES/e2e-tiny/input.wav
run 0 synth tiny tiny
if ! "$MOSHI_BIN" devices 2>/dev/null | grep -q '^vulkan:0'; then
    skip "a faulty shader is named" "no Vulkan device here"
    finish
    exit
fi
run 0 compare -m tiny "$in" --frames :2 --a device=cpu --b device=vulkan
MOSHI_BIN=$MOSHI_GPU_FAULT
run 0 compare -m tiny "$in" --frames :2 --a device=cpu --b device=cpu
run 1 compare -m tiny "$in" --frames :2 --a device=cpu --b device=vulkan
has out "first difference: transformer.layers.0.gating.activation, frame 0"
run 1 doctor tiny --quick --device vulkan
has out "first off is transformer.layers.1.gating.activation"
finish
