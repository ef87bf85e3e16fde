# SPDX-License-Identifier: Apache-2.0
"""The limits of a test, judged: a sentence for each that was passed, with the functions that did
it."""

from __future__ import annotations

import gc
import sys

from fettle.report.size import amount, counted, grouped
from fettle.testing import cost, figures, subtree
from fettle.timing.stopwatch import said

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import TypeVar

    from fettle.testing.figures import Figures, Spot
    from fettle.testing.marks import Limits
    from fettle.testing.subtree import Hot
    from fettle.testing.take import Again, Take

    T = TypeVar("T")

_NAMED = 3  # functions or lines in a message


def judge(limits: Limits, take: Take, counts: Figures, is_timed: bool) -> list[str]:
    """What is wrong; nothing of it is, if nothing is said."""
    found = []
    if "time" in limits and is_timed:
        found += _time(limits["time"], take, counts)
    if "calls" in limits and counts.calls > limits["calls"]:
        found.append(
            f"{grouped(counts.calls)} calls, {grouped(int(limits['calls']))} allowed:"
            f" {called(counts.functions)}"
        )
    if "mem" in limits and counts.peak > limits["mem"]:
        found.append(
            f"memory peak {amount(counts.peak)}, {amount(limits['mem'])} allowed:"
            f" {lines_at_peak(counts.spots)}"
        )
    if "allocations" in limits and counts.allocations > limits["allocations"]:
        found.append(
            f"{grouped(counts.allocations)} allocations,"
            f" {grouped(int(limits['allocations']))} allowed: {lines_of_blocks(counts.spots)}"
        )
    return found


def _time(limit: float, take: Take, counts: Figures) -> list[str]:
    """The run as it was, less what recording it costs. At most it costs twice what was measured;
    but of a test that does little else than call, that would leave nothing, whatever it took. What
    is left without the measured cost is at most half the recording's, since a call takes about as
    long as recording it does: so half of it is the test's for sure."""
    if take.spent <= limit:
        return []
    call, block = cost.per_event(take.calls, bool(counts.allocations))
    measured = (counts.calls + 1) * call + counts.allocations * block
    least = max(take.spent - 2 * measured, (take.spent - measured) / 2)
    if least <= limit:
        return []
    waiting = min(take.watch.waiting, take.spent)
    of_it = f" ({said(waiting)} of it waiting)" if waiting > 0.05 * take.spent else ""
    hot = hottest(figures.own_seconds(take))
    return [f"{said(least)}{of_it}, {said(limit)} allowed: {hot}"]


def leaks(limit: float, again: Again) -> list[str]:
    """Of blocks that the second call allocated, and that are alive when all of the test ended."""
    _forget()
    gc.collect()
    sites = again.recorder.profile().sites()
    if again.code is not None:
        sites = subtree.sites_below(sites, subtree.place_of(again.code))
    alive = [spot for spot in figures.spots(sites) if spot.alive]
    blocks = sum(spot.alive for spot in alive)
    if blocks <= limit:
        return []
    size = amount(sum(spot.alive_bytes for spot in alive))
    named = _most(
        alive, lambda spot: spot.alive, lambda spot: f"{grouped(spot.alive)} at {spot.label}"
    )
    return [
        f"{counted(blocks, 'block')} ({size}) of the test's second call still alive,"
        f" {grouped(int(limit))} allowed: {named}"
    ]


def _forget() -> None:
    """Python's cache of attributes keeps their names: each open() would leave one."""
    clear = getattr(sys, "_clear_internal_caches", None) or sys._clear_type_cache
    clear()


def hottest(functions: Iterable[Hot]) -> str:
    return _most(functions, lambda hot: hot.own, lambda hot: f"{said(hot.own)} in {hot.label}")


def called(functions: Iterable[Hot]) -> str:
    return _most(
        functions, lambda hot: hot.calls, lambda hot: f"{grouped(hot.calls)} of {hot.label}"
    )


def lines_at_peak(spots: Iterable[Spot]) -> str:
    return _most(spots, lambda spot: spot.peak, lambda spot: f"{amount(spot.peak)} at {spot.label}")


def lines_of_blocks(spots: Iterable[Spot]) -> str:
    return _most(
        spots, lambda spot: spot.blocks, lambda spot: f"{grouped(spot.blocks)} at {spot.label}"
    )


def _most(things: Iterable[T], number: Callable[[T], float], text: Callable[[T], str]) -> str:
    found = sorted(things, key=number, reverse=True)[:_NAMED]
    return ", ".join(text(each) for each in found if number(each) > 0)
