#!/bin/sh
# moshi analyze: nothing to find in clean speech, the right class in what is
# broken, and no crash on what is no recording.
. "$(dirname "$0")/../tap.sh"
here=$(dirname "$0")
check "sounds are made" python3 "$here/make_bad_sounds.py" \
    "$MOSHI_EXAMPLES/hello.wav" sounds

# verdict STATUS CLASS FILE: the exit status, and the class in the JSON.
verdict() {
    run "$1" analyze --json "sounds/$3.wav"
    cp .tap/out report.json
    check "$3 is judged: $2" python3 "$here/check_analysis.py" report.json "$2"
}

verdict 0 ok clean
verdict 0 ok quiet
verdict 0 ok cut
verdict 1 timeline reversed
verdict 1 timeline backwards
verdict 1 timeline swapped
verdict 1 timeline dropped
verdict 1 timeline doubled
verdict 1 timeline shifted
verdict 1 timeline blanked
verdict 1 speed starved
verdict 1 input noise
verdict 1 input silence
verdict 1 input bytes
verdict 1 "cannot tell" short
verdict 1 "cannot tell" sample

run 0 analyze sounds/clean.wav
has out 'score: 100 of 100'
run 1 analyze --min-score 41 sounds/swapped.wav
has out 'verdict: timeline'
run 0 analyze --min-score 0 sounds/swapped.wav

# The page, and the reference.
run 1 analyze --json --html page.html sounds/swapped.wav
check "the page is whole and fetches nothing" python3 "$here/check_page.py" \
    page.html
run 3 analyze --html absent/page.html sounds/clean.wav
run 0 analyze --json --ref sounds/clean.wav sounds/quiet.wav
cp .tap/out report.json
check "a quiet copy is the same" python3 -c '
import json
m = json.load(open("report.json"))["measures"]
assert m["ref_lag_ms"] == 0 and m["ref_snr_db"] > 20, m
assert m["ref_stoi"] is None or m["ref_stoi"] > 0.98, m'
run 0 analyze --json --ref sounds/clean.wav sounds/cut.wav
has out '"ref_lag_ms": -51.41'
if grep -q '"ref_stoi": null' report.json; then
    skip "reversed frames say something else" "built without kissfft"
else
    run 1 analyze --json --ref sounds/reversed.wav sounds/clean.wav
fi
run 3 analyze --ref sounds/silence.wav sounds/clean.wav
has err silent
run 3 analyze --ref absent.wav sounds/clean.wav
run 2 analyze --ref sounds/clean.wav -

# With a model: its echo, and what it recorded.
nano=$MOSHI_EXAMPLES/../models/nano
run 0 analyze -m "$nano" --json "$MOSHI_EXAMPLES/hello.wav"
cp .tap/out report.json
check "the echo is far above chance" python3 -c '
import json
m = json.load(open("report.json"))["measures"]
assert m["token_echo"] > 0.1 + 3 * m["token_echo_chance"], m
assert m["frames_of_codes"] is None and m["text_words"] is None, m'
run 0 gen -m "$nano" "$MOSHI_EXAMPLES/questions.flac" said.wav \
    --codes said.st --quiet
run 0 analyze -m "$nano" --codes said.st --json said.wav
cp .tap/out report.json
check "the sound is that of the codes" python3 -c '
import json
m = json.load(open("report.json"))["measures"]
assert m["frames_of_codes"] == 1 and m["text_words"] >= 2, m
assert 0.8 < m["words_per_second"] < 8, m'
python3 - <<'PY'
import array, wave
with wave.open("said.wav") as f:
    params, x = f.getparams(), array.array("h", f.readframes(1 << 30))
n = len(x) // 1920
late = array.array("h", [0] * 500) + x
lost = array.array("h")
for i in range(n):
    if i % 4 != 3:
        lost += x[i * 1920:(i + 1) * 1920]
noise = array.array("h", [(i * i * 7919) % 2000 - 1000 for i in range(len(x))])
for name, samples in (("late", late), ("lost", lost), ("other", noise)):
    with wave.open(name + ".wav", "wb") as f:
        f.setparams(params)
        f.writeframes(samples.tobytes())
PY
run 0 analyze -m "$nano" --codes said.st late.wav
run 1 analyze -m "$nano" --codes said.st lost.wav
has out 'verdict: timeline - of'
has out ' are missing, 0 come twice'
run 1 analyze -m "$nano" --codes said.st other.wav
has out 'class: codec'
run 3 analyze -m "$nano" --codes absent.st said.wav
run 3 analyze -m "$nano" --codes said.wav said.wav
run 3 analyze -m absent said.wav
run 2 analyze --lm "$nano/model.q8.gguf" said.wav
run 2 analyze -m "$nano" -

run 3 analyze sounds/nan.wav
has err 'not a finite number'
run 3 analyze sounds/empty.wav
run 3 analyze sounds/header.wav
run 3 analyze absent.wav
run 2 analyze
run 2 analyze --min-score 101 sounds/clean.wav
finish
