# SPDX-License-Identifier: Apache-2.0
"""One side of a comparison: the runs of a program that count as one."""

from fettle import _core
from fettle.report import overview

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from fettle._core import PointRow, Profile, Stats

PARTS = ("calls", "lines", "mem", "objects", "times")


class Side:
    """A name to show, and the runs: recordings, or what cProfile wrote. With points it is but a
    moment of one recording of memory."""

    __slots__ = ("name", "points", "runs")

    def __init__(
        self,
        name: str,
        runs: "Sequence[Profile | Stats]",
        points: "list[PointRow] | None" = None,
    ) -> None:
        assert runs
        self.name = name
        self.runs = list(runs)
        self.points = points

    def profiles(self) -> "list[Profile]":
        """Those that are recordings."""
        return [run for run in self.runs if isinstance(run, _core.Profile)]

    def held(self) -> set[str]:
        """Of PARTS what there is in every run."""
        if self.points is not None:
            return {"mem"}
        return set.intersection(*map(_held, self.runs))

    def has_names_only(self) -> bool:
        """Of its functions the qualified names are not known: cProfile has none."""
        return any(isinstance(run, _core.Stats) for run in self.runs)

    def folder(self) -> str:
        """Where the program ran."""
        return self.runs[0].meta().get("cwd", "")

    def typical(self) -> "Profile":
        """The run whose peak of memory is the median: of several runs a sum would be no peak, and a
        mean no run."""
        by_peak = sorted(self.profiles(), key=_peak)
        return by_peak[(len(by_peak) - 1) // 2]


def joined(words: "Sequence[str]") -> str:
    """How several recordings are called as one side.

    >>> joined(["a", "b"]), joined(["a", "b", "c"])
    ('a + b', 'a ... c')
    """
    return " + ".join(words) if len(words) < 3 else f"{words[0]} ... {words[-1]}"


def _held(run: "Profile | Stats") -> set[str]:
    if isinstance(run, _core.Stats):
        return {"calls"}
    found = overview.held(run)
    parts = found - {"timings"}
    if run.objects():
        parts.add("objects")
    return parts | {"times"} if "timings" in found else parts


def _peak(profile: "Profile") -> int:
    return sum(heap.peak_bytes for heap in profile.heaps())


def middle(values: "Sequence[int]") -> int:
    """The median of counts, which is one of them.

    >>> middle([3, 9, 3]), middle([4, 2])
    (3, 2)
    """
    return sorted(values)[(len(values) - 1) // 2]
