# SPDX-License-Identifier: Apache-2.0
"""How often a bounded cache computes, by policy, on generated traces, and how seldom it could.

Each trace runs with each policy on caches of fettle's own. What is compared is misses, that is how
often the function computed: a recursive function calls itself less where it misses less, so two
hit ratios of one trace may be of different numbers of calls.

The optimum is Belady's, which knows the future and drops what is called last of all. A recursive
trace has no one future, as its calls depend on what is kept. There it is the optimum for the calls
made when everything is kept, each at the time when its result is there. Whatever a policy keeps,
the program makes these calls and others in between, so no policy computes less often; and perhaps
none reaches it.
"""

from __future__ import annotations

import heapq
import math
import statistics
import sys
from collections import Counter
from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from effort import Effort
from traces import SIZES, TRACES, Key, Trace, length

POLICIES = ("lru", "clock", "car")
GOAL_MISSES = 0.96  # of LRU's, the mean of all traces and sizes, at most
GOAL_POINTS = 2.5  # of hit ratio below LRU's, at most, on any of them
ENOUGH = 20  # times as many misses as a trace should have calls: a recursion that does not end
RECURSION = 10_000  # Python frames: more than any trace needs

# Makes the function cached: with so many entries, and that policy.
Decorate = Callable[[int, str, Callable[[Key], None]], Any]


class EndlessError(Exception):
    """Most likely the time that the recursion takes is exponential: what it needs is not kept."""


def fettles(size: int, policy: str, function: Callable[[Key], None]) -> Any:
    import fettle

    return fettle.cache(maxsize=size, policy=policy)(function)


@contextmanager
def deep_recursion() -> Iterator[None]:
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(max(before, RECURSION))
    try:
        yield
    finally:
        sys.setrecursionlimit(before)


def run(trace: Trace, size: int, policy: str, decorate: Decorate = fettles) -> dict[str, Any]:
    """The program with that cache; whether it ended, and its hits and misses."""
    most, computed = ENOUGH * length(size), 0

    def function(key: Key) -> None:
        nonlocal computed
        computed += 1
        if computed > most:
            raise EndlessError
        if trace.needs:
            for need in trace.needs(key):
                call(need)

    call = decorate(size, policy, function)
    ended = True
    with deep_recursion():
        try:
            for key in trace.calls(size):
                call(key)
        except EndlessError:
            ended = False
    info = call.cache_info()
    return {"ended": ended, "hits": info.hits, "misses": info.misses}


def references(trace: Trace, size: int) -> list[Hashable]:
    """The calls when everything is kept, each where its result is there."""
    kept: set[Hashable] = set()
    found: list[Hashable] = []

    def call(key: Key) -> None:
        if key not in kept:
            for need in trace.needs(key) if trace.needs else ():
                call(need)
            kept.add(key)
        found.append(key)

    with deep_recursion():
        for key in trace.calls(size):
            call(key)
    return found


def belady(calls: Sequence[Hashable], size: int) -> int:
    """The fewest misses there can be."""
    never = len(calls)
    upcoming: dict[Hashable, int] = {}
    following = [never] * len(calls)
    for at in range(len(calls) - 1, -1, -1):
        following[at] = upcoming.get(calls[at], never)
        upcoming[calls[at]] = at
    kept: dict[Hashable, int] = {}  # and when it is called again
    latest: list[tuple[int, int]] = []  # that time, negative, and a call of it; some are outdated
    misses = 0
    for at, key in enumerate(calls):
        if key not in kept:
            misses += 1
            if len(kept) == size:
                while True:
                    again, call = heapq.heappop(latest)
                    if kept.get(calls[call]) == -again:
                        break
                del kept[calls[call]]
        kept[key] = following[at]
        heapq.heappush(latest, (-following[at], at))
    return misses


def measure_size(trace: Trace, size: int) -> dict[str, Any]:
    calls = references(trace, size)
    misses = belady(calls, size)
    found = {policy: run(trace, size, policy) for policy in POLICIES}
    return {"policies": found, "optimum": {"hits": len(calls) - misses, "misses": misses}}


def hit_ratio(counts: dict[str, Any]) -> float:
    return counts["hits"] / (counts["hits"] + counts["misses"])


def compare(traces: dict[str, Any], policy: str) -> dict[str, Any]:
    """With LRU, over all traces and sizes."""
    cases = [
        (f"{name}, {size}", case["policies"][policy], case["policies"]["lru"])
        for name, trace in traces.items()
        for size, case in trace["sizes"].items()
    ]
    misses = {where: ours["misses"] / lru["misses"] for where, ours, lru in cases}
    points = {where: 100 * (hit_ratio(lru) - hit_ratio(ours)) for where, ours, lru in cases}
    most, least = max(misses, key=misses.__getitem__), max(points, key=points.__getitem__)
    return {
        "geometric_mean": mean(list(misses.values())),
        "arithmetic_mean": statistics.fmean(misses.values()),
        "most_misses": {"trace": most, "value": misses[most]},
        "points_lost": {"trace": least, "value": points[least]},
        "over": sorted(where for where, lost in points.items() if lost > GOAL_POINTS),
        "endless": sorted(where for where, ours, _ in cases if not ours["ended"]),
    }


def mean(ratios: Sequence[float]) -> float:
    return math.exp(math.fsum(math.log(ratio) for ratio in ratios) / len(ratios))


def measure(effort: Effort) -> dict[str, Any]:
    sizes = SIZES[:1] if effort.tiny else SIZES
    traces = {
        name: {
            "why": TRACES[name].why,
            "sizes": {str(size): measure_size(TRACES[name], size) for size in sizes},
        }
        for name in effort.chosen(TRACES)
    }
    return {
        "traces": traces,
        "of_lru": {policy: compare(traces, policy) for policy in POLICIES[1:]},
        "goal_misses": GOAL_MISSES,
        "goal_points": GOAL_POINTS,
    }


# ---- the table ----


def rows(name: str, trace: dict[str, Any]) -> Iterator[str]:
    sizes = trace["sizes"].values()
    of_lru = [case["policies"]["lru"]["misses"] for case in sizes]
    for policy in (*POLICIES, "optimum"):
        counts = [case["policies"].get(policy) or case[policy] for case in sizes]
        cells = "".join(
            f"{hit_ratio(each):9.1%}{' ' if each.get('ended', True) else '!'}" for each in counts
        )
        ratio = mean([each["misses"] / lru for each, lru in zip(counts, of_lru, strict=True)])
        yield f"{name:14} {policy:8}{cells} {ratio:6.3f}"
        name = ""


def brief(cases: Sequence[str]) -> str:
    """Of each trace, at how many sizes."""
    counts = Counter(case.rpartition(", ")[0] for case in cases)
    return "; ".join(f"{name} ({count})" for name, count in counts.items())


def table(result: dict[str, Any]) -> list[str]:
    first = next(iter(result["traces"].values()))
    heads = "".join(f"{size:>9} " for size in first["sizes"])
    lines = [
        "policies: hit ratios by size, and how often they computed, of LRU (geometric mean)",
        f"{'':23}{heads}   misses",
    ]
    for name, trace in result["traces"].items():
        lines += rows(name, trace)
    for policy, found in result["of_lru"].items():
        most, lost = found["most_misses"], found["points_lost"]
        lines.append(
            f"{policy}: {found['geometric_mean']:.3f} of LRU's misses (arithmetic mean"
            f" {found['arithmetic_mean']:.3f}), most {most['value']:.2f} ({most['trace']})"
        )
        lines.append(f"{policy}: {lost['value']:.1f} points of hit ratio lost ({lost['trace']})")
        if found["over"]:
            lines.append(f"{policy}: more than the goal lost: {brief(found['over'])}")
        if found["endless"]:
            lines.append(f"{policy}: stopped, too many calls (!): {brief(found['endless'])}")
    lines.append(
        f"goal for car: at most {result['goal_misses']} of LRU's misses,"
        f" never more than {result['goal_points']} points lost"
    )
    return lines
