# SPDX-License-Identifier: Apache-2.0
"""The flat table: cProfile's columns, and the share of the cumulative time spent waiting."""

import math
import re

from fettle import _core, runs
from fettle.report.row import cumulative, own, waited
from fettle.report.unit import moment

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from fettle._core import Profile, Stats, Totals
    from fettle.report.names import Files
    from fettle.report.row import Row

COLUMNS = ("ncalls", "tottime", "percall", "cumtime", "percall", "waiting")
SHARE_COLUMNS = ("ncalls", "tottime", "%", "cumtime", "%", "waiting")
LAST_COLUMN = "filename:lineno(function)"
SHORT_LAST_COLUMN = "function"  # on a narrow terminal

Line = tuple[str, ...]  # a text for each column, and the name


def heading(profile: "Profile | Stats", target: str, source: str) -> str:
    """17 function calls in 6.020 s, 0.001 s of it on the CPU    -> login.fettle"""
    if isinstance(profile, _core.Stats):
        return _heading_of_stats(profile, source)
    totals = profile.totals()
    text = f"{_calls(totals)} in {moment(totals.own)}{_busy(profile, totals)}{_crowd(profile)}"
    if target:
        return f"{text}    -> {target}"
    return f"{source}: {text}" if source else text


def _heading_of_stats(stats: "Stats", source: str) -> str:
    """prof.out (pstats): 18 function calls in 6.020 s"""
    totals = stats.totals()
    if stats.sampled:  # the primitive calls are those in which the function was the one that ran
        return f"{source} (pstats): {counted(totals.primitive, 'sample')} in {moment(totals.own)}"
    return f"{source} (pstats): {_calls(totals)} in {moment(totals.own)}"


def _calls(totals: "Totals") -> str:
    calls = counted(totals.calls, "function call")
    if totals.primitive == totals.calls:
        return calls
    return f"{calls} ({counted(totals.primitive, 'primitive call')})"


def _busy(profile: "Profile", totals: "Totals") -> str:
    """What did not wait; where it is known, at most the CPU time of the program and its children,
    for others may have pushed it off the CPU. Nothing of a sum in which it is not known."""
    known = profile.meta().get("cpu", "unknown")
    if not known:
        return ""
    most = float(known) if re.fullmatch(r"\d{1,9}\.\d{6}", known) else math.inf
    busy = min(max(totals.own - totals.waiting, 0.0), most)
    return f", {moment(busy)} of it on the CPU"


def _crowd(profile: "Profile") -> str:
    processes = len(profile.processes())
    threads = thread_count(profile)
    text = runs.words(profile)
    text += f", {processes} processes" if processes > runs.count(profile) else ""
    return text + (f", {threads} threads" if threads > max(processes, 1) else "")


def thread_count(profile: "Profile") -> int:
    """How many threads of the operating system were recorded; several may share a tree."""
    return sum(thread.uses for thread in profile.threads())


def counted(number: int, noun: str) -> str:
    """1 call, 2 calls."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def lines(rows: "Sequence[Row]", files: "Files") -> list[Line]:
    """One line of texts per row."""
    return [
        (
            calls(row),
            f"{own(row):.3f}",
            _each(own(row), row.calls),
            f"{cumulative(row):.3f}",
            _each(cumulative(row), row.primitive),
            waiting(waited(row), cumulative(row)),
            files.label(row),
        )
        for row in rows
    ]


def share_lines(rows: "Sequence[Row]", files: "Files", whole: float) -> list[Line]:
    """The same with the shares of the whole in place of the times per call: as many columns. What a
    coroutine awaited is beside the recorded time, and no part of it."""
    return [
        (
            calls(row),
            f"{own(row):.3f}",
            share(row.own, whole),
            f"{cumulative(row):.3f}",
            share(row.cumulative, whole),
            waiting(waited(row), cumulative(row)),
            files.label(row),
        )
        for row in rows
    ]


def calls(row: "Row") -> str:
    return str(row.calls) if row.calls == row.primitive else f"{row.calls}/{row.primitive}"


def share(part: float, whole: float) -> str:
    """In percent, without the sign; blank where there is no time to share."""
    return f"{100 * part / whole:.1f}" if whole > 0 else ""


def _each(seconds: float, count: int) -> str:
    return f"{seconds / count:.3f}" if count else ""


def waiting(seconds: float, whole: float) -> str:
    """A share that rounds to nothing stays blank, so that the others are seen."""
    percent = round(100 * min(seconds / whole, 1.0)) if whole > 0 else 0
    return f"{percent}%" if percent else ""


def remainder(total: int, shown: int) -> str:
    left = total - shown
    return f"{counted(left, 'more function')}; -n 0 shows all" if left else ""
