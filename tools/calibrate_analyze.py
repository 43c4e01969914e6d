#!/usr/bin/env python3
"""How often does `moshi analyze` find what is there, and what is not?

    pip install numpy scipy soundfile       (and espeak-ng, opus-tools)
    tools/calibrate_analyze.py build/src/cli/moshi --recordings FOLDER

Cuts clean speech into pieces of 2.5, 5 and 10 s, makes faulty and honestly
changed copies, runs the program on each, and prints the tables of
docs/ANALYZE.md. Half 0 of the voices is for choosing thresholds, half 1 is
reported; --half 0 shows the other. Sounds stay in --work for the next run.
"""
import argparse
import json
import subprocess
import tempfile
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

import analyze_corpus as corpus


def analyze(moshi, path, *more):
    """The report on a sound that the program can read."""
    done = subprocess.run([moshi, "analyze", "--json", str(path), *more],
                          capture_output=True, text=True)
    assert done.returncode in (0, 1), done.stderr
    return json.loads(done.stdout)


class Bench:
    """Judge sounds, some at a time, and keep the reports by name."""

    def __init__(self, moshi, jobs, more):
        self.moshi, self.more, self.reports = moshi, more, defaultdict(list)
        self.pool = ThreadPoolExecutor(jobs)
        self.folder = tempfile.TemporaryDirectory()
        self.count, self.pending = 0, []

    def judge(self, name, sound, kind):
        path = Path(self.folder.name) / f"{self.count}.wav"
        self.count += 1
        corpus.write(path, sound)

        def work():
            report = analyze(self.moshi, path, *self.more)
            path.unlink()
            return name, kind, report
        self.pending.append(self.pool.submit(work))

    def wait(self):
        for job in self.pending:
            name, kind, report = job.result()
            report["kind"] = kind
            self.reports[name].append(report)
        self.pending = []


def share(reports, test):
    return 100 * np.mean([test(r) for r in reports]) if reports else float("nan")


def is_timeline(report):
    return any(f["class"] == "timeline" for f in report["findings"])


def row(name, reports, good):
    """One line of a table: any finding, timeline found, scores, no answer."""
    scores = [r["score"] for r in reports if r["score"] is not None]
    limit = (lambda s: s >= 80) if good else (lambda s: s <= 50)
    print(f"| {name} | {len(reports)} "
          f"| {share(reports, lambda r: bool(r['findings'])):.1f} % "
          f"| {share(reports, is_timeline):.1f} % "
          f"| {100 * np.mean([limit(s) for s in scores]) if scores else 0:.1f} % "
          f"| {share(reports, lambda r: r['verdict'] == 'cannot tell'):.1f} % |")


def table(title, bench, names, good):
    print(f"\n{title}\n\n| sound | pieces | any finding | timeline | score "
          f"{'>= 80' if good else '<= 50'} | cannot tell |\n|---|---|---|---|---|---|")
    for name in names:
        row(name, bench.reports[name], good)


def percentiles(bench, names):
    print("\nMeasures of clean pieces, percentiles\n\n| measure | 1 | 50 | 99 |\n"
          "|---|---|---|---|")
    reports = [r for n in names for r in bench.reports[n]]
    for measure in reports[0]["measures"]:
        values = [r["measures"][measure] for r in reports]
        values = [v for v in values if v is not None]
        if values:
            low, middle, high = np.percentile(values, [1, 50, 99])
            print(f"| {measure} | {low:.4g} | {middle:.4g} | {high:.4g} |")


def measure(bench, options, seconds):
    rng = np.random.default_rng(int(seconds * 10) + options.half)
    all_clips = [c for c in options.clips if c.half == options.half]
    clean = list(corpus.pieces(all_clips, seconds, rng))
    for clip, sound in clean:
        bench.judge(f"clean, {clip.kind}", sound, clip.kind)
    some = [clean[i] for i in rng.permutation(len(clean))[:options.most]]
    for name in corpus.FAULTS:
        for clip, _ in some:
            sound = corpus.faulty(clip, seconds, name, rng)
            if len(sound) >= seconds * corpus.RATE - corpus.FRAME:
                bench.judge(name, sound, clip.kind)
    for name, change in corpus.CHANGES.items():
        for clip, sound in some:
            bench.judge(name, change(sound, rng, bench.folder.name), clip.kind)
    bench.wait()
    kinds = [n for n in bench.reports if n.startswith("clean")]
    for name in kinds:
        bench.reports["clean, all"] += bench.reports[name]
    table(f"Clean, {seconds:g} s, half {options.half}", bench,
          ["clean, all"] + kinds, True)
    table(f"Honest changes, {seconds:g} s", bench, corpus.CHANGES, True)
    table(f"Faults, {seconds:g} s", bench, corpus.FAULTS, False)
    percentiles(bench, ["clean, all"])
    if options.reports:
        path = options.work / f"reports_{seconds:g}_{options.half}.json"
        path.write_text(json.dumps(bench.reports))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("moshi")
    parser.add_argument("--recordings", help="a folder of WAV files of real speech")
    parser.add_argument("--work", type=Path, default=Path("build/calibration"))
    parser.add_argument("--half", type=int, choices=(0, 1), default=1)
    parser.add_argument("--seconds", type=float, nargs="+", default=[2.5, 5, 10])
    parser.add_argument("--most", type=int, default=120,
                        help="pieces for each fault and change")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--reports", action="store_true",
                        help="keep every report in --work")
    parser.add_argument("--model", help="also take the echo through its codec")
    options = parser.parse_args()
    more = ("-m", options.model) if options.model else ()
    options.clips = corpus.clips(options.moshi, options.work, options.recordings)
    for seconds in options.seconds:
        measure(Bench(options.moshi, options.jobs, more), options, seconds)


if __name__ == "__main__":
    main()
