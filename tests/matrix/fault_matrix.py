#!/usr/bin/env python3
"""fault_matrix.py: put in each historic defect; see what the instruments say.

    fault_matrix.py MOSHI MOSHI_FAULTY LIST_FAULTS SOURCE [--only NAMES]
        [--quick] [--out FILE]

Goal: every fault is called by its class, or not at all; nothing is found where
nothing is wrong; the first wrong operation is named. Method: the table of
faults (faults.h) says beforehand what is right. For each, moshi-faulty stands
for a port with that defect and answers examples/questions.flac; then, as
docs/DIAGNOSIS.md has a user do it,

  doctor    the port examines itself against what ships with the model;
  run       the right program judges the recorded run: codes, tokens and sound;
  replay    it decodes the recorded codes in other ways;
  analyze   it listens to the recorded sound;
  compare   the port is held against itself without the defect.

The class is that of the first of these that names one. TAP on standard output;
--out writes docs/FAULTS.md; --quick leaves out replay, which takes most of the
time (some minutes for the whole table).
"""
import argparse, json, os, shutil, struct, subprocess, sys, tempfile

CLASSES = ("file", "config", "input", "codec", "model code", "timeline",
           "sampling", "speed", "device", "model limit")
NONE = ("ok", "cannot tell", "-")

# Where compare has to look: in the first frames there is nothing to lose yet.
FRAMES = {"ring-off-by-one": "188:196"}


def read_tensors(path):
    """A safetensors file or a GGUF-less checkpoint: header and raw bytes."""
    raw = open(path, "rb").read()
    n, = struct.unpack("<Q", raw[:8])
    return json.loads(raw[8:8 + n]), bytearray(raw[8 + n:])


def write_tensors(path, head, data):
    text = json.dumps(head).encode()
    with open(path, "wb") as out:
        out.write(struct.pack("<Q", len(text)) + text + bytes(data))


def transpose_codes(path):
    """codes_out: the numbers of [T, K] under the shape [K, T]."""
    head, data = read_tensors(path)
    K, T = head["codes_out"]["shape"]
    at = head["codes_out"]["data_offsets"][0]
    flat = struct.unpack_from("<%di" % (K * T), data, at)
    turned = [flat[k * T + t] for t in range(T) for k in range(K)]
    struct.pack_into("<%di" % (K * T), data, at, *turned)
    write_tensors(path, head, data)


# --- files of a model with a defect ---

def q8_rows(path, name):
    """Where the Q8_0 rows of a tensor stand in a GGUF file."""
    raw = open(path, "rb").read()
    at = 0

    def take(form):
        nonlocal at
        values = struct.unpack_from("<" + form, raw, at)
        at += struct.calcsize("<" + form)
        return values[0] if len(values) == 1 else values

    def text():
        nonlocal at
        n = take("Q")
        at += n
        return raw[at - n:at].decode()

    def skip_value(kind):
        nonlocal at
        sizes = {0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8,
                 12: 8}
        if kind == 8:
            text()
        elif kind == 9:
            inner, n = take("IQ")
            for _ in range(n):
                skip_value(inner)
        else:
            at += sizes[kind]

    assert raw[:4] == b"GGUF"
    at = 4
    _, tensors, pairs = take("IQQ")
    alignment = 32
    for _ in range(pairs):
        key = text()
        kind = take("I")
        if key == "general.alignment":
            alignment = take("I")
        else:
            skip_value(kind)
    found = None
    for _ in range(tensors):
        label = text()
        dims = [take("Q") for _ in range(take("I"))]
        kind, offset = take("IQ")
        if label == name:
            assert kind == 8, "not Q8_0"
            found = dims, offset
    base = (at + alignment - 1) // alignment * alignment
    (width, rows), offset = found
    return base + offset, width // 32 * 34, rows


def edit_scale(path, name, row, change):
    start, row_bytes, _ = q8_rows(path, name)
    raw = bytearray(open(path, "rb").read())
    for at in range(start + row * row_bytes, start + (row + 1) * row_bytes, 34):
        raw[at:at + 2] = change(bytes(raw[at:at + 2]), at)
    open(path, "wb").write(raw)


def bad_model(name, source, folder):
    model = os.path.join(folder, "nano")
    shutil.copytree(source, model)
    lm = os.path.join(model, "model.q8.gguf")
    if name == "bit-flipped":
        raw = bytearray(open(lm, "rb").read())
        raw[len(raw) // 2] ^= 4
        open(lm, "wb").write(raw)
    elif name == "truncated":
        os.truncate(lm, os.path.getsize(lm) - 1_000_000)
    elif name == "row-scale":
        def louder(half, at):
            return struct.pack("<e", struct.unpack("<e", half)[0] * 64)
        edit_scale(lm, "transformer.layers.2.gating.linear_in.weight", 5,
                   louder)
    elif name == "nan-file":
        first = []

        def infinite(half, at):
            first.append(at)
            return b"\0\x7c" if len(first) == 1 else half
        edit_scale(lm, "depformer.3.linear_out.weight", 9, infinite)
    elif name == "wrong-config":
        path = os.path.join(model, "config.json")
        config = json.load(open(path))
        config.update(text_card=48000, dim=2048)
        json.dump(config, open(path, "w"))
    else:
        sys.exit("no such edit of a file: " + name)
    return model


# --- the instruments ---

class Bench:
    def __init__(self, args, folder):
        self.moshi, self.faulty = args.moshi, args.faulty
        self.nano = os.path.join(args.source, "models", "nano")
        self.sound = os.path.join(args.source, "examples", "questions.flac")
        self.folder, self.quick = folder, args.quick
        self.replayed = {} # answers by the codes that they are about

    def json(self, program, fault, *args):
        env = dict(os.environ, MOSHI_FAULT=fault)
        done = subprocess.run([program, *args, "--json", "-q"], env=env,
                              capture_output=True, text=True)
        if done.returncode not in (0, 1):
            return {"verdict": "-", "line": done.stderr.strip()[:200]}
        return json.loads(done.stdout)

    def examine(self, fault, where, model):
        """The verdict of each instrument: {name: (class, line)}."""
        at = lambda name: os.path.join(self.folder, name)
        if where in ("file", "config", "codes"):
            fault = ""
        said = {}

        def note(name, answer):
            said[name] = answer["verdict"], answer.get("line", "")

        note("doctor", self.json(self.faulty, fault, "doctor", model))
        env = dict(os.environ, MOSHI_FAULT=fault)
        done = subprocess.run(
            [self.faulty, "gen", "-m", model, self.sound, at("out.wav"),
             "--codes", at("run.safetensors"), "-q"], env=env,
            capture_output=True, text=True)
        if done.returncode != 0:
            for name in ("run", "replay", "analyze"):
                said[name] = "-", "nothing came out"
            return said
        codec = ["-m", self.nano]
        if where == "codes":
            transpose_codes(at("run.safetensors"))
            subprocess.run([self.moshi, "codec", "decode", *codec,
                            at("run.safetensors"), at("out.wav"), "-q"],
                           check=True)
        note("run", self.json(self.moshi, "", "doctor", model, "--run",
                              at("run.safetensors"), "--sound", at("out.wav")))
        said["replay"] = self.replay(at("run.safetensors"))
        answer = self.json(self.moshi, "", "analyze", *codec, "--codes",
                           at("run.safetensors"), at("out.wav"))
        answer["line"] = "; ".join(f["what"] for f in
                                   answer.get("findings", []))
        note("analyze", answer)
        return said

    def replay(self, path):
        if self.quick:
            return "-", "left out"
        head, data = read_tensors(path)
        codes = bytes(data[slice(*head["codes_out"]["data_offsets"])])
        if codes not in self.replayed:
            answer = self.json(self.moshi, "", "codec", "decode", "-m",
                               self.nano, path, "--delay-scan", "--order-scan",
                               "--scan-seconds", "12")
            self.replayed[codes] = answer["verdict"], answer.get("line", "")
        return self.replayed[codes]

    def first_op(self, fault, where, model):
        """What compare calls the first wrong operation."""
        b = "fault=" + fault
        if where in ("file", "config"):
            b = "model=" + model
        answer = self.json(self.faulty, "", "compare", "-m", self.nano,
                           self.loud, "--a", "", "--b", b, "--tolerance", "0",
                           "--frames", FRAMES.get(fault, ":4"))
        if "first" not in answer:
            return "-"
        if answer["identical"]:
            return "identical"
        return answer["first"]["op"] if answer["first"] else "tokens"

    def make_loud(self):
        """The recording without the silence at its start: in digital silence
        many a fault has nothing to change."""
        import array, wave
        self.loud = os.path.join(self.folder, "loud.wav")
        whole = os.path.join(self.folder, "whole.wav")
        subprocess.run(["sox", self.sound, whole], check=True) \
            if shutil.which("sox") else \
            subprocess.run([self.moshi, "codec", "roundtrip", "-m", self.nano,
                            self.sound, whole, "-q"], check=True)
        with wave.open(whole) as f:
            params, x = f.getparams(), array.array("h", f.readframes(1 << 30))
        start = next(i for i, v in enumerate(x) if abs(v) > 1000)
        with wave.open(self.loud, "wb") as f:
            f.setparams(params)
            f.writeframes(x[start:].tobytes())


def combined(said):
    """docs/DIAGNOSIS.md: the first instrument that names a class."""
    for name in ("doctor", "run", "replay", "analyze"):
        if said[name][0] in CLASSES:
            return said[name][0]
    return "cannot tell" if said["run"][0] == "cannot tell" else "ok"


# --- the table ---

HEAD = """# Faults, and who finds them

Made by `make fault-matrix`: do not edit. Each row is a defect that a port of
Moshi, or somebody's test of one, really had (tests/matrix/faults.h). A program
with that defect answers `examples/questions.flac` with nano; the instruments
look at it in the order of [DIAGNOSIS.md](DIAGNOSIS.md), and the class is that
of the first one that names one. They know nothing of the defects.

- doctor: `moshi doctor MODEL`, of the program with the defect, which examines
  itself against the files, the reference kernels, and the conversation and the
  trace that ship with nano.
- run: `moshi doctor MODEL --run CODES --sound WAV`, of the right program, on
  what the other one recorded.
- replay: `moshi codec decode --delay-scan --order-scan CODES`; analyze:
  `moshi analyze --codes CODES WAV`; both of the right program. They see a fault only where it
  can be heard: most faults inside the model leave nano's answer a good one.
- compare: the first wrong operation, `--tolerance 0`, of the program with the
  defect against the same without. "same bits": not inside the model.

"""


def tables(rows, clean):
    lines = [HEAD]
    right = sum(r["class"] == r["about"] for r in rows)
    unknown = sum(r["class"] in NONE for r in rows)
    wrong = len(rows) - right - unknown
    inside = [r for r in rows if r["op"]]
    named = sum(r["first"] == r["op"] for r in inside)
    lines.append(f"{len(rows)} faults: {right} called by their class, "
                 f"{unknown} not told, {wrong} called by a wrong one. Of "
                 f"{len(inside)} inside the model or its inputs the first wrong "
                 f"operation is named in {named}. Clean run: "
                 + ", ".join(f"{k} {v[0]}" for k, v in clean.items()) + ".\n\n")
    lines.append("| fault | class | doctor | run | replay | analyze "
                 "| combined | compare: first wrong operation |\n"
                 "|---|---|---|---|---|---|---|---|\n")
    for r in rows:
        first = {"identical": "same bits", "tokens": "none; the tokens",
                 "-": "-"}.get(r["first"], f"`{r['first']}`")
        cells = [r["said"][k][0] for k in ("doctor", "run", "replay",
                                           "analyze")]
        lines.append(f"| {r['name']} | {r['about']} | " + " | ".join(cells) +
                     f" | **{r['class']}** | {first} |\n")
    lines.append("\n## The defects\n\n| fault | acts on | is |\n|---|---|---|\n")
    for r in rows:
        lines.append(f"| {r['name']} | {r['where']} | {r['defect']} |\n")
    lines.append("\n## What was said\n\nThe line of the instrument that decided.\n\n")
    for r in rows:
        name = next((k for k in r["said"] if r["said"][k][0] == r["class"]),
                    None)
        if name:
            lines.append(f"- **{r['name']}**, {name}: "
                         f"{r['said'][name][1].strip()}\n")
    return "".join(lines)


def point(ok, text, state={"n": 0}):
    state["n"] += 1
    print(f"{'ok' if ok else 'not ok'} {state['n']} - {text}", flush=True)
    return ok


def main():
    p = argparse.ArgumentParser()
    p.add_argument("moshi")
    p.add_argument("faulty")
    p.add_argument("list")
    p.add_argument("source")
    p.add_argument("--only", default="")
    p.add_argument("--quick", action="store_true")
    p.add_argument("--out")
    args = p.parse_args()
    listed = subprocess.run([args.list], capture_output=True, text=True,
                            check=True).stdout
    keys = ("name", "about", "where", "op", "defect")
    rows = [dict(zip(keys, line.split("\t"))) for line in listed.splitlines()]
    if args.only:
        rows = [r for r in rows if r["name"] in args.only.split(",")]
    all_right = True
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(args, folder)
        bench.make_loud()
        clean = bench.examine("", "none", bench.nano)
        all_right &= point(all(v[0] in NONE for v in clean.values()),
                           f"nothing is found on the clean run: "
                           + "; ".join(f"{k}: {v[0]} {v[1]}" if v[0] not in NONE
                                       else f"{k}: {v[0]}"
                                       for k, v in clean.items()))
        for r in rows:
            model = bench.nano
            if r["where"] in ("file", "config"):
                shutil.rmtree(os.path.join(folder, "nano"), ignore_errors=True)
                model = bad_model(r["name"], bench.nano, folder)
            r["said"] = bench.examine(r["name"], r["where"], model)
            r["class"] = combined(r["said"])
            r["first"] = bench.first_op(r["name"], r["where"], model) \
                if r["where"] not in ("sound out", "codes") else "identical"
            all_right &= point(
                r["class"] in (r["about"], "cannot tell"),
                f"{r['name']}: {r['class']}, expected {r['about']} ("
                + ", ".join(f"{k} {v[0]}" for k, v in r["said"].items()) + ")")
            if r["op"]:
                all_right &= point(r["first"] == r["op"],
                                   f"{r['name']}: first wrong is {r['first']}, "
                                   f"expected {r['op']}")
    right = sum(r["class"] == r["about"] for r in rows)
    all_right &= point(24 * right >= 22 * len(rows),
                       f"{right} of {len(rows)} faults are called by their "
                       f"class")
    print(f"1..{point.__defaults__[0]['n']}")
    if args.out:
        open(args.out, "w").write(tables(rows, clean))
    return 0 if all_right else 1


if __name__ == "__main__":
    sys.exit(main())
