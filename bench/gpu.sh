#!/usr/bin/env bash
# gpu.sh: the whole table of a GPU in one command, in under eight minutes:
# 7B in Q8_0 and bf16 with random weights, 1, 8 and 32 lanes; the share of the
# device's copy bandwidth, measured in the same run; p99 against the 80 ms of a
# frame; and nano on both the CPU and the GPU, compared.
#
# usage: bench/gpu.sh [MOSHI]     the program; build/src/cli/moshi unless given
#   DEVICE=vulkan      which GPU
#   PRESETS="moshi-7b-q8 moshi-7b"   LANES=1,8,32   FRAMES=60
# A check on any machine: PRESETS=tiny LANES=1,2 FRAMES=4 bench/gpu.sh
set -u
cd "$(dirname "$0")/.." || exit 1
moshi=${1:-build/src/cli/moshi}
device=${DEVICE:-vulkan}
presets=${PRESETS:-moshi-7b-q8 moshi-7b}
lanes=${LANES:-1,8,32}
frames=${FRAMES:-60}
seconds_max=${SECONDS_MAX:-450}
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
failed=0

# Never more than what is left of the eight minutes.
limited() {
    left=$((seconds_max - SECONDS))
    if [ "$left" -lt 10 ]; then
        echo "# no time left for: $*"
        return 1
    fi
    timeout "$left" "$@"
}

"$moshi" devices || exit $?
for preset in $presets; do
    echo
    echo "# moshi bench --preset $preset --device $device --lanes $lanes" \
        "--frames $frames"
    if ! limited "$moshi" bench --preset "$preset" --device "$device" \
        --lanes "$lanes" --frames "$frames" --json -q >"$work/bench.json" \
        2>"$work/err"; then
        sed 's/^/# /' "$work/err"
        failed=1
        continue
    fi
    python3 - "$work/bench.json" <<'PYTHON' || failed=1
import json, sys

report = json.load(open(sys.argv[1], encoding="utf-8"))
names = ("mimi_encode", "temporal", "depformer", "mimi_decode", "frame")
print(f"{'lanes':>5} {'part':12} {'p50 ms':>8} {'p99 ms':>8} {'MB':>9} "
      f"{'GB/s':>8} {'of copying':>10}")
for run in report.get("runs", [report]):
    parts = {p["name"]: p for p in run["parts"]}
    for name in names:
        p = parts.get(name)
        if not p:
            continue
        print(f"{run['lanes']:5} {name:12} {p['ms_p50']:8.2f} "
              f"{p['ms_p99']:8.2f} {p['bytes'] * 1e-6:9.1f} "
              f"{p['gb_per_s']:8.2f} {100 * p['of_read_bandwidth']:9.1f}%")
    late = parts["frame"]["ms_p99"]
    print(f"{run['lanes']:5} p99 {late:.1f} ms: "
          f"{'below' if late < 80 else 'NOT below'} 80 ms; the device copies "
          f"{run['read_gb_per_s_beside']:.1f} GB/s")
PYTHON
done

echo
echo "# moshi compare on nano, CPU against $device"
cat >"$work/tone.py" <<'PYTHON'
import math, struct, sys, wave
with wave.open(sys.argv[1], "wb") as w:
    w.setnchannels(1)
    w.setsampwidth(2)
    w.setframerate(24000)
    w.writeframes(b"".join(
        struct.pack("<h", int(9000 * math.sin(t * t / 9e6) *
                              (t % 6000 < 4000))) for t in range(24000)))
PYTHON
python3 "$work/tone.py" "$work/tone.wav"
limited "$moshi" compare -m models/nano "$work/tone.wav" --frames :6 -q \
    --a device=cpu,activations=exact \
    --b "device=$device,activations=exact" >"$work/compare" 2>&1 ||
    failed=1
grep -E "tokens|agree|first difference|operations" "$work/compare" || cat "$work/compare"
echo "# $SECONDS s"
exit $failed
