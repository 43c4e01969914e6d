#!/bin/sh
# The modules of the page do what they promise, in node. Exits 77 (skipped) where
# node is missing or older than 18.
set -eu
here=${MOSHI_SOURCE:?the source root}/tests/web
command -v node >/dev/null || { echo "node is not installed"; exit 77; }
major=$(node -p 'process.versions.node.split(".")[0]')
[ "$major" -ge 18 ] || { echo "node $major is too old"; exit 77; }
exec node --test "$here"/*.test.mjs
