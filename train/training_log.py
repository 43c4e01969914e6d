"""Means of what a training step measures, printed and kept as lines of JSON."""
import json
import time


class TrainingLog:
    def __init__(self, path):
        self._file = open(path, "a", encoding="utf-8")
        self._begin, self._sums, self._count = time.time(), {}, 0

    def add(self, values):
        """The values (scalars, tensors among them) of one step."""
        self._count += 1
        for name, value in values.items():
            self._sums[name] = self._sums.get(name, 0.0) + float(
                value.detach() if hasattr(value, "detach") else value)

    def write(self, steps, **more):
        """One line: the means since the last one, and what else is to be kept."""
        row = {"steps": steps, "minutes": round((time.time() - self._begin) / 60, 2)}
        row.update({k: round(v / self._count, 4) for k, v in self._sums.items()})
        row.update({k: round(v, 4) for k, v in more.items()})
        self._file.write(json.dumps(row) + "\n")
        self._file.flush()
        print(row, flush=True)
        self._sums, self._count = {}, 0
