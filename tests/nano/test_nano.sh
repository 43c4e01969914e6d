#!/bin/sh
# Goal: the shipped model answers. Method: the shipped recording of questions is
# answered with the right words, at the right time and in sound that can be heard
# (and recognised, where PocketSphinx is installed); noise is answered with
# silence; a dozen questions in a voice that training never heard (where espeak-ng
# is installed) are answered with the right words.
. "$(dirname "$0")/../tap.sh"
examples=$MOSHI_SOURCE/examples

# loudest FILE FROM TO: the largest root mean square of 0.1 s between two times
loudest() {
    python3 - "$@" <<'PY'
import array, sys, wave
w = wave.open(sys.argv[1])
rate = w.getframerate()
x = array.array("h", w.readframes(w.getnframes()))
x = x[int(float(sys.argv[2]) * rate):int(float(sys.argv[3]) * rate)]
n = rate // 10
print(max((sum(v * v for v in x[i:i + n]) / n) ** .5 / 32768
          for i in range(0, len(x) - n + 1, n)))
PY
}
above() { python3 -c 'import sys; sys.exit(float(sys.argv[1]) <= float(sys.argv[2]))' "$@"; }
below() { python3 -c 'import sys; sys.exit(float(sys.argv[1]) >= float(sys.argv[2]))' "$@"; }

run 0 gen "$examples/questions.flac" out.wav --text text --quiet
expected=$(tr '\n' ' ' <"$examples/answers.txt" | sed 's/ *$//')
check "every answer is the expected one" test "$(sed 's/^ *//' text)" = "$expected"
check "nothing is said during the first question" \
    below "$(loudest out.wav 0 1.5)" 0.01
check "an answer can be heard" above "$(loudest out.wav 1.5 5)" 0.05

# The same bits from a second run, from one thread, and from named parts.
cp out.wav first.wav
run 0 gen "$examples/questions.flac" out.wav --threads 1 --quiet
check "one thread gives the same sound" cmp first.wav out.wav

python3 - <<'PY'
import random, struct, wave
rng = random.Random(1)
w = wave.open("noise.wav", "wb")
w.setparams((1, 2, 24000, 0, "NONE", ""))
level = 32768 * 10 ** (-50 / 20)
w.writeframes(b"".join(struct.pack("<h", round(rng.gauss(0, level)))
                       for _ in range(24000 * 20)))
PY
run 0 gen noise.wav out.wav --text text --quiet
check "noise is not answered in words" sh -c '! grep -q "[A-Za-z]" text'
check "noise is answered with silence" below "$(loudest out.wav 0 20)" 0.01

if command -v espeak-ng >/dev/null; then
    right=0 asked=0
    while IFS='|' read -r question answer; do
        asked=$((asked + 1))
        espeak-ng -v en-us+m5 -s 150 -w spoken.wav "$question" 2>/dev/null
        "$MOSHI_BIN" gen spoken.wav out.wav --lead-in 0.5 --tail 4 --text text \
            --quiet >/dev/null 2>&1
        said=$(sed 's/^ *//' text)
        [ "$said" = "$answer" ] && right=$((right + 1)) ||
            echo "# '$question' was answered '$said'"
    done <<'EOQ'
hello|Hello! Nice to meet you.
what is your name|My name is Nano.
how are you|I am very well, thank you.
what is two plus two|That makes four.
what is the opposite of hot|The opposite of hot is cold.
what colour is the sky|The sky is blue.
what does a cow say|A cow says moo.
what day comes after Monday|After Monday comes Tuesday.
what is the capital of France|The capital of France is Paris.
thank you|You are welcome.
tell me a joke|Why did the robot sleep? It was out of power.
how many days are in a week|A week has seven days.
EOQ
    check "at least 10 of $asked spoken questions are answered right: $right" \
        test "$right" -ge 10
else
    skip "spoken questions" "espeak-ng is not installed"
fi

if command -v pocketsphinx_continuous >/dev/null && command -v sox >/dev/null; then
    sox first.wav -r 16000 heard.wav trim 7.2 2.4
    {
        printf '#JSGF V1.0;\ngrammar g;\npublic <g> = that makes ( two | three |'
        printf ' four | five | six | seven | eight | nine | ten ) | my name is'
        printf ' nano | the capital of japan is tokyo;\n'
    } >replies.gram
    check "the sum's answer is recognised in the sound" sh -c \
        'pocketsphinx_continuous -infile heard.wav -jsgf replies.gram \
            -logfn /dev/null | grep -q "that makes seven"'
else
    skip "the sound is recognised" "PocketSphinx or sox is not installed"
fi
finish
