#!/bin/sh
# Every public header compiles alone, twice over, as C99, C11 and C++, with
# warnings as errors; every function it declares is in the library.
. "$(dirname "$0")/../tap.sh"
: "${MOSHI_SOURCE:?}" "${MOSHI_CC:?}" "${MOSHI_CXX:?}" "${MOSHI_SHARED_LIB:?}"

compile() { # compile COMPILER STANDARD FILE: no output file, all warnings
    $1 "-std=$2" -Wall -Wextra -Wpedantic -Werror -fsyntax-only \
        -I"$MOSHI_SOURCE/include" "$3"
}

: >declared
for header in "$MOSHI_SOURCE"/include/moshi/*.h; do
    name=moshi/$(basename "$header")
    printf '#include <%s>\n#include <%s>\nint main(void) { return 0; }\n' \
        "$name" "$name" >one.c
    cp one.c one.cpp
    for standard in c99 c11; do
        check "$name alone as $standard" compile "$MOSHI_CC" "$standard" one.c
    done
    for standard in c++11 c++17; do
        check "$name alone as $standard" \
            compile "$MOSHI_CXX" "$standard" one.cpp
    done
    $MOSHI_CC -E -P -I"$MOSHI_SOURCE/include" one.c 2>/dev/null |
        grep -o 'moshi_[a-z0-9_]* *(' | tr -d ' (' >>declared
done

sort -u declared -o declared
check "the headers declare functions" test -s declared
nm -D --defined-only "$MOSHI_SHARED_LIB" | awk '{ print $3 }' | sort >exported
check "the headers declare what the library exports, and no more" \
    diff declared exported
finish
