#!/bin/sh
# The benchmarks of kernels. Goal: what was asked for by name and is not there is
# an error, a file that cannot be read or written too: none of them may look like
# a kernel that is as fast as ever. Method: one kernel, the plain C level.
. "$(dirname "$0")/../tap.sh"

fails() { # fails TEXT ARG...
    text=$1
    shift
    check "bench_rows $* fails with 2 and says: $text" sh -c \
        'text=$1; shift; "$BENCH_ROWS" "$@" 2>err; test $? -eq 2 &&
         grep -qF "$text" err' sh "$text" "$@"
}

fails "there is no kernel 'nothing'" --kernel nothing
fails "instruction set 'sse9' is not here" --isa sse9
fails "cannot read nowhere" --kernel add --isa ref --check nowhere
fails "cannot write nowhere/a" --kernel add --isa ref --record nowhere/a
fails "usage:" --kernel
fails "usage:" --check nowhere --pause soon
if [ -c /dev/full ]; then
    fails "cannot write /dev/full" --kernel add --isa ref --record /dev/full
else
    skip "a full disk" "there is no /dev/full"
fi

# A rate that no machine has is lost; one that any has is not.
echo "ref add 1e-9 1e-9" >slow.txt
echo "ref add 1e9 1e9" >fast.txt
check "no slower than recorded" "$BENCH_ROWS" --kernel add --isa ref \
    --check slow.txt
check "slower than recorded" sh -c \
    '"$BENCH_ROWS" --kernel add --isa ref --check fast.txt --pause 0 >out
     test $? -eq 1 && grep -q SLOWER out &&
     test "$(grep -c "tried again" out)" -eq 10' sh
check "what is recorded is read" sh -c \
    '"$BENCH_ROWS" --kernel add --isa ref --record own.txt &&
     grep -qE "^ref add [0-9.]+ [0-9.]+$" own.txt'
finish
