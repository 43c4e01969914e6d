#!/bin/sh
# What `meson install` leaves is enough to build the examples of the manual:
# with the flags of pkg-config, as C11, shared and static, warnings as errors.
. "$(dirname "$0")/../tap.sh"
: "${MOSHI_SOURCE:?}" "${MOSHI_BUILD:?}" "${MOSHI_CC:?}"

mkdir root
check "meson install" \
    meson install -C "$MOSHI_BUILD" --no-rebuild --destdir "$work/root"

check "the installed headers are those of include/moshi" \
    sh -c 'cd "$0" && for h in *.h; do
        find "$1/root" -path "*/include/moshi/$h" | grep -q . || exit 1
    done' "$MOSHI_SOURCE/include/moshi" "$work"
check "no file of the build is among them" \
    sh -c '! find "$0/root" -path "*/include/*" -type f ! -name "*.h" |
        grep .' "$work"

pc=$(find root -name moshi.pc)
check "there is a pkg-config file" test -n "$pc"
PKG_CONFIG_PATH=$work/$(dirname "$pc")
export PKG_CONFIG_PATH
check "pkg-config knows moshi" pkg-config --exists moshi
prefix=$(pkg-config --variable=prefix moshi)
# The flags as they would be had the root been the machine's.
flags() {
    pkg-config --define-variable=prefix="$work/root$prefix" "$@" moshi
}
archive=$(find root -name libmoshi.a)
lib=$(dirname "$(find root -name 'libmoshi.so')")
check "programs and pages are installed under $prefix" \
    sh -c 'find "$0" -path "*/bin/moshi" | grep -q . &&
        find "$0" -name moshi.1 | grep -q .' "$work/root"

# What stands behind the static library, itself shared: pkg-config --static
# would ask for static copies of everything below that too.
private=$(sed -n 's/^Libs.private://p' "$pc")
for package in $(pkg-config --print-requires-private moshi | cut -d' ' -f1); do
    private="$private $(pkg-config --libs "$package")"
done

build() { # build EXAMPLE PROGRAM LINK_FLAGS...
    example=$1 program=$2
    shift 2
    $MOSHI_CC -std=c11 -Wall -Wextra -Wpedantic -Werror ${MOSHI_CFLAGS:-} \
        $(flags --cflags) "$example" -o "$program" "$@" ${MOSHI_LDFLAGS:-}
}

for example in "$MOSHI_SOURCE"/docs/examples/*.c; do
    [ -e "$example" ] || continue
    name=$(basename "$example" .c)
    check "$name builds with the shared library" \
        build "$example" "$name" $(flags --libs)
    what="$name without arguments"
    LD_LIBRARY_PATH=$lib "./$name" >.tap/out 2>.tap/err </dev/null
    [ $? -lt 126 ]
    point $? "$name starts"
    if [ -n "$archive" ]; then
        check "$name builds with the static library" \
            build "$example" "$name-static" "$archive" $private
        check "$name needs no shared libmoshi then" \
            sh -c 'ldd "$0" >libs && ! grep libmoshi libs' "./$name-static"
    fi
done
finish
