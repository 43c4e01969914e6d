"""A report of moshi analyze --json against the class it should name: usage:
REPORT CLASS."""
import json
import sys

with open(sys.argv[1]) as file:
    report = json.load(file)
wanted = sys.argv[2]
score, findings = report["score"], report["findings"]
assert report["verdict"] == wanted, (report["verdict"], report["line"])
for finding in findings:
    low, high = finding["expected"]
    assert finding["what"] and finding["class"], finding
    assert low is not None or high is not None, finding
if wanted == "ok":
    assert score >= 80 and not findings, (score, findings)
elif wanted in ("input", "cannot tell"):
    assert score is None, score
else:
    assert score <= 50 and report["flagged"], score
