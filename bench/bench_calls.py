# SPDX-License-Identifier: Apache-2.0
"""Recording calls beside cProfile and yappi: overhead, memory, and how large the trees are.

Each workload runs plain and in every way of recording, a fresh process each, one after another,
and again, ROUNDS times. A share is (ours - plain) / (the peer's - plain) of the CPU time that the
workload took itself, its first, cold round included, and the median of the rounds. Starting up and
writing the recording are in `whole`.
"""

from __future__ import annotations

import marshal
import math
import statistics
import sys
from pathlib import Path
from typing import Any

import shares
import ways
from effort import Effort
from workloads import WORKLOADS

TIMED = """
import time as _time
_begun = _time.process_time()
for _ in range({repeats}): work()
_measured = (_time.process_time() - _begun,)
"""
CALIBRATIONS = 3  # the quickest of so many plain runs must be long enough
ENOUGH = 1000  # nodes, for bytes a node to mean something
# Ours, the peer's, and the goal for 3.11 and for later versions where there is one.
PAIRS: list[tuple[str, str, tuple[float, float] | None]] = [
    ("fettle", "cProfile", (0.60, 0.45)),
    ("fettle --no-builtins", "cProfile", (0.30, 0.20)),
    ("fettle", "yappi", None),
    ("fettle", "yappi wall", None),
    ("fettle --no-builtins", "yappi --no-builtins", None),
]


def write(script: Path, source: str, repeats: int) -> None:
    script.write_text(source + TIMED.format(repeats=repeats) + ways.TELL)


def calibrate(script: Path, source: str, seconds: float) -> int:
    """Leaves a script whose plain run takes that long; gives how often it repeats the workload."""
    repeats = 1
    while True:
        write(script, source, repeats)
        spent = min(ways.run("plain", script).measured[0] for _ in range(CALIBRATIONS))
        if spent >= seconds:
            return repeats
        repeats = math.ceil(repeats * min(1.1 * seconds / max(spent, 1e-6), 30)) + 1


def tree_of(recording: Path, arenas: int) -> dict[str, Any]:
    """How large a recording is."""
    from fettle import _core

    profile = _core.Profile.read(str(recording))
    functions = marshal.loads(ways.as_pstats(recording).read_bytes())
    return {
        "calls": profile.totals().calls,
        "functions": len(functions),
        "edges": sum(len(callers) for *_, callers in functions.values()),
        "nodes": profile.totals().nodes,
        "arena_bytes": arenas,
        "file_bytes": recording.stat().st_size,
    }


def measure_one(source: str, effort: Effort) -> dict[str, Any]:
    script = effort.folder / "workload.py"
    repeats = calibrate(script, source, effort.seconds)
    runs: dict[str, list[ways.Run]] = {way: [] for way in ways.available()}
    for number in range(effort.rounds):
        for way, done in runs.items():
            if number < ways.rounds_of(way, effort.rounds):
                done.append(ways.run(way, script))
    return {
        "repeats": repeats,
        "ways": {
            way: {
                "cpu": [each.measured[0] for each in done],
                "whole": [each.whole for each in done],
                "peak": [each.peak for each in done],
            }
            for way, done in runs.items()
        },
        "tree": tree_of(ways.recording("fettle", effort.folder), runs["fettle"][-1].arenas),
    }


def compared(
    measured: dict[str, Any], ours: str, peer: str, clock: str
) -> dict[str, shares.Share | None]:
    """The shares of one pair, by workload."""
    found = {}
    for name, workload in measured.items():
        plain, mine, theirs = (workload["ways"][way][clock] for way in ("plain", ours, peer))
        found[name] = shares.of_overhead(plain, mine, theirs)
    return found


def compare(measured: dict[str, Any], ours: str, peer: str) -> dict[str, Any]:
    """One pair over all workloads. unclear: where the peer adds next to nothing."""
    found = compared(measured, ours, peer, "cpu")
    whole = compared(measured, ours, peer, "whole")
    return {
        "ours": ours,
        "peer": peer,
        "workloads": {name: share for name, share in found.items() if share},
        "unclear": [name for name, share in found.items() if not share],
        "geometric_mean": shares.geometric_mean(found.values()),
        "geometric_mean_whole": shares.geometric_mean(whole.values()),
    }


def measure(effort: Effort) -> dict[str, Any]:
    measured = {}
    for name in effort.chosen(WORKLOADS):
        why, source = WORKLOADS[name]
        measured[name] = {"why": why, **measure_one(source, effort)}
    here = ways.available()
    pairs = [
        {**compare(measured, ours, peer), "goal": goal and goal[sys.version_info >= (3, 12)]}
        for ours, peer, goal in PAIRS
        if peer in here
    ]
    return {"workloads": measured, "shares": pairs}


# ---- the tables ----

SLOWDOWNS = ("cProfile", "fettle", "fettle --no-builtins", "yappi", "yappi wall")


def short(way: str) -> str:
    return way.replace(" --no-builtins", "-nb")


def brief(way: str) -> str:
    return short(way).replace("fettle-", "f-").replace("yappi-", "y-")


def cell(share: shares.Share | None) -> str:
    if not share:
        return "unclear".rjust(19)
    return f"{share['value']:8.1%} ({share['lowest']:3.0%} -{share['highest']:4.0%})"


def slowdown_table(result: dict[str, Any]) -> list[str]:
    shown = [way for way in SLOWDOWNS if way in ways.available()]
    lines = [
        "overhead: times the plain CPU time; nb: no builtins",
        f"{'':12} {'plain s':>7} " + " ".join(f"{short(way):>10}" for way in shown),
    ]
    for name, workload in result["workloads"].items():
        median = {way: statistics.median(v["cpu"]) for way, v in workload["ways"].items()}
        plain = median["plain"]
        times = " ".join(f"{median[way] / plain:9.2f}x" for way in shown)
        lines.append(f"{name:12} {plain:7.3f} {times}")
    return lines


def share_table(result: dict[str, Any]) -> list[str]:
    pairs = result["shares"]
    lines = [
        "shares: ours of the peer's overhead, median (lowest - highest of the rounds)",
        f"{'':16}" + "".join(f"{short(each['ours']) + ' of':>20}" for each in pairs),
        f"{'':16}" + "".join(f"{short(each['peer']):>20}" for each in pairs),
    ]
    for name in result["workloads"]:
        cells = "".join(f"{cell(each['workloads'].get(name)):>20}" for each in pairs)
        lines.append(f"{name:16}{cells}")
    for title, key in (
        ("geometric mean", "geometric_mean"),
        ("with start, end", "geometric_mean_whole"),
    ):
        lines.append(f"{title:16}" + "".join(f"{cell(each[key]):>20}" for each in pairs))
    goals = (f"{each['goal']:.1%}" if each["goal"] else "-" for each in pairs)
    lines.append(f"{'goal, at most':16}" + "".join(f"{goal:>20}" for goal in goals))
    return lines


def size_table(result: dict[str, Any]) -> list[str]:
    shown = [way for way in ways.available() if way not in ("plain", "yappi wall")]
    lines = [
        "trees, and peak memory in MB: plain, and what each way adds",
        f"{'':12} {'calls':>9} {'functions':>9} {'edges':>7} {'nodes':>7} {'B/node':>7} "
        f"{'in file':>7} {'plain':>8} " + " ".join(f"{brief(way):>8}" for way in shown),
    ]
    for name, workload in result["workloads"].items():
        tree = workload["tree"]
        peak = {way: statistics.median(v["peak"]) / 1e6 for way, v in workload["ways"].items()}
        memory, file = (tree[key] / tree["nodes"] for key in ("arena_bytes", "file_bytes"))
        each = f"{memory:7.0f} {file:7.1f}" if tree["nodes"] >= ENOUGH else f"{'-':>7} {'-':>7}"
        line = f"{name:12} {tree['calls']:9} {tree['functions']:9} {tree['edges']:7}"
        line += f" {tree['nodes']:7} {each} {peak['plain']:8.1f} "
        lines.append(line + " ".join(f"{peak[way] - peak['plain']:+8.1f}" for way in shown))
    return lines


def table(result: dict[str, Any]) -> list[str]:
    return [*slowdown_table(result), "", *share_table(result), "", *size_table(result)]
