#!/bin/sh
# The sources pass tools/check-layers and tools/check-style, and those two do
# find what they are made to find: each is shown a small tree with one fault.
. "$(dirname "$0")/../tap.sh"
: "${MOSHI_SOURCE:?the source root}"
layers=$MOSHI_SOURCE/tools/check-layers
style=$MOSHI_SOURCE/tools/check-style

check "includes point down only" "$layers" "$MOSHI_SOURCE"
check "style of the sources" "$style" "$MOSHI_SOURCE"

tree() {
    rm -rf tree
    mkdir -p tree/src/base tree/src/files tree/src/cli tree/docs
    cat >tree/docs/ARCHITECTURE.md <<'TABLE'
| room | holds | may use |
|---|---|---|
| `src/base/` | x | - |
| `src/files/` | x | base |
| `src/cli/` | x | files |
TABLE
    echo '#include "base/a.h"' >tree/src/cli/a.c
}

# wrong NAME TOOL TEXT: the tool refuses the tree and says TEXT
wrong() {
    what=$1
    "$2" tree >.tap/out 2>.tap/err
    [ $? -eq 1 ] && grep -qF -e "$3" .tap/out
    point $? "$1"
}

tree
check "a good tree has good layers" "$layers" tree
check "a good tree has good style" "$style" tree
echo '#include "files/a.h"' >tree/src/base/a.c
wrong "an arrow that points up" "$layers" "src/base/a.c:1: base may not use files"
tree
echo '#include "a.h"' >tree/src/base/a.c
wrong "an include without its room" "$layers" 'write "base/a.h"'
tree
mkdir tree/src/new
echo '#include "base/a.h"' >tree/src/new/a.c
wrong "a room that the table lacks" "$layers" "has no room new"
tree
sed -i 's/| x | -/| x | cli/' tree/docs/ARCHITECTURE.md
wrong "a table that runs in a circle" "$layers" "in a circle"

fault() { # fault NAME FILE TEXT REASON
    tree
    printf "$3" >"tree/$2"
    wrong "$1" "$style" "$4"
}
fault "a tab" src/base/a.c 'int\ta;\n' "a.c:1: tab"
fault "blanks at the end" src/base/a.c 'int a;\n\nint b; \n' "a.c:3: blank"
fault "no newline at the end" src/base/a.c 'int a;' "no newline"
fault "a long line" src/base/a.c "/* $(printf '%0100d' 0) */\n" "100 columns"
fault "a long function" src/base/a.c \
    "void f(void)\n{\n$(printf '%0101d' 0 | sed 's/0/    ;\\n/g')}\n" \
    "a.c:2: function of 102 lines"
fault "a copy without a bound" src/cli/a.c 'int a = strcpy(b, c);\n' "buffer"
fault "a library that prints" src/base/a.c 'int a = printf("x");\n' "print"
fault "a library that exits" src/base/a.c 'void f(void) { exit (1); }\n' "exit"

tree
printf '/* it exits: exit(1); */\nchar *a = "exit(1)"; int b = pool_exit(1);\n' \
    >tree/src/base/a.c
printf 'int a = printf("x");\n' >tree/src/cli/a.c
check "comments, strings, longer names and the program are let be" \
    "$style" tree
finish
