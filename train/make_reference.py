"""Step 6c: the conversation that `moshi doctor` holds a model's file against.

    python make_reference.py MOSHI FOLDER RECORDING

Lets the model answer the recording and writes FOLDER/reference.safetensors: text
[T], own and user codes [K, T], the delays undone.
"""
import argparse
import subprocess
import tempfile
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

from evaluate import read_safetensors


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("moshi")
    parser.add_argument("folder", type=Path)
    parser.add_argument("recording")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        codes = Path(scratch) / "codes.safetensors"
        subprocess.run([args.moshi, "gen", "-m", args.folder, args.recording,
                        Path(scratch) / "answer.wav", "--codes", codes, "--quiet"],
                       check=True, stdout=subprocess.DEVNULL)
        made = read_safetensors(codes)
    frames = made["codes_out"].shape[1]  # the last ones wait for their delay
    save_file({"text": made["text_tokens"].ravel()[:frames].copy(),
               "own": np.ascontiguousarray(made["codes_out"]),
               "user": made["codes_in"][:, :frames].copy()},
              args.folder / "reference.safetensors")


if __name__ == "__main__":
    main()
