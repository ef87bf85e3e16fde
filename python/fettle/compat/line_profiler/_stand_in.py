# SPDX-License-Identifier: Apache-2.0
"""Until the engine records lines and reads .lprof: a slow recorder on sys.settrace, and pickles."""

import pickle
import sys
import threading
from time import perf_counter_ns
from typing import Any


class Recorder:
    def __init__(self, **options: Any) -> None:
        self.codes: set[Any] = set()
        self.rows: dict[Any, dict[int, list[int]]] = {}
        self.starts = 0

    def mark(self, function: Any) -> None:
        self.codes.add(function.__code__)

    def start(self) -> None:
        self.starts += 1
        _active.append(self)
        sys.settrace(_trace)
        threading.settrace(_trace)

    def stop(self) -> None:
        self.starts -= 1
        _active.remove(self)
        if not _active:
            sys.settrace(None)
            threading.settrace(None)

    def profile(self) -> "Recorder":
        return self

    def lines(self) -> list[Any]:
        tables: dict[Any, Any] = {}
        for code, lines in self.rows.items():
            key = code.co_filename, code.co_firstlineno, code.co_name, code.co_qualname
            table = tables.setdefault(key, {})
            for line, (hits, time) in lines.items():
                old = table.get(line, (0, 0))
                table[line] = (old[0] + hits, old[1] + time)
        return [
            (*key, 0, [(n, hits, time, 0, 0) for n, (hits, time) in sorted(table.items())])
            for key, table in sorted(tables.items())
        ]


_active: list[Recorder] = []


def _trace(frame: Any, event: str, arg: object) -> Any:
    code = frame.f_code
    wanted = [r for r in _active if code in r.codes]
    if not wanted:
        return None
    last: list[Any] = []

    def local(frame: Any, event: str, arg: object) -> Any:
        now = perf_counter_ns()
        if last:
            for row in last:
                row[1] += now - start[0]
            last.clear()
        if event == "line":
            for r in wanted:
                if r.starts:
                    row = r.rows.setdefault(code, {}).setdefault(frame.f_lineno, [0, 0])
                    row[0] += 1
                    last.append(row)
            start[0] = perf_counter_ns()
        return local

    start = [0]
    return local


def write_lprof(timings: Any, unit: float) -> bytes:
    from .line_profiler import LineStats

    return pickle.dumps(LineStats(timings, unit))


def read_lprof(path: Any) -> Any:
    with open(path, "rb") as stream:
        stats = pickle.load(stream)
    return stats.timings, stats.unit
