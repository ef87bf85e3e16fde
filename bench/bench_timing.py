# SPDX-License-Identifier: Apache-2.0
"""What fettle.time says of code whose answer is known: of the same code twice, and of code with 5 %
and 1 % more to do, on the machine as it is and beside burners that keep every core busy. And how
long an answer takes, beside timeit and pyperf."""

from __future__ import annotations

import importlib.util
import math
import os
import re
import statistics
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import fettle
from effort import Effort

# Work of several kinds, so many microseconds each: (setup, statement).
SAME = {
    "loop": ("", "for i in range(100): i * i"),
    "dict": ("d = {str(i): i for i in range(500)}", "[d[k] for k in d]"),
    "calls": ("def f(x): return x + 1", "f(f(f(f(f(f(1))))))"),
    "sort": ("x = [str(i * 7919 % 1000) for i in range(200)]", "sorted(x)"),
    "string": ("", "'-'.join(str(i) for i in range(50))"),
}
# A loop of a known length, and one of a longer one. Both begin alike: what a loop costs besides
# its turns is far below what is asked about.
STEP = "for i in range({turns}): i * i + i"
TURNS = 2000
FINE = 0.004  # the precision with which 1 % is looked for
PARTS = ("same", "5%", "1%", "answer")
PAIR = ("[i * i for i in range(150)]", "[i * i for i in range(151)]")  # 10 us each or so


@contextmanager
def burners(count: int) -> Iterator[None]:
    """So many processes that compute for nothing."""
    command = [sys.executable, "-c", "while True: pass"]
    started = [subprocess.Popen(command) for _ in range(count)]
    try:
        yield
    finally:
        for each in started:
            each.kill()
            each.wait()


def compared(first: str, second: str, setup: str, **options: Any) -> dict[str, Any]:
    begun = time.perf_counter()
    t = fettle.time(first, second, setup=setup or "pass", **options)
    seconds = time.perf_counter() - begun
    low, high = t.interval
    return {
        "verdict": t.verdict,
        "ratio": t.ratio,
        "low": low,
        "high": high if math.isfinite(high) else None,
        "seconds": seconds,
        "groups": len(t.series[0].groups),
    }


def same(rounds: int, **options: Any) -> list[dict[str, Any]]:
    """Each kind of work against itself in turn."""
    kinds = list(SAME.values())
    found = []
    for i in range(rounds):
        setup, statement = kinds[i % len(kinds)]
        found.append(compared(statement, statement, setup, **options))
    return found


def slower(rounds: int, share: float, **options: Any) -> list[dict[str, Any]]:
    """A loop against one with that share more to do, which is the second one each time."""
    first = STEP.format(turns=TURNS)
    second = STEP.format(turns=round(TURNS * (1 + share)))
    return [compared(first, second, "", **options) for _ in range(rounds)]


def by_timeit(*words: str) -> float:
    """The ratio of the pair as timeit's best of five has it."""
    best = [_best(statement, *words) for statement in PAIR]
    return best[0] / best[1]


def _best(statement: str, *words: str) -> float:
    said = subprocess.run(
        [sys.executable, "-m", "timeit", "-u", "nsec", *words, statement],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    found = re.search(r"best of \d+: ([\d.e+]+) nsec", said)
    assert found is not None, said
    return float(found[1])


def by_pyperf(*words: str) -> float:
    middle = [_mean(statement, *words) for statement in PAIR]
    return middle[0] / middle[1]


def _mean(statement: str, *words: str) -> float:
    said = subprocess.run(
        [sys.executable, "-m", "pyperf", "timeit", "--quiet", *words, statement],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    found = re.search(r"([\d.]+) (ns|us|ms)", said)
    assert found is not None, said
    return float(found[1]) * {"ns": 1e-9, "us": 1e-6, "ms": 1e-3}[found[2]]


def answers(rounds: int, tiny: bool) -> dict[str, list[dict[str, float]]]:
    """How long each way takes to compare the pair, and what it says the ratio is."""
    budget = {"budget": 0.3} if tiny else {}
    ways: dict[str, Callable[[], float]] = {
        "fettle": lambda: fettle.time(*PAIR, **budget).ratio,
        "timeit": lambda: by_timeit(*["-n", "100"] * tiny),
    }
    if importlib.util.find_spec("pyperf") is not None:
        ways["pyperf"] = lambda: by_pyperf(*["--debug-single-value"] * tiny)
    found: dict[str, list[dict[str, float]]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, way in ways.items():
            begun = time.perf_counter()
            ratio = way()
            found[name].append({"seconds": time.perf_counter() - begun, "ratio": ratio})
    return found


def measure(effort: Effort) -> dict[str, Any]:
    chosen = [part for part in PARTS if not effort.only or part in effort.only]
    least: dict[str, Any] = {"budget": 0.3} if effort.tiny else {}
    fine = {"precision": FINE, **({"budget": 60.0} | least)}
    result: dict[str, Any] = {"burners": os.cpu_count(), "cases": {}}
    for name, count in (("as it is", 0), ("burners", os.cpu_count() or 1)):
        with burners(count):
            cases = result["cases"][name] = {}
            if "same" in chosen:
                cases["same"] = same(effort.tiny or 20 * effort.rounds, **least)
            if "5%" in chosen:
                cases["5%"] = slower(effort.tiny or 4 * effort.rounds, 0.05, **least)
            if "1%" in chosen and not count:
                cases["1%"] = slower(effort.tiny or effort.rounds, 0.01, **fine)
            if "answer" in chosen:
                cases["answer"] = answers(effort.rounds, effort.tiny)
    return result


def table(result: dict[str, Any]) -> list[str]:
    lines = ["timing:                 comparisons  faster  slower  same  unclear  seconds  ratio"]
    for load, cases in result["cases"].items():
        for name, found in cases.items():
            if name == "answer":
                continue
            said = Counter(each["verdict"] for each in found)
            verdicts = [said[word] for word in ("faster", "slower", "same", "unclear")]
            lines.append(
                f"{load + ', ' + name:<24}{len(found):>11}{verdicts[0]:>8}{verdicts[1]:>8}"
                f"{verdicts[2]:>6}{verdicts[3]:>9}{_middle(found, 'seconds'):>9.1f}"
                f"{_middle(found, 'ratio'):>7.3f}"
            )
    for load, cases in result["cases"].items():
        for way, found in cases.get("answer", {}).items():
            ratios = [math.log(each["ratio"]) for each in found]
            spread = max(ratios) - min(ratios)
            lines.append(
                f"{load + ', ' + way:<24}{_middle(found, 'seconds'):>7.1f} s to compare two"
                f" statements of 10 us; its answers differ by {spread:.1%}"
            )
    return lines


def _middle(found: list[dict[str, Any]], key: str) -> float:
    return statistics.median(each[key] for each in found)
