#!/bin/sh
# Bad input: exit status 3, one clear line, no file made or destroyed.
. "$(dirname "$0")/../tap.sh"
f=$MOSHI_FIXTURES
here=$(dirname "$0")

run 0 synth tiny tiny
check "bad files are made" python3 "$here/make_bad_files.py" tiny \
    "$f/lm-moshi-tiny/model.q8.gguf" bad
in=bad/good.wav
echo "an old recording" >old.wav
cp old.wav kept.wav

# refuse WORDS ARG...: gen with these arguments fails and says WORDS.
refuse() {
    words=$1
    shift
    run 3 gen "$@" -q "$in" old.wav
    lines out 0
    has err "moshi: "
    has err "$words"
    check "one line, and a hint at most" \
        awk 'NR > 1 && !/^hint: / || NR > 2 { exit 1 }' .tap/err
    check "the old file is untouched" cmp old.wav kept.wav
    check "no half file is left" test "$(ls old.wav* | wc -l)" -eq 1
}
part="--mimi tiny/mimi.safetensors --mimi-config tiny/mimi_config.json"
part="$part --tokenizer $f/text/tiny96.model"
config="--config tiny/config.json"

refuse "no such model: 'nowhere'" -m nowhere
refuse "cannot open 'nowhere.gguf'" $part --lm nowhere.gguf
mkdir hollow
refuse "'hollow' holds no language model" -m hollow
refuse "the file is empty" $part $config --lm bad/empty.safetensors
refuse "only 5 bytes" $part $config --lm bad/short.safetensors
refuse "the file ends at" $part $config --lm bad/truncated.safetensors
refuse "the header is said to take" $part $config \
    --lm bad/header_beyond.safetensors
refuse "not valid JSON" $part $config --lm bad/not_json.safetensors
refuse "the file ends at" $part $config --lm bad/outside.safetensors
refuse "overlaps" $part $config --lm bad/overlap.safetensors
refuse "tensor text_linear.weight has type I32, which cannot be a weight" \
    $part $config --lm bad/wrong_type.safetensors
refuse "type F7" $part $config --lm bad/unknown_type.safetensors
refuse "num_layers is 1 by the tensors but 3 by tiny/config.json" \
    $part $config --lm bad/missing_tensor.safetensors
for name in truncated short outside; do
    refuse "the file ends at" $part $config --lm bad/$name.gguf
done
refuse "GGUF version 9" $part $config --lm bad/version9.gguf
refuse "at most 65536" $part $config --lm bad/many_tensors.gguf
refuse "type 99" $part $config --lm bad/bad_type.gguf

# Configs that do not fit: both sides are named.
lm="--lm tiny/model.safetensors"
refuse "tensor text_emb.weight is [97, 64] but bad/text_card.json says text_card = 48000" \
    $part $lm --config bad/text_card.json
refuse "tensor text_emb.weight is [97, 64] but bad/dim.json says dim = 128" \
    $part $lm --config bad/dim.json
refuse "num_layers is 3 by the tensors but 7 by bad/layers.json" \
    $part $lm --config bad/layers.json
refuse "the feed-forward is 128 wide by the tensors but 176 by hidden_scale" \
    $part $lm --config bad/hidden.json
refuse "num_heads = 5 does not divide the width 64" \
    $part $lm --config bad/heads.json
refuse "delays must have n_q + 1 entries" $part $lm --config bad/n_q.json
refuse "delays must have n_q + 1 entries" $part $lm --config bad/delays.json
refuse "norm is of a kind" $part $lm --config bad/norm.json
refuse "norm_emb is on, which this program does not support" $part $lm \
    --config bad/norm_emb.json
refuse "conditioner 'description' but the file has no tensors for it" \
    $part $lm --config bad/conditioners.json
refuse "bad/broken.json: line 2" $part $lm --config bad/broken.json
refuse "not a config" $part $lm --config bad/list.json
refuse "neither the tensors nor a config tell num_heads" $part $lm

# Codecs and tokenizers that do not belong.
refuse "Hugging Face transformers naming" $config $lm \
    --mimi bad/hugging_face_mimi.safetensors
refuse "a language model (it holds text_emb.weight), not a Mimi codec" \
    $config $lm --mimi tiny/model.safetensors
refuse "a Mimi codec, not a language model" $config $part \
    --lm tiny/mimi.safetensors
python3 - <<'PY'
import json
c = json.load(open("tiny/mimi_config.json"))
c["quantizer"]["n_q"] = 7
json.dump(c, open("bad/seven.json", "w"))
PY
refuse "holds fewer than the 8 codebooks that the language model" $config $lm \
    --mimi bad/seven_codebooks.safetensors --mimi-config bad/seven.json
refuse "mimi_config.json says n_q = 8 but the tensors of" $config $lm \
    --mimi bad/seven_codebooks.safetensors --mimi-config tiny/mimi_config.json
refuse "not the published Mimi codec" $config $lm --mimi tiny/mimi.safetensors
refuse "has 120 pieces but the language model" -m tiny \
    --tokenizer "$f/text/tiny120.model"
refuse "bad/text.wav" -m tiny --tokenizer bad/text.wav

# Recordings. An odd rate or many channels are no fault.
tiny="-m tiny --tokenizer $f/text/tiny96.model"
in=nowhere.wav
refuse "nowhere.wav" $tiny
in=bad/empty.wav
refuse "is empty" $tiny
in=bad/text.wav
refuse "is not audio that can be read" $tiny
in=bad/no_samples.wav
refuse "holds no sound" $tiny
in=bad/nan.wav
refuse "is not a finite number" $tiny
for name in channels8 rate8000 rate192000; do
    run 0 gen $tiny bad/$name.wav $name-out.wav -q
    check "$name: one second and a half is heard, 17 frames spoken" \
        test "$(wc -c <$name-out.wav)" -eq $((44 + 17 * 3840))
done

# Nowhere to write.
in=bad/good.wav
run 3 gen $tiny "$in" nofolder/out.wav -q
has err "cannot write 'nofolder/out.wav'"
run 3 gen $tiny "$in" bad -q
has err "it is a folder"
mkdir locked
echo old >locked/out.wav
chmod a-w locked
if [ -w locked ]; then
    skip "a read-only folder" "this user may write anywhere"
else
    run 3 gen $tiny "$in" locked/out.wav -q
    has err "cannot write 'locked/out.wav'"
    check "the old file is untouched" grep -q old locked/out.wav
fi
if [ -c /dev/full ]; then
    run 3 gen $tiny "$in" /dev/full -q
    has err "No space left on device"
    run 3 codec encode -m tiny "$in" /dev/full -q
    has err "No space left on device"
    echo old >kept.wav
    run 3 gen $tiny "$in" kept.wav --text /dev/full -q
    has err "No space left on device"
    run 3 gen $tiny "$in" kept.wav --codes nofolder/codes.st -q
    has err "cannot write 'nofolder/codes.st'"
    check "no old recording is lost for it" grep -q old kept.wav
else
    skip "a full disk" "there is no /dev/full"
fi

# A folder whose config names a file that is not there.
mkdir nocodec
cp tiny/config.json tiny/model.safetensors nocodec
run 3 gen -m nocodec "$in" out.wav -q
has err "there is no file 'nocodec/mimi.safetensors', which nocodec/config.json"
has err "with --mimi"
run 0 inspect nocodec
run 3 inspect tiny/mimi.safetensors
has err "--config FILE"
lacks err "--mimi-config"
run 0 inspect tiny/mimi.safetensors --config tiny/mimi_config.json

# A file that cannot grow: as on a full disk, but for anybody.
cat >limited.py <<'PY'
import os, resource, signal, sys
signal.signal(signal.SIGXFSZ, signal.SIG_DFL) # which would end the process
resource.setrlimit(resource.RLIMIT_FSIZE, (20000, 20000))
os.execv(sys.argv[1], sys.argv[1:])
PY
for kind in gen roundtrip encode; do
    cp kept.wav old.wav
    reason="File too large"
    case $kind in
    gen) set -- gen $tiny "$in" old.wav -q ;;
    roundtrip) set -- codec roundtrip -m tiny "$in" old.wav -q ;;
    encode) set -- codec encode -m tiny bad/long.wav old.wav -q
        reason="it would have 0.02 MB, and files here may have 0.02 MB" ;;
    esac
    check "$kind into a file that cannot grow fails with 3" sh -c \
        'python3 limited.py "$@" >said 2>&1; test $? -eq 3' sh "$MOSHI_BIN" "$@"
    check "$kind says so" grep -q "cannot write 'old.wav': $reason" said
    check "the old file is untouched" cmp old.wav kept.wav
    check "no half file is left" test "$(ls old.wav* | wc -l)" -eq 1
done
finish
