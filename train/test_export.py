"""Does the C program compute what PyTorch does, on nano itself?

    python test_export.py MOSHI WORK

Exports float32, bf16 and Q8_0; lets `moshi` answer a recording, then gives
PyTorch the same sound and the same past: its codes, and the likeliest token of
every step, must be those of the C program, or as likely within what the rounding
of the type explains. Q8_0 is compared with the weights that it stands for.
"""
import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file
from scipy.io import wavfile

import export
import lm as lm_module
import make_demo
import mimi as mimi_module
from evaluate import read_safetensors
from train_lm import OWN, steps_of

# How much less likely (in logits) C's token may be to PyTorch than PyTorch's own.
MARGIN = {"f32": 1e-3, "bf16": 1e-3, "q8": 0.5}


def rounded(state, kind):
    """The numbers that a file of that type holds, as float32."""
    if kind == "f32":
        return state
    if kind == "bf16":
        return {k: v.bfloat16().float() for k, v in state.items()}
    result = {}
    for name, tensor in state.items():
        if tensor.dim() == 2 and tensor.shape[1] % 32 == 0:
            blocks = np.frombuffer(export.q8_0(tensor.numpy()), np.uint8).reshape(-1, 34)
            scale = blocks[:, :2].copy().view(np.float16).astype(np.float32)
            values = blocks[:, 2:].view(np.int8) * scale
            result[name] = torch.from_numpy(values.reshape(tensor.shape))
        else:
            result[name] = tensor
    return result


@torch.no_grad()
def check(moshi, work, kind, scratch):
    folder = scratch / kind
    subprocess.run([sys.executable, Path(__file__).with_name("export.py"), work, folder,
                    "--type", kind], check=True, stdout=subprocess.DEVNULL)
    sound, codes = scratch / "questions.wav", scratch / "codes.st"
    subprocess.run([moshi, "gen", "-m", folder, sound, scratch / "a.wav", "--greedy",
                    "--codes", codes, "--quiet"], check=True,
                   stdout=subprocess.DEVNULL)
    ours = read_safetensors(codes)
    steps = ours["codes_in"].shape[1]

    mimi = mimi_module.new_mimi()
    mimi.load_state_dict({k: v.float() for k, v in
                          load_file(folder / "mimi.safetensors").items()})
    samples = wavfile.read(sound)[1].astype(np.float32) / 32768
    samples = np.pad(samples, (0, 1920))[:steps * 1920]
    samples = np.pad(samples, (0, steps * 1920 - len(samples)))
    heard = mimi.eval().encode(torch.from_numpy(samples)[None, None])[0].numpy()
    codes_apart = (heard != ours["codes_in"]).mean()

    lm = lm_module.new_lm()
    lm.load_state_dict(rounded(lm_module.load_lm(work / "lm.pt").state_dict(), kind))
    # what each step made, with the delays undone as steps_of lays them
    made = ours["audio_tokens"]
    own = np.concatenate([made[:1], np.roll(made[1:], -1, 1)])
    row = np.concatenate([ours["text_tokens"].reshape(1, -1), own, ours["codes_in"]])
    inputs, targets = steps_of(lm.eval(), torch.from_numpy(row[None].astype(np.int64)))
    out, text = lm.forward_text(inputs)
    flat = targets.transpose(1, 2).reshape(-1, 17)
    audio = lm.forward_depformer_training(flat[:, :, None], out.reshape(-1, 1, lm.dim))
    worst, apart, count = 0.0, 0, 0
    for logits, wanted in ((text[0, 0, :-1], targets[0, 0, :-1]),
                           (audio[1:-1, :, 0], flat[1:-1, OWN])):
        best = logits.max(-1).values
        lost = best - logits.gather(-1, wanted.long()[..., None])[..., 0]
        worst = max(worst, lost.max().item())
        apart += (lost > 0).sum().item()
        count += lost.numel()
    kept = codes_apart == 0 and worst <= MARGIN[kind]
    print(f"{kind:5} codes apart {codes_apart:.4f}; tokens apart {apart} of {count}, "
          f"by {worst:.4f} at most: {'ok' if kept else 'NOT THE SAME'}")
    return kept


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("moshi", type=Path)
    parser.add_argument("work", type=Path)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        scratch = Path(scratch)
        sys.argv = ["make_demo.py", str(scratch)]
        make_demo.main()
        results = [check(args.moshi.resolve(), args.work, kind, scratch)
                   for kind in MARGIN]
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
