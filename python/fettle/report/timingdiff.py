# SPDX-License-Identifier: Apache-2.0
"""What became slower and what faster from one recording of timings to the next: by label.

Nothing was measured in turns, so samples are no pairs, and what changed between the recordings
besides the code, the machine's mood among it, is in the difference: what is known of that is said.
"""

from fettle import _core
from fettle.diffing import surroundings
from fettle.problem import CHECK_FAILED, Problem
from fettle.report import columns, screen, size
from fettle.report import timing as report
from fettle.report.names import visible
from fettle.report.unit import Scale

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TextIO

    from fettle._core import Profile, TimingRow
    from fettle.failon import Condition

_MOST_LISTED = 3  # labels in a sentence
_LEAST_LABEL = 12  # columns


class Change:
    """One candidate on both sides; None: it was not measured there."""

    __slots__ = ("compared", "label", "new", "old")

    def __init__(self, label: str, old: "TimingRow | None", new: "TimingRow | None") -> None:
        self.label = label
        self.old = old
        self.new = new
        self.compared: _core.Compared | None = None
        if old and new and old.clock == new.clock and _is_measured(old) and _is_measured(new):
            self.compared = compared(old, new)

    def words(self) -> str:
        """1.40x slower (95%: 1.31 to 1.50)"""
        if self.old is None:
            return "new"
        if self.new is None:
            return "gone"
        if self.compared is not None:
            return report.change(self.compared)
        if self.old.clock != self.new.clock:
            return f"not compared: {self.old.clock} clock before, {self.new.clock} clock now"
        return "not compared: no samples"

    def slowdown(self) -> float:
        """By what share of the old time it is slower at least (95 %); 0 where that is not sure."""
        found = self.compared
        if found is None or found.verdict != "slower" or not found.high > 0:
            return 0.0
        return max(1 / found.high - 1, 0.0)


def compared(old: "TimingRow", new: "TimingRow") -> _core.Compared:
    """How many times as fast the new one is."""
    from fettle.timing.timing import NOTHING

    floor = NOTHING * max(old.empty, new.empty)
    return _core.compare(old.groups, new.groups, paired=False, floor=floor)


def _is_measured(row: "TimingRow") -> bool:
    return any(map(len, row.groups))


def matched(old: "Profile", new: "Profile") -> list[Change]:
    """In the order of the new side, then what is gone. Of one label the first is compared with the
    first, the second with the second, and so on.

    >>> from array import array
    >>> old, new = _core.Profile(), _core.Profile()
    >>> old.add_timing("f()", "cpu", 1, 0.0, [array("d", [1.0, 1.1, 1.2])] * 5)
    >>> new.add_timing("f()", "cpu", 1, 0.0, [array("d", [2.0, 2.2, 2.4])] * 5)
    >>> [(change.label, round(change.compared.ratio, 6)) for change in matched(old, new)]
    [('f()', 0.5)]
    """
    before: dict[str, list[TimingRow]] = {}
    for row in old.timings():
        before.setdefault(row.label, []).append(row)
    changes: list[Change] = []
    for row in new.timings():
        same = before.get(row.label)
        changes.append(Change(row.label, same.pop(0) if same else None, row))
    gone = [row for rows in before.values() for row in rows]
    return [*changes, *(Change(row.label, row, None) for row in gone)]


def show(
    changes: list[Change], sides: "list[tuple[str, Profile]]", rows: int, stream: "TextIO"
) -> None:
    """Prints the comparison, and what must be known of it below. sides: path and recording of old
    and new; rows: how many at most (0: all)."""
    names = " -> ".join(visible(name) for name, _ in sides)
    shown = changes[:rows] if rows else changes
    left = len(changes) - len(shown)
    rest = f"{size.counted(left, 'more label')}; -n 0 shows all" if left else ""
    lines, note = _lines(shown, screen.room(stream))
    foot = [(f" {line}", "foot") for line in (rest, note) if line]
    screen.styled([(f"{names}{_clocks(changes)}", "bold"), *lines, *foot], stream)
    screen.sentences(remarks(changes, [profile for _, profile in sides]), stream)


def _clocks(changes: list[Change]) -> str:
    rows = [row for change in changes for row in (change.old, change.new) if row]
    clocks = {row.clock: report.clock(row) for row in rows}
    return f": {' and '.join(clocks.values())}, medians"


def _lines(changes: list[Change], room: int | None) -> tuple[list[tuple[str, str]], str]:
    """The table, and what there was no room for."""
    width = room or report.WIDTH
    cells = [[_median(change.old), _median(change.new), change.words()] for change in changes]
    widths = [max(map(len, column), default=0) for column in zip(*cells, strict=True)]
    is_narrow = room is not None and sum(widths) + 8 + _LEAST_LABEL > room
    if is_narrow:
        cells = [[old, new, report.short(words)] for old, new, words in cells]
        widths[2:] = [max(len(words) for _, _, words in cells)]
    most = max(width - sum(widths) - 8, _LEAST_LABEL)
    labels = [report.one_line(change.label, most) for change in changes]
    left = max(map(len, [*labels, "label"]), default=0)
    head = f"  {'':<{left}}  {'old':>{widths[0]}}  {'new':>{widths[1]}}" if changes else ""
    lines = [(head, "cyan")]
    for change, label, (old, new, words) in zip(changes, labels, cells, strict=True):
        numbers = f"{old:>{widths[0]}}  {new:>{widths[1]}}"
        lines.append((f"  {label:<{left}}  {numbers}  {words}", _style(change)))
    return lines, columns.no_room(["the intervals"] * is_narrow)


def _style(change: Change) -> str:
    verdict = change.compared.verdict if change.compared else ""
    return {"slower": "red", "faster": "green"}.get(verdict, "")


def _median(row: "TimingRow | None") -> str:
    if row is None or not _is_measured(row):
        return ""
    nanoseconds = _core.describe(row.groups).median * 1e9
    return Scale(nanoseconds).text(nanoseconds)


def remarks(changes: list[Change], profiles: "list[Profile]") -> list[str]:
    """How the two were not measured alike, and what that may mean."""
    said = surroundings.remarks(*(profile.meta() for profile in profiles))
    if any(change.old and change.new and not change.compared for change in changes):
        said.append(
            "times of two clocks, or of no samples, can not be compared; measure again, with the"
            " same --clock."
        )
    if not any(change.old and change.new for change in changes):
        said.append("no label is in both recordings: nothing was compared.")
    return said


def check(conditions: "list[Condition]", changes: list[Change]) -> None:
    """Problem with exit code 1 for those that are met, or if there is nothing to judge by."""
    if conditions and not any(change.compared for change in changes):
        raise Problem(
            CHECK_FAILED,
            "nothing could be compared, so that --fail-on has nothing to judge by; measure the same"
            " statements on both sides.",
        )
    for condition in conditions:
        if condition.kind != "time":
            continue
        failed = [change for change in changes if change.slowdown() > condition.least_share()]
        if failed:
            labels = [report.one_line(change.label, 40) for change in failed[:_MOST_LISTED]]
            more = f" and {len(failed) - len(labels)} more" * (len(failed) > len(labels))
            raise Problem(
                CHECK_FAILED,
                f"{', '.join(labels)}{more} took longer, surely by more than what {condition.text}"
                " allows; the table says by how much.",
            )
