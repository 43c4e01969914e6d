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

run 3 analyze sounds/nan.wav
has err 'not a finite number'
run 3 analyze sounds/empty.wav
run 3 analyze sounds/header.wav
run 3 analyze absent.wav
run 2 analyze
run 2 analyze --min-score 101 sounds/clean.wav
finish
