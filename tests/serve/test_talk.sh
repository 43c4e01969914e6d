#!/bin/sh
# Goal: a person's commands hold a conversation with the shipped model: chat,
# and client through a server, with files in place of devices. Method: the
# shipped recording of questions, faster than real time; a shorter one where
# sanitizers make each frame slow.
. "$(dirname "$0")/../tap.sh"
questions=$MOSHI_EXAMPLES/questions.flac tail=0.5 frames=207
answers=$(tr '\n' ' ' <"$MOSHI_EXAMPLES/answers.txt" | sed 's/ *$//')
word=Tokyo
if [ -n "${MOSHI_SANITIZED:-}" ]; then
    questions=$MOSHI_EXAMPLES/hello.wav tail=1.5 frames=71
    answers="I do not know that." word=know
fi
said() { sed 's/^ *//' "$1"; }
samples() { python3 -c 'import sys, wave; print(wave.open(sys.argv[1]).getnframes())' "$1"; }

wait_for() { # a line that a server prints into this file
    for i in 1 2 3 4 5 6 7 8 9 10 20 30; do
        [ -s "$1" ] && break
        sleep "0.$i" 2>/dev/null || sleep 1
    done
}

# --- chat ---
run 0 chat --in "$questions" --tail $tail --out chat.wav --text chat.txt --record call \
    --threads 1 --speed 8
has out "$word"
has err "frames of 80 ms"
check "chat answers the questions" test "$(said chat.txt)" = "$answers"
for file in heard.wav spoken.wav codes.safetensors text.txt manifest.json; do
    check "the record has $file" test -s "call/$file"
done
check "the manifest is JSON and knows the frames" python3 -c '
import json, sys
m = json.load(open("call/manifest.json"))
assert m["frames"] == int(sys.argv[1]) and m["replay"].startswith("moshi gen heard.wav"), m' $frames
cp call/heard.wav heard.wav
run 0 gen heard.wav again.wav --text again.txt --quiet
check "the call can be repeated" test "$(said again.txt)" = "$(said call/text.txt)"
run 0 chat --in "$questions" --tail $tail --out again.wav --threads 1 --speed 30 --json
cp .tap/out result.json
check "chat --json" python3 -c '
import json, sys
j = json.load(open("result.json"))
assert j["frames"] == int(sys.argv[1]) and sys.argv[2] in j["text"] and \
    j["late"] >= 0, j' $frames $word
check "and the same sound" cmp chat.wav again.wav
run 3 chat --in missing.wav --out again.wav
run 2 chat --speed fast
if "$MOSHI_BIN" chat --list >/dev/null 2>&1; then
    skip "no sound device" "this machine has one"
else
    run 4 chat --list
    run 4 chat
    has err "microphone"
fi

# --- a server ---
"$MOSHI_BIN" serve --port 0 --threads 1 --speed-max 20 --sessions 2 \
    >server.url 2>server.log &
server=$!
trap 'kill $server 2>/dev/null; rm -rf "$work"' EXIT
wait_for server.url
url=$(cat server.url)
check "the server prints where it is: $url" \
    sh -c 'case $1 in http://127.0.0.1:*) ;; *) exit 1; esac' - "$url"
run 0 client "$url" --in "$questions" --tail $tail --out one.wav --text one.txt --seed 5 \
    --speed 8 --quiet
check "client answers the questions" test "$(said one.txt)" = "$answers"
check "and has all of the sound" test "$(samples one.wav)" -eq $(((frames - 1) * 1920))

# Two at once, one of them slower: the same sound as alone.
"$MOSHI_BIN" client "$url" --in "$questions" --tail $tail --out two.wav --seed 5 --speed 8 \
    --quiet >/dev/null 2>two.err &
two=$!
run 0 client "$url" --in "$questions" --tail $tail --out three.wav --seed 5 --speed 6 --quiet
wait $two
check "two conversations at once: the first is what it was" cmp one.wav two.wav
check "and the second" cmp one.wav three.wav
run 0 client "$url" --in "$MOSHI_EXAMPLES/hello.wav" --out four.wav --json \
    --speed 8 --quiet
cp .tap/out result.json
check "client --json" python3 -c '
import json
j = json.load(open("result.json"))
assert j["seconds_out"] > 4 and j["damaged"] == 0, j'
kill $server
wait $server
check "it stops when asked to" test $? -eq 0

# --- wrong usage ---
run 3 client "http://127.0.0.1:1" --in "$questions" --tail $tail --out five.wav
has err "hint: "
run 3 client "ftp://x" --in "$questions" --tail $tail --out five.wav
has err "no address"
check "a failed call leaves no file" test ! -e five.wav
run 3 serve --host 203.0.113.1 --port 0
has err "listen on 203.0.113.1"
has err "no such address"
run 2 serve --origin example.org
has err "https://example.org"
run 3 chat --in "$questions" --out /nowhere/five.wav
has err "/nowhere/five.wav"

# --- TLS ---
XDG_DATA_HOME=$work/data
export XDG_DATA_HOME
if "$MOSHI_BIN" serve --tls --host 203.0.113.1 2>&1 | grep -q libcrypto; then
    skip "TLS" "built without libcrypto"
else
    "$MOSHI_BIN" serve --tls --port 0 --threads 1 --speed-max 20 >tls.url \
        2>tls.log &
    server=$!
    wait_for tls.url
    url=$(cat tls.url)
    own=$XDG_DATA_HOME/moshi
    check "only its owner can read the key" \
        test "$(stat -c %a "$own/key.pem")" = 600
    run 3 client "$url" --in "$MOSHI_EXAMPLES/hello.wav" --out six.wav
    has err "--insecure"
    run 0 client "$url" --in "$MOSHI_EXAMPLES/hello.wav" --out six.wav \
        --authority "$own/cert.pem" --speed 8 --quiet
    run 0 client "$url" --in "$MOSHI_EXAMPLES/hello.wav" --out six.wav \
        --insecure --speed 8 --quiet
    kill $server
    wait $server
    run 2 serve --certificate "$own/cert.pem"
    mv "$own" elsewhere
    "$MOSHI_BIN" serve --certificate elsewhere/cert.pem --key elsewhere/key.pem \
        --port 0 --threads 1 >own.url 2>own.log &
    server=$!
    wait_for own.url
    run 3 serve --port "$(sed 's/.*://' own.url)"
    has err "the port is taken"
    run 0 client "$(cat own.url)" --in "$MOSHI_EXAMPLES/hello.wav" \
        --out six.wav --authority elsewhere/cert.pem --speed 8 --quiet
    check "a given certificate is shown" grep -q elsewhere/cert.pem own.log
    check "and none is made" test ! -e "$own"
    kill $server
    wait $server
fi
finish
