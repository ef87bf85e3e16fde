# SPDX-License-Identifier: Apache-2.0
"""A function or a line on both sides, in every run: how often, and how long."""

from fettle.diffing import judged
from fettle.diffing.side import middle

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from fettle._core import Compared


class Entry:
    """What one side has of it. count: calls or hits of each run; seconds: of each kind of time."""

    __slots__ = ("count", "file", "first_line", "line", "name", "qualname", "seconds")

    def __init__(
        self,
        file: str,
        line: int,
        name: str,
        qualname: str,
        first_line: int,
        kinds: "Iterable[str]",
        runs: int,
    ) -> None:
        self.file = file
        self.line = line
        self.name = name
        self.qualname = qualname
        self.first_line = first_line  # of the function
        self.count = [0] * runs
        self.seconds = {kind: [0.0] * runs for kind in kinds}

    def add(self, run: int, count: int, seconds: "Sequence[float]") -> None:
        self.count[run] += count
        for kind, each in zip(self.seconds, seconds, strict=True):
            self.seconds[kind][run] += each


class Change:
    """Both sides; None: it is not there. verdict: of the time that was judged, None if none was."""

    __slots__ = ("new", "old", "verdict")

    def __init__(self, old: Entry | None, new: Entry | None) -> None:
        self.old = old
        self.new = new
        self.verdict: Compared | None = None

    def entry(self) -> Entry:
        """As it is called now."""
        found = self.new or self.old
        assert found is not None
        return found

    def count(self) -> int:
        """By how much the count grew, of the median run."""
        return self.count_now() - (middle(self.old.count) if self.old else 0)

    def count_now(self) -> int:
        return middle(self.new.count) if self.new else 0

    def varies(self) -> bool:
        """Is the count not the same in each run of a side?"""
        return any(len(set(side.count)) > 1 for side in (self.old, self.new) if side)

    def seconds(self, kind: str) -> float:
        """By how much the median time grew."""
        return self.seconds_now(kind) - self.seconds_before(kind)

    def seconds_now(self, kind: str) -> float:
        return judged.median(self.new.seconds[kind]) if self.new else 0.0

    def seconds_before(self, kind: str) -> float:
        return judged.median(self.old.seconds[kind]) if self.old else 0.0

    def news(self) -> str:
        """What must be said of it: new, gone, or where it was."""
        if self.old is None or self.new is None:
            return "gone" if self.new is None else "new"
        return f"was :{self.old.line}" if self.old.line != self.new.line else ""


def judge(changes: "Iterable[Change]", kind: str, whole: float) -> None:
    """Judges those that take a part of the whole time, in seconds, that is worth it."""
    least = judged.LEAST_SHARE * whole
    chosen = [
        (one, one.old.seconds[kind], one.new.seconds[kind])
        for one in changes
        if one.old and one.new and max(one.seconds_before(kind), one.seconds_now(kind)) >= least > 0
    ]
    for one, before, now in chosen:
        one.verdict = judged.compared(before, now, len(chosen))


def sums(changes: "Iterable[Change]", runs: tuple[int, int]) -> tuple[list[int], list[int]]:
    """The counts of each run of either side, over all changes."""
    old, new = ([0] * count for count in runs)
    for one in changes:
        for side, into in ((one.old, old), (one.new, new)):
            for at, count in enumerate(side.count if side else ()):
                into[at] += count
    return old, new


def times(
    changes: "Iterable[Change]", kind: str, runs: tuple[int, int]
) -> tuple[list[float], list[float]]:
    """The seconds of each run of either side, over all changes."""
    old, new = ([0.0] * count for count in runs)
    for one in changes:
        for side, into in ((one.old, old), (one.new, new)):
            for at, seconds in enumerate(side.seconds[kind] if side else ()):
                into[at] += seconds
    return old, new
