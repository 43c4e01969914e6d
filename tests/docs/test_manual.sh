#!/bin/sh
# Parser, help, manual and completion name the same commands and options.
. "$(dirname "$0")/../tap.sh"
: "${MOSHI_MANUALS:?the folder of the built manual pages}"

# The long options in a text, each once: help has them at the start of a
# line, the manual writes every '-' as '\-'.
options_in_help() {
    sed -n 's/^  \(-[a-z], \)\{0,1\}\(--[a-z-]*\).*/\2/p' "$1" | sort -u
}
options_in_manual() {
    sed -n '/^\.SH OPTIONS/,/^\.SH EXIT/s/^\.B //p' "$1" | sed 's/\\-/-/g' |
        sed -n 's/.*\(--[a-z-]*\).*/\1/p' | sort -u
}
options_in_completion() {
    sed -n "s/^ *$2) words='\(.*\)' ;;/\1/p" "$1" | tr -s ' ' '\n' |
        sed '/^$/d' | sort -u
}

run 0 help --completion
cp .tap/out completion
if command -v bash >/dev/null; then
    check "the completion script is valid" bash -n completion
    cat >complete <<'SCRIPT'
. ./completion
COMP_WORDS=(moshi hel) COMP_CWORD=1
_moshi
[ "${COMPREPLY[*]}" = help ] || exit 1
COMP_WORDS=(moshi help --comp) COMP_CWORD=2
_moshi
[ "${COMPREPLY[*]}" = --completion ]
SCRIPT
    check "it completes a command and an option" bash complete
else
    skip "the completion script is valid" "no bash here"
fi

run 0 help
commands=$(sed -n 's/^  \([a-z][a-z]*\)  .*/\1/p' .tap/out)
check "there are commands" test -n "$commands"
run 0 help --man
for name in $commands; do
    has out "moshi\\-$name"
done

for name in $commands; do
    "$MOSHI_BIN" help "$name" >text
    "$MOSHI_BIN" help --man "$name" >page
    options_in_help text >by-help
    options_in_manual page >by-manual
    options_in_completion completion "$name" >by-completion
    check "$name has options" test -s by-help
    check "$name: help and manual have the same options" \
        diff by-help by-manual
    check "$name: help and completion have the same options" \
        diff by-help by-completion
    check "$name: the built page is up to date" \
        cmp page "$MOSHI_MANUALS/moshi-$name.1"
    while read -r option; do
        # An option that is known may still lack its value or its arguments.
        # What follows is wrong whether it takes a value or not, so that no
        # command (a server, for one) begins to run.
        case $option in --help) continue ;; esac
        what="moshi $name $option"
        "$MOSHI_BIN" "$name" "$option" --no-such --no-such \
            >.tap/out 2>.tap/err </dev/null
        lacks err "unknown option '$option'"
    done <by-help
    if command -v mandoc >/dev/null; then
        check "$name: mandoc finds no fault in the page" \
            mandoc -T lint -W error page
    elif command -v groff >/dev/null; then
        check "$name: groff finds no fault in the page" \
            sh -c 'test -z "$(groff -man -ww -z page 2>&1)"'
    else
        skip "$name: the page is valid troff" "neither mandoc nor groff here"
    fi
done
finish
