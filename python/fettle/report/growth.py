# SPDX-License-Identifier: Apache-2.0
"""What grew between two moments: of two recordings, or of one.

Lines move when a file is edited. Where both recordings have the source of a file, its lines are
matched as a diff of the two matches them; else by their distance from the beginning of their
function, which is right as long as nothing was put in above them within it. A file is the same if
it has the same path, else if it has the same from the folder in which the program ran.
"""

from difflib import SequenceMatcher

from fettle.diffing.files import relative
from fettle.report import sitelines
from fettle.report.listing import Recorded
from fettle.report.names import visible

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from fettle._core import PointRow, Profile
    from fettle.report.sitelines import SiteLine

    Place = tuple[str, int, str, int]  # file, line, qualname, domain
    Move = Callable[[SiteLine], int]  # where a line of the old side is on the new one

MOST_COMPARED = 3000  # lines of a file that differ, of either side: a diff takes their product


class Side:
    """What there was at the end of a recording, or at points of it that bear one name."""

    __slots__ = ("lines", "name", "points", "profile")

    def __init__(
        self, name: str, profile: "Profile", points: "list[PointRow] | None" = None
    ) -> None:
        self.name = name
        self.profile = profile
        self.points = points
        sites = profile.sites()
        self.lines = (
            sitelines.by_line(sites) if points is None else sitelines.at_points(points, sites)
        )

    def bytes(self, kind: str) -> int:
        """Of the whole side; what was alive is all that a point knows."""
        if self.points is not None:
            return sum(point.bytes for point in self.points) if kind == "alive" else 0
        return sum(int(getattr(heap, f"{kind}_bytes")) for heap in self.profile.heaps())

    def is_estimate(self) -> bool:
        return any(heap.sample for heap in self.profile.heaps())


class Growth:
    """One line on both sides; None: it allocated nothing there."""

    __slots__ = ("new", "old")

    def __init__(self, old: "SiteLine | None", new: "SiteLine | None") -> None:
        self.old = old
        self.new = new

    def line(self) -> "SiteLine":
        """The line as it is called now."""
        found = self.new or self.old
        assert found is not None
        return found

    def bytes(self, kind: str) -> int:
        """By how much it grew."""
        return self.now(kind) - (self.old.bytes[kind] if self.old else 0)

    def blocks(self, kind: str) -> int:
        now = self.new.blocks[kind] if self.new else 0
        return now - (self.old.blocks[kind] if self.old else 0)

    def now(self, kind: str) -> int:
        return self.new.bytes[kind] if self.new else 0

    def news(self, kind: str) -> str:
        """What must be said of it: new, gone, or where it was."""
        was = self.old.blocks[kind] if self.old else 0
        now = self.new.blocks[kind] if self.new else 0
        if not (was and now):
            return "new" if now else "gone" if was else ""
        assert self.old is not None and self.new is not None
        return f"was :{self.old.line}" if self.old.line != self.new.line else ""


def matched(old: Side, new: Side) -> tuple[list[Growth], list[str]]:
    """Every line of both sides once, and what must be said of how they were matched."""
    moves, remarks = _Moves(old, new), []
    befores: dict[Place, SiteLine] = {}
    afters: dict[Place, SiteLine] = {}
    for line in old.lines:
        _put(befores, (moves.file(line), moves.moved(line), line.qualname, line.domain), line)
    for line in new.lines:
        _put(afters, (line.file, line.line, line.qualname, line.domain), line)
    places = dict.fromkeys([*afters, *befores])
    remarks = moves.remarks()
    return [Growth(befores.get(place), afters.get(place)) for place in places], remarks


def _put(lines: "dict[Place, SiteLine]", place: "Place", line: "SiteLine") -> None:
    """Functions of one name may have made a line twice."""
    if place in lines:
        lines[place].merge(line)
    else:
        lines[place] = line


class _Moves:
    """Where the lines of the old side are by now."""

    def __init__(self, old: Side, new: Side) -> None:
        self._is_same = old.profile is new.profile
        self._folders = [side.profile.meta().get("cwd", "") for side in (old, new)]
        self._sources = [Recorded(side.profile) for side in (old, new)]
        self._files = {line.file: line.file for line in new.lines}
        for line in new.lines:
            self._files.setdefault(relative(line.file, self._folders[1]), line.file)
        self._starts: dict[tuple[str, str], set[int]] = {}
        for line in new.lines:
            self._starts.setdefault((line.file, line.qualname), set()).add(line.first_line)
        self._by_file: dict[str, Move] = {}
        self._by_source: list[str] = []
        self._by_distance: set[str] = set()

    def file(self, line: "SiteLine") -> str:
        """What the file of a line of the old side is called on the new one."""
        if line.file in self._files:
            return line.file
        return self._files.get(relative(line.file, self._folders[0]), line.file)

    def moved(self, line: "SiteLine") -> int:
        """The number of line on the new side; 0: it is not there."""
        if self._is_same:
            return line.line
        if line.file not in self._by_file:
            self._by_file[line.file] = self._move_of(line)
        return self._by_file[line.file](line)

    def _move_of(self, line: "SiteLine") -> "Move":
        file = self.file(line)
        before, after = self._sources[0].lines(line.file), self._sources[1].lines(file)
        if not before or not after:
            return self._from_start
        if before == after:
            return lambda line: line.line
        found = aligned(before, after)
        if found is None:
            return self._from_start
        self._by_source.append(file)
        return lambda line: found.get(line.line, -line.line)

    def _from_start(self, line: "SiteLine") -> int:
        """By the distance from the function's first line, if there is one function of the name."""
        starts = self._starts.get((self.file(line), line.qualname), set())
        if line.first_line in starts or len(starts) != 1:
            return line.line
        self._by_distance.add(line.file)
        return line.line + next(iter(starts)) - line.first_line

    def remarks(self) -> list[str]:
        return [
            f"{visible(file)} is not what it was: its lines are matched {way}."
            for files, way in (
                (self._by_source, "by their source"),
                (sorted(self._by_distance), "by their distance from the start of their function"),
            )
            for file in files
        ]


def aligned(before: list[str], after: list[str]) -> dict[int, int] | None:
    """The numbers of lines before, and where they are after; a line that was edited, with as many
    as there were around it, is the same line. None if that is too much work.

    >>> aligned(["a", "b", "c"], ["new", "a", "B", "c"])
    {1: 2, 2: 3, 3: 4}
    >>> aligned(["a", "b", "c"], ["a", "c"])
    {1: 1, 3: 2}
    """
    start = 0
    while start < min(len(before), len(after)) and before[start] == after[start]:
        start += 1
    end = 0
    room = min(len(before), len(after)) - start
    while end < room and before[-1 - end] == after[-1 - end]:
        end += 1
    middles = before[start : len(before) - end], after[start : len(after) - end]
    if max(map(len, middles)) > MOST_COMPARED:
        return None
    found = {number: number for number in range(1, start + 1)}
    for tag, low, high, to, last in SequenceMatcher(None, *middles, autojunk=False).get_opcodes():
        if tag == "equal" or (tag == "replace" and high - low == last - to):
            found |= {start + low + at + 1: start + to + at + 1 for at in range(high - low)}
    shift = len(after) - len(before)
    return found | {n: n + shift for n in range(len(before) - end + 1, len(before) + 1)}
