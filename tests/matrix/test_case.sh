#!/bin/sh
# Goal: the recorded case. People tried some forty versions of a port of Moshi
# and never learnt what was wrong; these are the facts of it, and each must be
# settled by one command. Method: the same mistakes with nano, by the program
# itself where an option can make them, else by moshi-faulty.
. "$(dirname "$0")/../tap.sh"
nano=$MOSHI_SOURCE/models/nano
examples=$MOSHI_SOURCE/examples

# faulty FAULT NAME [RECORDING]: the run of a port with that defect, recorded
faulty() {
    MOSHI_FAULT=$1 "$MOSHI_FAULTY" gen -m "$nano" "$examples/${3:-hello.wav}" \
        "$2.wav" --codes "$2.st" --tail 2 --quiet >/dev/null
}

# "The user says hello": it was white noise at -65 dBFS.
python3 - <<'PY'
import random, struct, wave
rng = random.Random(1)
w = wave.open("hello.wav", "wb")
w.setparams((1, 2, 24000, 0, "NONE", ""))
level = 32768 * 10 ** (-65 / 20)
w.writeframes(b"".join(struct.pack("<h", round(rng.gauss(0, level)))
                       for _ in range(24000 * 5)))
PY
run 0 gen -m "$nano" hello.wav out.wav --quiet
has err "seems to hold no speech"
run 1 analyze hello.wav --json
has out '"verdict": "input"'

# Then codes of zero were fed as what the user says.
faulty user-zero zero
run 1 doctor "$nano" --run zero.st --quiet
has out "verdict: input - run: what was heard: code 0 in every codebook"

# One text token was forced on every frame.
faulty forced-text forced
run 1 doctor "$nano" --run forced.st --quiet
has out "verdict: sampling - run: text: token 42 on"

# A delay of 2 on a model trained with 1, as the official Rust gen has it.
run 0 gen -m "$nano" "$examples/hello.wav" late.wav --codes late.st --tail 2 \
    --acoustic-delay 2 --quiet
has err "an acoustic delay of 2 steps is used"
run 1 doctor "$nano" --run late.st --quiet
has out "verdict: timeline - run: codes put together: codebook 1 is codebook 1"
has out "of 2 steps later, not 1 of 1"
has out "the run was made with an acoustic delay of 2"

# The config of another model (48001 text tokens, 2048 wide), edited by hand.
cp -r "$nano" other
python3 - <<'PY'
import json
c = json.load(open("other/config.json"))
c.update(dim=2048, text_card=48000, num_layers=16, num_heads=16, n_q=16,
         dep_q=8)
json.dump(c, open("other/config.json", "w"))
PY
run 1 doctor other --quick --quiet
has out "verdict: config - config: fits the tensors"
has out "config.json says dim = 2048"
has out "use the one of the model's own repository, and do not edit it"
# Its "missing quality conditioning" is normal for the model that was run.
run 0 doctor "$nano" --quick --quiet
has out "no quality conditioning is missing"

# 200 to 400 ms for each frame of 80 ms.
what="doctor of a slow port"
MOSHI_FAULT=slow "$MOSHI_FAULTY" doctor "$nano" --quick --quiet >.tap/out 2>.tap/err
has out "verdict: speed - speed: a frame"

# The hand-made score passed reversed, shuffled and duplicated frames as often
# as clean speech. Against the codes of the run each is told from it.
faulty "" clean
run 0 doctor "$nano" --run clean.st --sound clean.wav --quiet
has out "verdict: ok"
for fault in frames-reversed frames-swapped frames-doubled; do
    faulty $fault $fault
    run 1 doctor "$nano" --run $fault.st --sound $fault.wav --quiet
    has out "verdict: timeline - run: the sound"
done
# And from its sound alone, given three answers to judge by.
faulty "" long questions.flac
run 0 analyze long.wav --json
has out '"verdict": "ok"'
for fault in frames-reversed frames-swapped frames-doubled; do
    faulty $fault long questions.flac
    run 1 analyze long.wav --json
    has out '"verdict": "timeline"'
done

# Recognised words are no judge; a right run must not be accused.
run 0 doctor "$nano" --run clean.st --quiet
finish
