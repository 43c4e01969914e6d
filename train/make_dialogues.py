"""Step 3: conversations for the language model, as codes.

    python make_dialogues.py WORK --shards 0 40 --threads 1

Writes WORK/dialogues/NNNN.npz, each of 64 conversations of 288 frames:
codes [N, 17, T] (text, own codes, user codes) and words [N, T] (the number of
the user's word that ends in a frame). Each shard has a seed of its own, so
several processes can share the work; a shard that exists is left alone. With
--held-out the voices are those that training never hears, and the folder is
WORK/validation.
"""
import argparse
import os
from pathlib import Path

import numpy as np
import torch

from dialogues import Conversations, Replies, encode
from espeak import Espeak
from lm import load_tokenizer, make_tokenizer
from mimi import load_mimi

CONVERSATIONS, FRAMES = 64, 288


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("work", type=Path)
    parser.add_argument("--shards", type=int, nargs=2, required=True)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--held-out", action="store_true")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    folder = args.work / ("validation" if args.held_out else "dialogues")
    folder.mkdir(exist_ok=True)
    if not (args.work / "tokenizer.model").exists():
        make_tokenizer(args.work / "tokenizer.model")
    mimi, espeak = load_mimi(args.work / "codec.pt"), Espeak()
    replies = Replies(mimi, load_tokenizer(args.work / "tokenizer.model"), espeak)
    for shard in range(*args.shards):
        path = folder / f"{shard:04}.npz"
        if path.exists():
            continue
        source = Conversations(replies, espeak, FRAMES, shard + 10000 * args.held_out,
                               args.held_out)
        codes = np.empty((CONVERSATIONS, 17, FRAMES), np.int16)
        words = np.empty((CONVERSATIONS, FRAMES), np.int16)
        for k in range(CONVERSATIONS):
            sound, codes[k, 0], codes[k, 1:9], words[k] = source.next()
            codes[k, 9:] = encode(mimi, sound[None])[0]
        part = path.with_suffix(f".{os.getpid()}.npz")
        np.savez(part, codes=codes, words=words)
        part.rename(path)
        print(path, flush=True)


if __name__ == "__main__":
    main()
