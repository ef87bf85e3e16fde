# SPDX-License-Identifier: Apache-2.0
"""The tables of functions and of lines: what changed most stands first."""

from fettle.diffing import change, functions, judged, lines
from fettle.diffing.side import middle
from fettle.report import columns, fit, names, screen, size
from fettle.report.listing import Recorded
from fettle.report.timing import change as said_of
from fettle.report.timing import short
from fettle.report.unit import Scale

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TextIO

    from fettle._core import Compared
    from fettle.diffing.change import Change
    from fettle.diffing.side import Side

_WIDEST_SOURCE = 60
_WIDE = 100  # columns of a terminal from which on there is room for intervals
_LEAST_SHARE = 0.01  # of the time of the whole: a smaller change is no row of its own
_SHORTEST = 5e-10  # seconds: less is no change


class Choice:
    """What of a comparison to show."""

    __slots__ = ("key", "rows", "within")

    def __init__(self, rows: int = 30, key: str = "", within: str = "") -> None:
        self.rows = rows  # of each table (0: all)
        self.key = key  # what the rows are ordered by; "": each table's first
        self.within = within  # GLOB


class Table:
    """One of the two: its words, and what there is to it."""

    __slots__ = ("changes", "count", "files", "kinds", "new", "noun", "old", "remarks", "sources")

    def __init__(self, old: "Side", new: "Side", of_lines: bool, within: str) -> None:
        self.old, self.new = old, new
        self.noun = "line" if of_lines else "function"
        self.count = "hits" if of_lines else "calls"
        self.kinds = lines.TIMES if of_lines else functions.TIMES
        self.remarks: list[str] = []
        if of_lines:
            self.changes, self.remarks = lines.matched(old, new)
            self.sources = [Recorded(side.profiles()[0]) for side in (old, new)]
        else:
            self.changes, self.sources = functions.matched(old, new), []
        self.files = names.Files([one.entry().file for one in self.changes])
        if within:
            self.changes = [one for one in self.changes if self.files.match(one.entry(), within)]

    def runs(self) -> tuple[int, int]:
        return len(self.old.runs), len(self.new.runs)

    def counts(self) -> tuple[list[int], list[int]]:
        """Of all rows, of each run of either side."""
        return change.sums(self.changes, self.runs())

    def times(self) -> tuple[list[float], list[float]]:
        """The seconds of all rows, likewise: own times, or those of the lines."""
        return change.times(self.changes, self.kinds[0], self.runs())

    def has_runs(self) -> bool:
        """Are there enough to say something of the times?"""
        return judged.enough(*self.runs())

    def judge(self, kind: str) -> float:
        """Judges the rows by that time, if there are runs for it. Gives the time of the whole."""
        whole = max(map(judged.median, self.times()))
        if self.has_runs():
            change.judge(self.changes, kind, whole)
        return whole

    def told(self) -> str:
        """What became of the time of the whole."""
        return verdict(judged.compared(*self.times()))


def show(table: Table, choice: Choice, stream: "TextIO") -> list[str]:
    """Prints the table below its heading. Gives what must be said below it."""
    key = choice.key if choice.key in {table.count, *table.kinds} else table.kinds[0]
    whole = table.judge(key if key in table.kinds else table.kinds[0])
    changed = [one for one in table.changes if _matters(one, table, whole)]
    changed.sort(key=lambda one: _order(one, key, table))
    shown = changed[: choice.rows] if choice.rows else changed
    body, note = _body(table, shown, key, screen.room(stream))
    left = len(changed) - len(shown)
    rest = f"{size.counted(left, f'more {table.noun}')} changed; -n 0 shows all" if left else ""
    foot = [(f" {line}", "foot") for line in (rest, note) if line]
    screen.styled([(heading(table), "bold"), *body, *foot], stream)
    return [*table.remarks, *_varying(table)]


def _matters(one: "Change", table: Table, whole: float) -> bool:
    """Does it deserve a row? Times of a run or two always differ."""
    if one.count() or one.old is None or one.new is None or one.varies():
        return True
    return any(
        abs(one.seconds(kind)) >= max(_LEAST_SHARE * whole, _SHORTEST) for kind in table.kinds
    )


def _order(one: "Change", key: str, table: Table) -> tuple[float, float, str, int, str]:
    amount = one.count() if key == table.count else one.seconds(key)
    entry = one.entry()
    return -abs(amount), -abs(one.seconds(table.kinds[0])), entry.file, entry.line, entry.name


def _body(
    table: Table, shown: "list[Change]", key: str, room: int | None
) -> tuple[list[tuple[str, str]], str]:
    """The lines of the table, and what there was no room for."""
    if not shown:
        return [(f"  no {table.noun} changed", "")], ""
    kinds = tuple(dict.fromkeys((key, table.count, *table.kinds)))
    is_narrow = room is not None and room < _WIDE
    words = [verdict(one.verdict) for one in shown]
    told = [[short(each) if is_narrow else each] * any(words) for each in words]

    def lay_out(kinds: tuple[str, ...]) -> "columns.Table":
        head = [word for kind in kinds for word in (kind, "now")]
        rows = [_cells(one, kinds, table, text) for one, text in zip(shown, told, strict=True)]
        return [*head, "", table.noun, *[""] * len(told[0]), ""], rows

    shorten = fit.name if table.noun == "function" else None
    printed, left_out = columns.fitted(kinds, room, lay_out, 2 + len(told[0]), shorten)
    if is_narrow and told[0]:
        left_out.append("the intervals")
    styles = ["cyan", *(_style(one.verdict) for one in shown)]
    return list(zip(printed, styles, strict=True)), columns.no_room(left_out, _ways(left_out))


def _ways(left_out: list[str]) -> list[str]:
    return ["-s KEY"] if set(left_out) - {"now", "the intervals"} else []


def _cells(one: "Change", kinds: tuple[str, ...], table: Table, told: list[str]) -> list[str]:
    """Blank is no change, or nothing there."""
    cells: list[str] = []
    for kind in kinds:
        cells += _count(one) if kind == table.count else _time(one, kind)
    entry = one.entry()
    if table.noun == "function":
        return [*cells, one.news(), table.files.label(entry), *told, ""]
    label = f"{table.files.shown(entry.file)}:{entry.line}  {names.visible(entry.qualname)}"
    source = names.shortened(
        table.sources[one.new is not None].line(entry.file, entry.line), _WIDEST_SOURCE
    )
    return [*cells, one.news(), label, *told, source]


def _count(one: "Change") -> list[str]:
    grew, now = one.count(), one.count_now()
    mark = "~" * one.varies()
    return [
        f"{mark}{'+' * (grew > 0)}{size.grouped(grew)}" if grew else mark,
        size.grouped(now) if now else "",
    ]


def _time(one: "Change", kind: str) -> list[str]:
    now = one.seconds_now(kind)
    return [seconds_grown(one.seconds(kind)), seconds(now) if now >= _SHORTEST else ""]


def seconds(amount: float) -> str:
    """With three figures.

    >>> seconds(0.001424), seconds(2.5)
    ('1.42 ms', '2.50 s')
    """
    return Scale(amount * 1e9).text(amount * 1e9)


def seconds_grown(amount: float) -> str:
    """By how much, with its sign; blank where it is not by a nanosecond.

    >>> seconds_grown(0.2), seconds_grown(-0.0015), seconds_grown(0.0)
    ('+200 ms', '-1.50 ms', '')
    """
    if abs(amount) < _SHORTEST:
        return ""
    return f"{'-' if amount < 0 else '+'}{seconds(abs(amount))}"


def verdict(of: "Compared | None") -> str:
    """1.40x slower (95%: 1.31 to 1.50); blank where nothing was judged."""
    return said_of(of) if of is not None else ""


def _style(of: "Compared | None") -> str:
    return {"slower": "red", "faster": "green"}.get(of.verdict if of else "", "")


def heading(table: Table) -> str:
    """old.fettle -> new.fettle: calls 1 203 -> 2 410 (+1 207, +100.3 %); time 1.20 s -> 1.45 s"""
    before, now = map(middle, table.counts())
    times = table.times()
    text = f"{table.count} {size.grouped(before)} -> {size.grouped(now)}{_grew(before, now)}"
    text += f"; time {' -> '.join(seconds(judged.median(each)) for each in times)}"
    runs = ""
    if max(table.runs()) > 1:
        runs = f"; {table.runs()[0]} and {table.runs()[1]} runs"
    if table.has_runs():
        text += f", {table.told()}"
    sides = " -> ".join(names.visible(side.name) for side in (table.old, table.new))
    return f"{sides}: {text}{runs}"


def _grew(before: int, now: int) -> str:
    if before == now:
        return ""
    share = f", {100 * (now - before) / before:+.1f} %" if before and now <= 10 * before else ""
    return f" ({'+' * (now > before)}{size.grouped(now - before)}{share})"


def _varying(table: Table) -> list[str]:
    count = sum(one.varies() for one in table.changes)
    if not count:
        return []
    nouns = size.counted(count, table.noun)
    return [
        f"{nouns} did not have as many {table.count} in each run of a side (~): those of the median"
        " run are shown."
    ]
