#!/bin/sh
# Nothing but moshi_* leaves a library: the names that nm lists as defined.
. "$(dirname "$0")/../tap.sh"
: "${MOSHI_SHARED_LIB:?}"

names_of() { # names_of NM_OPTION LIBRARY: the global names that it defines
    nm "$1" --defined-only "$2" | awk 'NF == 3 { print $3 }' | sort -u
}

# others FILE: the names that must not be there
others() {
    ! grep -v '^moshi_' "$1"
}

names_of -D "$MOSHI_SHARED_LIB" >shared
check "the shared library has names" grep -q '^moshi_' shared
check "the shared library shows moshi_* only" others shared

if [ -n "${MOSHI_STATIC_LIB:-}" ]; then
    names_of -g "$MOSHI_STATIC_LIB" >static
    check "the static library shows moshi_* only" others static
    check "both libraries show the same names" diff shared static
else
    skip "the static library shows moshi_* only" "it is not built here"
fi
finish
