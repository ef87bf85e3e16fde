# SPDX-License-Identifier: Apache-2.0
"""line_profiler's files: a pickle, read by Python's own unpickler, to which one class is known."""

import io
import pickle
from typing import Any

from . import spelling
from .oracle import LARGEST
from .synthetic import Recording

Timings = dict[tuple[str, int, str], list[tuple[int, int, int]]]
MOST = 2**63 - 1  # what the counters of line_profiler hold


class Stats:
    timings: Timings
    unit: float


class Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        assert (module, name) == ("line_profiler._line_profiler", "LineStats")
        return Stats


def read(exported: bytes) -> Timings:
    file = io.BytesIO(exported)
    stats = Unpickler(file).load()
    assert type(stats) is Stats and set(vars(stats)) == {"timings", "unit"}
    assert stats.unit == 1e-9 and file.read() == b""
    return stats.timings


def expected(recording: Recording) -> Timings:
    """The lines that ran, of all codes with one key."""
    summed: dict[tuple[str, int, str], dict[int, tuple[int, int]]] = {}
    for code, line, hits, time, *_ in recording.lines:
        of = recording.codes[code]
        key = spelling.text(of.file), of.line, spelling.text(spelling.name(of))
        lines = summed.setdefault(key, {})
        if line > 0:
            before = lines.get(line, (0, 0))
            lines[line] = min(before[0] + hits, LARGEST), min(before[1] + time, LARGEST)
    return {
        key: [
            (line, min(hits, MOST), min(time, MOST))
            for line, (hits, time) in sorted(lines.items())
            if hits or time
        ]
        for key, lines in summed.items()
    }
