# SPDX-License-Identifier: Apache-2.0
"""What `fettle diff` and Run.diff() print: a table for each part that both sides hold."""

from fettle import failon
from fettle.diffing import conditions as met
from fettle.diffing import judged, surroundings
from fettle.diffing.side import PARTS
from fettle.diffing.table import Choice as Rows
from fettle.diffing.table import Table
from fettle.diffing.table import show as show_table
from fettle.problem import CHECK_FAILED, USAGE, Problem
from fettle.report import difftable, growth, names

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol, TextIO

    from fettle.diffing.side import Side
    from fettle.failon import Condition

    class Sayer(Protocol):
        def say(self, remarks: list[str], stream: TextIO) -> None: ...


_NOUNS = {
    "calls": ("calls", "`fettle run -C`"),
    "lines": ("lines", "`fettle run -l`"),
    "mem": ("memory", "`fettle run -M`"),
    "objects": ("objects", "`fettle run -M`"),
    "times": ("timings", "`fettle time`"),
}
ONCE = (
    "the times are of one run{side}, which proves nothing: `fettle run --repeat 5` records several,"
    " and then each time has an interval."
)


TYPICAL = "memory and objects are those of the run whose peak is the median."


class Choice:
    """What to compare, and how the tables are ordered."""

    __slots__ = ("key", "kind", "orders_memory", "parts", "rows", "within")

    def __init__(
        self,
        parts: "frozenset[str]" = frozenset(),
        rows: int = 30,
        key: str = "",
        kind: str = "peak",
        within: str = "",
        orders_memory: bool = False,
    ) -> None:
        self.parts = parts  # of PARTS; none: all that both sides hold
        self.rows = rows  # of each table (0: all)
        self.key = key  # the order of functions and lines; "": their first time
        self.kind = kind  # the order of memory
        self.within = within  # GLOB
        self.orders_memory = orders_memory  # somebody asked for an order of memory


def show(
    old: "Side",
    new: "Side",
    choice: Choice,
    conditions: "list[Condition]",
    sayer: "Sayer",
    stream: "TextIO",
) -> None:
    """Prints the tables and what must be known of them. Problem if a condition is met."""
    parts = _parts(old, new, choice)
    failon.need(conditions, parts, judged.enough(len(old.runs), len(new.runs)))
    remarks: list[str] = []
    said: list[str] = []
    tables: dict[str, Table] = {
        part: Table(old, new, part == "lines", choice.within)
        for part in ("calls", "lines")
        if part in parts
    }
    _check_within(choice, tables, parts)
    for part, table in tables.items():
        remarks += show_table(table, Rows(choice.rows, choice.key), stream)
        said += met.counts(conditions, table)
        if part == "calls":
            said += met.times(conditions, table)
    if parts & {"mem", "objects"}:
        remarks += _memory(old, new, choice, parts, stream)
        said += met.memory(conditions, old, new) if "mem" in parts else []
        said += met.objects(conditions, old, new) if "objects" in parts else []
    if tables and not judged.enough(len(old.runs), len(new.runs)):
        remarks.append(once(old, new))
    if tables and "times" not in parts:
        remarks += around(old, new)
    remarks += _left_out(old, new, choice)
    if "times" in parts:
        _times(old, new, choice, conditions, sayer, remarks, stream)
    else:
        sayer.say(remarks, stream)
    met.refuse(said)


def _parts(old: "Side", new: "Side", choice: Choice) -> set[str]:
    """What is compared. Problem if there is nothing, or not what was asked for."""
    both = old.held() & new.held()
    for part in PARTS:
        if part in choice.parts and part not in both:
            lacks = old if part not in old.held() else new
            noun, option = _NOUNS[part]
            raise Problem(
                CHECK_FAILED,
                f"{names.visible(lacks.name)} has no {noun} to compare; record them with {option}.",
            )
    parts = set(choice.parts) or both
    if choice.orders_memory and not parts & {"mem"}:
        what = "these are timings" if parts == {"times"} else "there is none to compare"
        raise Problem(USAGE, f"--{choice.kind} is of the memory, and {what}; leave it out.")
    if choice.within and parts == {"times"}:
        raise Problem(USAGE, "--in is of functions and lines, and these are timings; leave it out.")
    if not parts:
        raise nothing_shared(old, new)
    return parts


def nothing_shared(old: "Side", new: "Side") -> Problem:
    """The sentence for two sides that hold nothing of one kind."""
    held = [f"{names.visible(side.name)} holds {_listed(side.held())}" for side in (old, new)]
    return Problem(USAGE, f"{' and '.join(held)}, which can not be compared; name two of one kind.")


def _listed(parts: set[str]) -> str:
    return " and ".join(_NOUNS[part][0] for part in PARTS if part in parts) or "nothing"


def _left_out(old: "Side", new: "Side", choice: Choice) -> list[str]:
    """What only one side holds."""
    if choice.parts or old.points is not None or new.points is not None:
        return []
    return [
        f"{name} has no {parts}, so {parts} were not compared." for name, parts in lacking(old, new)
    ]


def lacking(old: "Side", new: "Side") -> list[tuple[str, str]]:
    """The name of a side, and what of the other's it does not hold."""
    missing = [(one, other.held() - one.held()) for one, other in ((new, old), (old, new))]
    return [(names.visible(side.name), _listed(parts)) for side, parts in missing if parts]


def _check_within(choice: Choice, tables: dict[str, Table], parts: set[str]) -> None:
    """Problem if the glob means nothing in any of them."""
    found = any(table.changes for table in tables.values())
    if choice.within and tables and not found and "mem" not in parts:
        raise names.no_match(choice.within)


def once(old: "Side", new: "Side") -> str:
    """What must be said of times where one side is of a single run."""
    several = max(len(old.runs), len(new.runs)) > 1
    return ONCE.format(side=" on one side" if several else " each")


def around(old: "Side", new: "Side") -> list[str]:
    """What must be said of times that were not measured alike. What never was in a file, or is not
    fettle's, does not know where it was recorded."""
    metas = [side.runs[0].meta() for side in (old, new)]
    return surroundings.remarks(*metas) if all("machine" in meta for meta in metas) else []


def _memory(
    old: "Side", new: "Side", choice: Choice, parts: set[str], stream: "TextIO"
) -> list[str]:
    sides = [growth.Side(side.name, side.typical(), side.points) for side in (old, new)]
    chosen = difftable.Choice(choice.rows, choice.kind, choice.within, frozenset(parts))
    remarks = difftable.show(sides[0], sides[1], chosen, stream)
    if max(len(old.runs), len(new.runs)) > 1:
        remarks.append(TYPICAL)
    return remarks


def _times(
    old: "Side",
    new: "Side",
    choice: Choice,
    conditions: "list[Condition]",
    sayer: "Sayer",
    remarks: list[str],
    stream: "TextIO",
) -> None:
    from fettle.report import timingdiff

    before, now = old.profiles()[0], new.profiles()[0]
    changes = timingdiff.matched(before, now)
    timingdiff.show(changes, [(old.name, before), (new.name, now)], choice.rows, stream)
    sayer.say(remarks, stream)
    timingdiff.check([one for one in conditions if one.kind == "time"], changes)


def points(
    side: "Side",
    choice: Choice,
    conditions: "list[Condition]",
    sayer: "Sayer",
    stream: "TextIO",
) -> None:
    """What grew from point to point of one recording."""
    from fettle.diffing.side import Side
    from fettle.report import pointtable

    failon.need(conditions, {"mem"})
    if choice.parts - {"mem"}:
        raise Problem(USAGE, "the points of a recording are of its memory; leave the others out.")
    profile = side.profiles()[0]
    chosen = difftable.Choice(choice.rows, choice.kind, choice.within)
    remarks = pointtable.show(profile, side.name, chosen, stream)
    sayer.say(remarks, stream)
    first = profile.points()[0].name
    start = Side(first, [profile], pointtable.find(profile, first, ""))
    met.refuse(met.memory(conditions, start, side))
