#!/bin/sh
# The frame of the command line: help, version, exit statuses, unknown names.
. "$(dirname "$0")/../tap.sh"

run 0 --version
lines out 1
lines err 0
has out "moshi "

run 0 --help
has out "usage: moshi COMMAND"
has out "exit status:"
lines err 0
run 0 -h
run 0 help
has out "usage: moshi COMMAND"
run 2
has err "usage: moshi COMMAND"
lines out 0

for name in $("$MOSHI_BIN" help | sed -n 's/^  \([a-z][a-z]*\)  .*/\1/p'); do
    run 0 help "$name"
    has out "usage: moshi $name"
    cp .tap/out help
    run 0 "$name" --help
    lines err 0
    cp .tap/out again
    check "'moshi help $name' and 'moshi $name --help' are the same" \
        cmp help again
    run 0 "$name" --nonsense -h
    check "help of $name fits a terminal of 80 columns" \
        awk 'length($0) > 80 || / $/ { exit 1 }' help
    rm help again
    run 2 "$name" --no-such-option
    lines out 0
    has err "unknown option '--no-such-option'"
    has err "hint: "
    run 2 "$name" a b c d e f
    has err "too many arguments"
done

run 2 syhtn
has err "there is no command 'syhtn'"
has err "did you mean 'synth'"
run 2 --vesrion
has err "unknown option"
run 2 help nothing
has err "there is no command 'nothing'"

run 2 synth --sed 1
has err "did you mean '--seed'"
run 2 synth --seed
has err "wants a value"
run 2 synth --seed x tiny out
has err "wants a whole number"
run 2 synth --seed=-1 tiny out
has err "must be between"
run 2 synth --list=yes
has err "takes no value"
run 2 synth -- --list
has err "expected PRESET OUT"
run 2 synth tiny
run 2 synth tinny out
has err "did you mean 'tiny'"
run 2 synth --list more
check "wrong usage writes nothing" test ! -e out

run 0 synth --list
has out tiny
has out moshi-7b-q8
lines err 0
cp .tap/out list
check "what the presets are stands in one column" sh -c \
    '! grep -qvE "^.{18}  [^ ]" list'

run 0 synth tiny model
lines out 0
lines err 0
check "the model is there" test -e model
run 0 synth tiny again --seed 0
check "the same seed gives the same files" diff -r model again
run 0 synth tiny other --seed=1
check "another seed gives others" sh -c '! diff -r model other'
run 3 synth tiny -
has err "name a folder"
check "no folder '-' is made" test ! -e ./-
run 3 synth tiny missing/folder/model
has err "missing/folder/model"
lines err 1

escape=$(printf '\033')
on_terminal() { # on_terminal SHELL_COMMAND: its output, on a terminal
    what="$1, on a terminal"
    TERM=xterm script -qec "$1" /dev/null >.tap/out 2>.tap/err </dev/null
}
if script -qec true /dev/null >/dev/null 2>&1; then
    on_terminal "'$MOSHI_BIN' synth tiny bar"
    has out "writing ["
    on_terminal "'$MOSHI_BIN' synth tiny bar --quiet"
    lacks out "writing"
    on_terminal "'$MOSHI_BIN' nothing"
    has out "$escape"
    on_terminal "NO_COLOR=1 '$MOSHI_BIN' nothing"
    has out "there is no command"
    lacks out "$escape"
else
    skip "colour and progress on a terminal" "no script(1) here"
fi

if [ -c /dev/full ]; then
    what="moshi --help >/dev/full"
    "$MOSHI_BIN" --help >/dev/full 2>.tap/err
    [ $? -eq 3 ]
    point $? "a full disk behind standard output: exit status 3"
    has err "cannot write to standard output"
else
    skip "a full disk behind standard output" "no /dev/full here"
fi
lacks err "$escape"

finish
