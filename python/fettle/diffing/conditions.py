# SPDX-License-Identifier: Apache-2.0
"""--fail-on: what grew by more than is allowed, surely, and by whose fault.

Where runs differ, the smallest of the new side is held against the largest of the old one: a
condition is met only where each run says so. Times need an interval that lies beyond the limit.
"""

from fettle.diffing import judged
from fettle.problem import CHECK_FAILED, Problem
from fettle.report import difftable, size
from fettle.report.names import visible
from fettle.report.sitelines import label

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from fettle.diffing.change import Change
    from fettle.diffing.side import Side
    from fettle.diffing.table import Table
    from fettle.failon import Condition


def _failed(
    conditions: "Sequence[Condition]", kind: str, old: "Sequence[int]", new: "Sequence[int]"
) -> list[str]:
    before, now = max(old), min(new)
    return [one.text for one in conditions if one.kind == kind and one.failed(before, now)]


def _share(before: int, now: int) -> str:
    return f" ({difftable.ratio(before, now)})" if before else ""


def counts(conditions: "Sequence[Condition]", table: "Table") -> list[str]:
    """What to say of calls, or hits, that grew too much."""
    old, new = table.counts()
    failed = _failed(conditions, table.count, old, new)
    if not failed:
        return []
    before, now = max(old), min(new)
    most = max(table.changes, key=lambda one: one.count())
    return [
        f"the {table.count} grew by {size.grouped(now - before)}{_share(before, now)}, most of all"
        f" those of {_label(most, table)}, by {size.grouped(most.count())}: {', '.join(failed)} was"
        " asked to fail."
    ]


def _label(of: "Change", table: "Table") -> str:
    entry = of.entry()
    if table.noun == "function":
        return table.files.label(entry)
    return f"{table.files.shown(entry.file)}:{entry.line} ({visible(entry.qualname)})"


def times(conditions: "Sequence[Condition]", table: "Table") -> list[str]:
    """What to say of the time of all functions, if it surely grew too much."""
    asked = [one for one in conditions if one.kind == "time"]
    if not asked:
        return []
    old, new = table.times()
    grown = judged.growth(judged.compared(old, new))
    failed = [one.text for one in asked if grown > one.least_share()]
    if not failed:
        return []
    most = max(table.changes, key=lambda one: one.seconds("own"))
    return [
        f"the time grew by {100 * grown:.1f} % at least, most of all that of"
        f" {_label(most, table)}: {', '.join(failed)} was asked to fail."
    ]


def memory(conditions: "Sequence[Condition]", old: "Side", new: "Side") -> list[str]:
    """What to say of memory that grew too much: the peak, or what was alive at points."""
    from fettle.report import growth

    of_points = old.points is not None or new.points is not None
    kind, word = ("alive", "what was alive") if of_points else ("peak", "the peak")
    sides = [
        [growth.Side(side.name, run, side.points) for run in side.profiles()] for side in (old, new)
    ]
    befores, nows = ([each.bytes(kind) for each in side] for side in sides)
    failed = _failed(conditions, "mem", befores, nows)
    if not failed:
        return []
    before, now = max(befores), min(nows)
    lines, _ = growth.matched(sides[0][0], sides[1][0])
    most = max(lines, key=lambda one: one.bytes(kind), default=None)
    culprit = ""
    if most is not None and most.bytes(kind) > 0:
        from fettle.report.names import Files

        files = Files([one.line().file for one in lines])
        culprit = f", most of all at {label(most.line(), files, ' ')}"
    return [
        f"{word} grew by {size.amount(now - before)}{_share(before, now)}{culprit}:"
        f" {', '.join(failed)} was asked to fail."
    ]


def objects(conditions: "Sequence[Condition]", old: "Side", new: "Side") -> list[str]:
    """What to say of objects alive at the end, if there are too many more."""
    olds, news = ([difftable.types(run) for run in side.profiles()] for side in (old, new))
    befores, nows = (
        [sum(count for count, _ in run.values()) for run in side] for side in (olds, news)
    )
    failed = _failed(conditions, "objects", befores, nows)
    if not failed:
        return []
    before, now = max(befores), min(nows)
    grown = {name: count - olds[0].get(name, (0, 0))[0] for name, (count, _) in news[0].items()}
    most = max(grown, key=lambda name: grown[name])
    return [
        f"the objects alive at the end grew by {size.grouped(now - before)}{_share(before, now)},"
        f" most of all {visible(most)}: {', '.join(failed)} was asked to fail."
    ]


def refuse(said: list[str]) -> None:
    """Problem with exit code 1, if something is to be said."""
    if said:
        raise Problem(CHECK_FAILED, "\nfettle: ".join(said))
