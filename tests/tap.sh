# tap.sh: sourced by the tests that are shell scripts: run the program, check
# what it answers, report in TAP. Each script works in an empty folder of its
# own.
#
#   run STATUS ARG...       run moshi; its exit status must be STATUS
#   has out|err TEXT        the last run's output holds TEXT
#   lacks out|err TEXT      … does not
#   lines out|err N         … has N lines
#   check NAME COMMAND...   COMMAND succeeds
#   skip NAME REASON        cannot be tested here
#   finish                  at the end

LC_ALL=C
export LC_ALL
unset NO_COLOR MOSHI_CPU MOSHI_TOKEN
work=$(mktemp -d) || exit 99
trap 'chmod -R u+w "$work" 2>/dev/null; rm -rf "$work"' EXIT
cd "$work" || exit 99
mkdir .tap
: >.tap/out
: >.tap/err
count=0
what=

point() { # point OK NAME
    count=$((count + 1))
    if [ "$1" -eq 0 ]; then
        echo "ok $count - $2"
        return 0
    fi
    echo "not ok $count - $2"
    echo "# after: $what"
    sed 's/^/# out: /' .tap/out | head -n 20
    sed 's/^/# err: /' .tap/err | head -n 20
    return 0
}

run() {
    : "${MOSHI_BIN:?names the program under test}"
    wanted=$1
    shift
    what="moshi $*"
    "$MOSHI_BIN" "$@" >.tap/out 2>.tap/err </dev/null
    status=$?
    [ "$status" -eq "$wanted" ]
    point $? "exit status $wanted (was $status): moshi $*"
}

has() {
    grep -qF -e "$2" ".tap/$1"
    point $? "std$1 of '$what' says: $2"
}

lacks() {
    ! grep -qF -e "$2" ".tap/$1"
    point $? "std$1 of '$what' does not say: $2"
}

lines() {
    n=$(wc -l <".tap/$1")
    [ "$n" -eq "$2" ]
    point $? "std$1 of '$what' has $2 lines (has $n)"
}

check() {
    checked=$1
    shift
    what=$*
    "$@" >.tap/out 2>.tap/err
    point $? "$checked"
}

skip() {
    count=$((count + 1))
    echo "ok $count - $1 # SKIP $2"
}

finish() {
    echo "1..$count"
}
