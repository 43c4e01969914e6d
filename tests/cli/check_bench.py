"""check_bench.py: is the JSON of moshi bench complete, and does it agree with
itself?

usage: check_bench.py FILE THREADS LANES FRAMES CACHED [codec]
"""
import json
import sys

path, threads, lanes, frames, cached = sys.argv[1:6]
codec = len(sys.argv) > 6
b = json.load(open(path))

reads = b["machine"]["read_gb_per_s"]
assert reads["1"] > 0.1 and all(r > 0 for r in reads.values()), reads
assert b["machine"]["isa"] in ("ref", "avx2", "avx2vnni", "avx512",
                               "neon", "dotprod", "i8mm"), b["machine"]
assert isinstance(b["model"], str)
assert b["threads"] == int(threads) and b["lanes"] == int(lanes)
assert b["frames"] == int(frames) and b["steps_cached"] == int(cached)
assert isinstance(b["real_time"], bool) and b["rss_mb"] > 1
assert isinstance(b["device"], str) and b["device"]
assert b["real_time"] == b["verdict"]["real_time"]
assert not (b["real_time"] and b["verdict"]["smallest"]), b["verdict"]
assert b["verdict"]["lanes"] == b["lanes"]
assert len(b["runs"]) >= 1 and b["runs"][0]["parts"] == b["parts"]

parts = {p["name"]: p for p in b["parts"]}
wanted = {"mimi_encode", "mimi_decode", "frame"}
if not codec:
    wanted |= {"temporal", "depformer", "sampling", "lm"}
assert set(parts) == wanted, set(parts)
for p in parts.values():
    assert 0 <= p["ms_p50"] <= p["ms_p95"] <= p["ms_p99"], p
    if p["bytes"] and p["ms_p50"] > 0:
        rate = p["bytes"] / p["ms_p50"] * 1e-6
        assert abs(p["gb_per_s"] - rate) <= 1e-6 * rate, p
        # The median of quotients, beside the quotient of medians.
        share = rate / b["read_gb_per_s_beside"]
        assert share / 20 < p["of_read_bandwidth"] < 20 * share, p
total = parts["mimi_encode"]["bytes"] + parts["mimi_decode"]["bytes"]
if not codec:
    assert parts["lm"]["bytes"] == \
        parts["temporal"]["bytes"] + parts["depformer"]["bytes"]
    total += parts["lm"]["bytes"]
assert parts["frame"]["bytes"] == total

if not codec:
    # Keys and values are counted for each stream, weights once.
    one = [r for r in b["runs"] if r["lanes"] == 1]
    two = [r for r in b["runs"] if r["lanes"] == 2]
    if one and two:
        a, c = (r["parts"][-1]["bytes"] for r in (one[0], two[0]))
        assert a < c < 2 * a, (a, c)
if "profile" in b:
    for rows in ("by_kind", "by_layer"):
        names = [(r["plan"], r["name"]) for r in b["profile"][rows]]
        assert len(names) == len(set(names)) > 3
    kinds = sum(r["bytes"] for r in b["profile"]["by_kind"])
    layers = sum(r["bytes"] for r in b["profile"]["by_layer"])
    assert kinds == layers >= parts["frame"]["bytes"] * 0.99
