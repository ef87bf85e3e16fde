# SPDX-License-Identifier: Apache-2.0
"""How far a profiler is off the truth that two halves of a program take the same CPU time.

One half is a loop that calls nothing, the other makes many calls. Both are calibrated plain to the
same time and take turns in short slices. A recording of calls charges its own cost to the half that
calls: the error is how many points the loop's share of both is off its share in plain runs. Times
are those of the cumulative column, which is what people read.
"""

from __future__ import annotations

import marshal
import statistics
from pathlib import Path
from typing import Any

import ways
from effort import Effort

SLICES = 20
LENGTH = 0.6  # of a workload, for each half
LEAST = 1.0  # points: less says nothing when it is divided by
ATTEMPTS = 12  # at finding halves of the same length; what is found is measured anyway
GOAL = 0.75  # of cProfile's error, at most
PEERS = ("cProfile", "yappi wall", "yappi")  # yappi wall measures what we do; yappi is its default

LOOP = """
def loop(n):
    total = 0
    for i in range(n):
        total = (total + i * 3) % 1000003
    return total
"""
BODY = "    total = (x * 3 + 1) % 1000003\n"

# What the calling half calls, from the shortest calls to long ones, and of every kind.
SHAPES: dict[str, tuple[str, str]] = {
    "empty functions": (
        "the worst case: a function that does nothing",
        """
def callee(x):
    return x
def calls(n):
    for i in range(n):
        callee(i)
""",
    ),
    "small functions": (
        "three lines of arithmetic",
        "def callee(x):\n" + BODY * 3 + "    return total\n"
        "def calls(n):\n    for i in range(n):\n        callee(i)\n",
    ),
    "middling functions": (
        "ten lines of arithmetic",
        "def callee(x):\n" + BODY * 10 + "    return total\n"
        "def calls(n):\n    for i in range(n):\n        callee(i)\n",
    ),
    "large functions": (
        "a loop of forty in each",
        "def callee(x):\n    for x in range(40):\n    " + BODY + "    return total\n"
        "def calls(n):\n    for i in range(n):\n        callee(i)\n",
    ),
    "recursion": (
        "a tree of calls four deep, each with a little work",
        """
def callee(n):
    total = (n * 3 + 1) % 1000003
    total = (total * 3 + 1) % 1000003
    return total if n == 0 else callee(n - 1) + callee(n - 1)
def calls(n):
    for i in range(n):
        callee(3)
""",
    ),
    "methods": (
        "methods that read and write attributes",
        """
class Account:
    def __init__(self):
        self.total = self.count = 0
    def add(self, amount):
        self.total = (self.total + amount * 3) % 1000003
        self.count += 1
        return self.rate(amount)
    def rate(self, amount):
        return (self.total * 3 + amount) % 1000003 / self.count
def calls(n):
    account = Account()
    for i in range(n):
        account.add(i)
""",
    ),
    "builtins": (
        "C functions that take a while: a string is split and joined",
        """
text = "a few words in a line of text"
def calls(n):
    for i in range(n):
        "-".join(text.split())
""",
    ),
    "short builtins": (
        "C functions that take next to no time",
        """
def calls(n):
    found = []
    for i in range(n):
        found.append(abs(i))
        if len(found) > 100:
            found.clear()
""",
    ),
    "generators": (
        "a generator that is resumed for each item",
        """
def numbers(n):
    total = 0
    for i in range(n):
        total = (total + i * 3) % 1000003
        yield total
def calls(n):
    total = 0
    for number in numbers(n):
        total = (total + number) % 1000003
""",
    ),
}

TIMED = f"""
import time as _time
def main():
    spent = [0.0, 0.0]
    for _ in range({SLICES}):
        begun = _time.process_time()
        loop({{loops}})
        between = _time.process_time()
        calls({{calls}})
        spent[0] += between - begun
        spent[1] += _time.process_time() - between
    return tuple(spent)
_measured = main()
"""


def write(script: Path, source: str, counts: list[int]) -> None:
    timed = TIMED.format(loops=counts[0], calls=counts[1])
    script.write_text(LOOP + source + timed + ways.TELL)


def calibrate(script: Path, source: str, effort: Effort) -> list[int]:
    """Leaves a script whose halves take the same time, plain, and gives their counts."""
    counts, seconds = [20, 20], LENGTH * effort.seconds
    for _ in range(ATTEMPTS):
        write(script, source, counts)
        runs = [ways.run("plain", script).measured for _ in range(min(effort.rounds, 3))]
        spent = [max(statistics.median(half), 1e-6) for half in zip(*runs, strict=True)]
        there = all(0.9 <= took / seconds <= 1.1 for took in spent)
        counts = [
            max(1, round(n * min(seconds / took, 30)))
            for n, took in zip(counts, spent, strict=True)
        ]
        if there:
            break
    write(script, source, counts)
    return counts


def reported(way: str, folder: Path) -> float:
    """The loop's share of both halves, in points, as the recording tells it."""
    rows = marshal.loads(ways.as_pstats(ways.recording(way, folder)).read_bytes())
    cumulative = {name: row[3] for (_, _, name), row in rows.items()}
    loop, calls = float(cumulative["loop"]), float(cumulative["calls"])
    return 100 * loop / (loop + calls)


def measure_one(source: str, effort: Effort) -> dict[str, Any]:
    script = effort.folder / "halves.py"
    counts = calibrate(script, source, effort)
    truth: list[float] = []
    said: dict[str, list[float]] = {
        way: [] for way in ways.available() if not way.endswith("--no-builtins")
    }
    del said["plain"]
    for number in range(effort.rounds):
        loop, calls = ways.run("plain", script).measured
        truth.append(100 * loop / (loop + calls))
        for way, shares in said.items():
            if number < ways.rounds_of(way, effort.rounds):
                ways.run(way, script)
                shares.append(reported(way, effort.folder))
    true = statistics.median(truth)
    return {
        "counts": counts,
        "true": truth,
        "reported": said,
        "error": {way: statistics.median(values) - true for way, values in said.items()},
    }


def measure(effort: Effort) -> dict[str, Any]:
    shapes = {}
    for name in effort.chosen(SHAPES):
        why, source = SHAPES[name]
        shapes[name] = {"why": why, **measure_one(source, effort)}
    mean = {
        way: statistics.fmean(abs(shape["error"][way]) for shape in shapes.values())
        for way in next(iter(shapes.values()))["error"]
    }
    return {
        "shapes": shapes,
        "mean_error": mean,
        "of_peer": {peer: mean["fettle"] / mean[peer] for peer in PEERS if peer in mean},
        "goal": GOAL,
    }


def table(result: dict[str, Any]) -> list[str]:
    shown = [way for way in ("fettle", *PEERS) if way in result["mean_error"]]
    lines = [
        "distortion: by how many points a loop's share is off, beside calls that take as long",
        f"{'':20} {'true':>6} "
        + " ".join(f"{way:>18}" for way in shown)
        + f" {'ours / cProfile':>16}",
    ]
    for name, shape in result["shapes"].items():
        true = statistics.median(shape["true"])
        cells = []
        for way in shown:
            offs = [value - true for value in shape["reported"][way]]
            cells.append(f"{shape['error'][way]:+5.1f} ({min(offs):+3.0f} to {max(offs):+3.0f})")
        ours, theirs = (abs(shape["error"][way]) for way in ("fettle", "cProfile"))
        ratio = f"{ours / theirs:16.0%}" if theirs >= LEAST else f"{'-':>16}"
        lines.append(f"{name:20} {true:6.1f} " + " ".join(cells) + f" {ratio}")
    means = " ".join(f"{result['mean_error'][way]:5.1f}".ljust(18) for way in shown)
    lines.append(f"{'mean error':27} {means} {result['of_peer']['cProfile']:16.0%}")
    lines.append(f"goal: at most {result['goal']:.0%} of cProfile's")
    return lines
