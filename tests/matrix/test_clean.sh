#!/bin/sh
# Goal: no defect of tests/matrix is in the program that ships. Method: it knows
# none of their names and functions, and MOSHI_FAULT changes no bit of a run,
# where it changes moshi-faulty.
. "$(dirname "$0")/../tap.sh"
nano=$MOSHI_SOURCE/models/nano
hello=$MOSHI_SOURCE/examples/hello.wav

# Anything of the table that is in a file: its names, its functions.
traces_in() {
    # Words that a program may have of its own prove nothing.
    "$MOSHI_LIST" | cut -f1 | grep -vxE 'slow|truncated' | while read -r name; do
        grep -qaF "$name" "$1" && echo "$name"
    done
    grep -qaF MOSHI_FAULT "$1" && echo MOSHI_FAULT
    nm "$1" 2>/dev/null | grep -E ' (fault_|__wrap_|__real_)'
}
check "moshi-faulty has the faults" test -n "$(traces_in "$MOSHI_FAULTY")"
check "moshi has no trace of them" test -z "$(traces_in "$MOSHI_BIN")"

run 0 gen -m "$nano" "$hello" a.wav --codes a.st --quiet
MOSHI_FAULT=rope-off
export MOSHI_FAULT
run 0 gen -m "$nano" "$hello" b.wav --codes b.st --quiet
check "MOSHI_FAULT means nothing to moshi" cmp a.st b.st
check "moshi-faulty obeys it" sh -c \
    '"$1" gen -m "$2" "$3" c.wav --codes c.st --quiet && ! cmp -s a.st c.st' \
    - "$MOSHI_FAULTY" "$nano" "$hello"
MOSHI_FAULT=no-such-fault
check "moshi-faulty refuses a fault that is not in its table" sh -c \
    '! "$1" gen -m "$2" "$3" d.wav --quiet' - "$MOSHI_FAULTY" "$nano" "$hello"
finish
