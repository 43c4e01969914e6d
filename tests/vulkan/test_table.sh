#!/bin/sh
# bench/gpu.sh makes its table on whatever device there is. usage: test_table.sh
# GPU_SH MOSHI
out=$("$1" "$2" 2>&1)
status=$?
printf '%s\n' "$out"
case $out in
*"no GPU"*) exit 77 ;;
esac
[ $status -eq 0 ] || exit 1
printf '%s\n' "$out" | grep -q '^    2 frame' &&
    printf '%s\n' "$out" | grep -q ' 0 different' &&
    printf '%s\n' "$out" | grep -q 'the device copies'
