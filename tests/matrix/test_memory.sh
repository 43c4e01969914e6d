#!/bin/sh
# Goal: diff and doctor stay within their bounds of memory. Method: the most
# that each had resident, against traces far larger than the bound, and against
# a run of the same model.
. "$(dirname "$0")/../tap.sh"
nano=$MOSHI_SOURCE/models/nano
if [ -n "$MOSHI_SANITIZED" ]; then
    skip "memory" "the sanitizers need their own"
    finish
    exit
fi

# most_mb ARG...: the resident memory of moshi at its largest
most_mb() {
    python3 - "$MOSHI_BIN" "$@" <<'PY'
import resource, subprocess, sys
subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL,
               stderr=subprocess.DEVNULL)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024)
PY
}
file_mb() { echo $(($(wc -c <"$1") / 1048576)); }

for isa in 1 2; do
    run 0 trace -m "$nano" "$MOSHI_SOURCE/examples/hello.wav" --threads $isa \
        --out $isa.st --frames :30 --quiet
done
check "the traces are beyond the bound: $(file_mb 1.st) MB each" \
    test "$(file_mb 1.st)" -gt 110
most=$(most_mb diff 1.st 2.st)
check "diff stays below 100 MB: $most" test "$most" -lt 100

# A run maps the same files, converts the same weights. The values of all
# weights are read besides: the files' pages count, as far as they are in. A
# GPU's driver takes what it likes (Mesa's software device 50 MB): not asked.
VK_DRIVER_FILES=/nonexistent
VK_ICD_FILENAMES=/nonexistent
export VK_DRIVER_FILES VK_ICD_FILENAMES
files=$(($(file_mb "$nano/model.q8.gguf") + $(file_mb "$nano/mimi.safetensors")))
talk=$(most_mb gen -m "$nano" "$MOSHI_SOURCE/examples/hello.wav" out.wav)
most=$(most_mb doctor "$nano")
check "doctor: $most MB, a run $talk MB, the files $files MB: 100 MB more at most" \
    test "$most" -le $((talk + files + 100))
finish
