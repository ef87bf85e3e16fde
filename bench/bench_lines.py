# SPDX-License-Identifier: Apache-2.0
"""Recording lines beside line_profiler, and what is left alone beside nothing.

Each workload runs plain, recorded by us and by line_profiler, which mark the same functions, a
fresh process each, one after another, and again, ROUNDS times. A share is (ours - plain) /
(line_profiler's - plain) of the CPU time of the workload, and the median of the rounds.

Where one function is marked and others run, these should cost nothing; likewise a marked function
of which nothing is recorded.
"""

from __future__ import annotations

import importlib.util
import math
import statistics
import sys
from pathlib import Path
from typing import Any

import shares
import ways
from effort import Effort
from line_workloads import HELPER, LINE_WORKLOADS

GOAL = (0.30, 0.10)  # of line_profiler's overhead: of 3.11, and from 3.12 on
GOAL_UNMARKED = (0.10, 0.03)  # of the plain time
UNMARKED = ("fib", "methods", "generators", "exceptions")
UNMARKED_TIMES = 3  # as long, and as many rounds: a few per cent are looked for

_ELSEWHERE = """
def _marked(): pass
MARKED = [_marked]
"""
_FETTLE = """
from fettle import _core as _fettle
_recorder = _fettle.Recorder(calls=False, lines=True)
for _function in MARKED: _recorder.mark(_function)
_recorder.start()
"""
_DECORATED = """
from fettle import _core as _fettle
for _function in MARKED: assert _fettle.mark(_function) is _function
"""
_PEER = """
import line_profiler as _peer
_profiler = _peer.LineProfiler(*MARKED)
_profiler.enable_by_count()
"""
_OURS = """
_recorder.stop()
_hits = sum(_row[1] for *_, _rows in _recorder.profile().lines() for _row in _rows)
"""
_THEIRS = """
_profiler.disable_by_count()
_hits = sum(_row[1] for _rows in _profiler.get_stats().timings.values() for _row in _rows)
"""
# What stands before the workload, and what counts the hits after it, by way.
_WAYS = {
    "plain": ("", "_hits = 0"),
    "fettle": (_FETTLE, _OURS),
    "line_profiler": (_PEER, _THEIRS),
    "elsewhere": (_ELSEWHERE + _FETTLE, _OURS),
    "decorated": (_DECORATED, "_hits = 0"),
}
_TIMED = """
import time as _time
_begun = _time.process_time()
for _ in range({repeats}): work()
_took = _time.process_time() - _begun
{count}
_measured = (_took, _hits)
"""
CALIBRATIONS = 3  # the quickest of so many plain runs must be long enough


def peer_is_there() -> bool:
    return importlib.util.find_spec("line_profiler") is not None


def write(folder: Path, source: str, repeats: int, way: str) -> Path:
    """The script of a workload that records itself that way."""
    script = folder / f"lines_{way}.py"
    before, count = _WAYS[way]
    timed = _TIMED.format(repeats=repeats, count=count)
    script.write_text(HELPER + source + before + timed + ways.TELL)
    return script


def calibrate(folder: Path, source: str, seconds: float) -> int:
    """How often work() is repeated so that plain it takes that long."""
    repeats = 1
    while True:
        script = write(folder, source, repeats, "plain")
        spent = min(ways.run("plain", script).measured[0] for _ in range(CALIBRATIONS))
        if spent >= seconds:
            return repeats
        repeats = math.ceil(repeats * min(1.1 * seconds / max(spent, 1e-6), 30)) + 1


def interleaved(
    effort: Effort, source: str, names: list[str], times: int = 1
) -> tuple[dict[str, Any], dict[str, int]]:
    """What a workload took in each of these ways, and the hits that each counted."""
    repeats = calibrate(effort.folder, source, effort.seconds * times)
    scripts = {way: write(effort.folder, source, repeats, way) for way in names}
    runs: dict[str, list[ways.Run]] = {way: [] for way in names}
    for _ in range(1 if effort.tiny else effort.rounds * times):
        for way, script in scripts.items():
            runs[way].append(ways.run("plain", script))
    took = {way: {"cpu": [each.measured[0] for each in done]} for way, done in runs.items()}
    hits = {way: int(done[-1].measured[1]) for way, done in runs.items()}
    return {"repeats": repeats, "ways": took}, hits


def compare(measured: dict[str, Any]) -> dict[str, Any]:
    found = {}
    for name, workload in measured.items():
        took = workload["ways"]
        if "line_profiler" in took:
            plain, ours, peer = (took[way]["cpu"] for way in ("plain", "fettle", "line_profiler"))
            found[name] = shares.of_overhead(plain, ours, peer)
    return {
        "workloads": {name: share for name, share in found.items() if share},
        "unclear": [name for name, share in found.items() if not share],
        "geometric_mean": shares.geometric_mean(found.values()),
        "goal": GOAL[sys.version_info >= (3, 12)],
    }


def cost(plain: list[float], other: list[float]) -> shares.Share:
    """What is added to the plain time, as a part of it; of two runs side by side."""
    rounds = [mine / bare - 1 for bare, mine in zip(plain, other, strict=True)]
    return shares.Share(value=statistics.median(rounds), lowest=min(rounds), highest=max(rounds))


def measure_marked(effort: Effort) -> dict[str, Any]:
    names = ["plain", "fettle", *(["line_profiler"] if peer_is_there() else [])]
    measured = {}
    for name in effort.chosen(LINE_WORKLOADS):
        why, source = LINE_WORKLOADS[name]
        took, hits = interleaved(effort, source, names)
        measured[name] = {"why": why, **took, "hits": hits["fettle"]}
        if hits.get("line_profiler"):
            measured[name]["peer_hits"] = hits["line_profiler"]
    return measured


def measure_unmarked(effort: Effort) -> dict[str, Any]:
    measured = {}
    for name in effort.chosen(UNMARKED):
        names = ["plain", "elsewhere", "decorated"]
        took, _ = interleaved(effort, LINE_WORKLOADS[name][1], names, UNMARKED_TIMES)
        cpu = {way: values["cpu"] for way, values in took["ways"].items()}
        costs = {way: cost(cpu["plain"], cpu[way]) for way in names[1:]}
        measured[name] = {**took, "cost": costs}
    return measured


def measure(effort: Effort) -> dict[str, Any]:
    marked = measure_marked(effort)
    return {
        "workloads": marked,
        "share": compare(marked),
        "unmarked": {
            "workloads": measure_unmarked(effort),
            "goal": GOAL_UNMARKED[sys.version_info >= (3, 12)],
        },
    }


# ---- the tables ----


def spread(share: shares.Share | None) -> str:
    if not share:
        return "unclear"
    return f"{share['value']:.1%} ({share['lowest']:.0%} -{share['highest']:4.0%})"


def marked_table(result: dict[str, Any]) -> list[str]:
    lines = [
        "lines: times the plain CPU time, and ours of line_profiler's overhead; ns for each hit",
        f"{'':12} {'plain s':>7} {'hits':>9} {'fettle':>8} {'line_pr.':>8} {'ns a hit':>8}"
        f" {'share':>20}",
    ]
    for name, workload in result["workloads"].items():
        median = {way: statistics.median(v["cpu"]) for way, v in workload["ways"].items()}
        plain, hits = median["plain"], workload["hits"]
        times = "".join(
            f" {median[way] / plain:7.2f}x" if way in median else f" {'-':>8}"
            for way in ("fettle", "line_profiler")
        )
        each = (median["fettle"] - plain) / max(hits, 1) * 1e9
        share = spread(result["share"]["workloads"].get(name))
        lines.append(f"{name:12} {plain:7.3f} {hits:9}{times} {each:8.1f} {share:>20}")
    mean = spread(result["share"]["geometric_mean"])
    lines.append(f"geometric mean {mean}, goal: at most {result['share']['goal']:.0%}")
    return lines


def unmarked_table(result: dict[str, Any]) -> list[str]:
    lines = [
        "unmarked: what one marked function costs the others, and marked ones not recorded",
        f"{'':12} {'elsewhere':>20} {'decorated':>20}",
    ]
    for name, workload in result["workloads"].items():
        cells = (spread(workload["cost"][way]) for way in ("elsewhere", "decorated"))
        lines.append(f"{name:12}" + "".join(f" {cell:>20}" for cell in cells))
    lines.append(f"goal: at most {result['goal']:.0%}")
    return lines


def table(result: dict[str, Any]) -> list[str]:
    return [*marked_table(result), "", *unmarked_table(result["unmarked"])]
