"""Step 8: pictures of how training went, from the logs in WORK.

    python plot_curves.py WORK curves.png
"""
import argparse
import json
from pathlib import Path

import matplotlib
import matplotlib.pyplot as plt

matplotlib.use("Agg")

# (log, title, values)
PANELS = [
    ("codec", "codec: log mel distance", ["mel"]),
    ("codec", "codec: phonemes right from code 0; code entropy (share of log 512)",
     ["right", "entropy0", "entropy"]),
    ("codec_final", "decoder alone: log mel distance, feature matching",
     ["mel", "matching"]),
    ("codec_final", "decoder alone: the listener's and the decoder's losses",
     ["listener", "adversarial"]),
    ("lm", "language model: losses", ["text", "audio", "words"]),
    ("lm", "language model: voices held out, right with the right past",
     ["v_reply", "v_text", "v_codes", "v_words"]),
]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("work", type=Path)
    parser.add_argument("picture", type=Path)
    args = parser.parse_args()
    _, axes = plt.subplots(3, 2, figsize=(12, 11), constrained_layout=True)
    for axis, (log, title, names) in zip(axes.flat, PANELS):
        path = args.work / f"{log}.log.jsonl"
        rows = ([json.loads(line) for line in path.read_text().splitlines()]
                if path.exists() else [])
        for name in names:
            points = [(r["steps"], r[name]) for r in rows if name in r]
            if points:
                axis.plot(*zip(*points), label=name)
        axis.set_title(title, fontsize=10)
        axis.set_xlabel("steps")
        axis.grid(alpha=0.3)
        axis.legend()
    plt.savefig(args.picture, dpi=80)


if __name__ == "__main__":
    main()
