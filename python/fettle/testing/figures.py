# SPDX-License-Identifier: Apache-2.0
"""What one call of a test counted, and where: calls, allocations, the peak of the memory."""

from __future__ import annotations

from fettle.report.names import visible
from fettle.testing import subtree
from fettle.testing.take import __file__ as take_file

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from fettle._core import Profile, SiteRow
    from fettle.testing.subtree import Hot
    from fettle.testing.take import Take


class Spot:
    """A line that allocates."""

    __slots__ = ("alive", "alive_bytes", "blocks", "label", "name", "peak")

    def __init__(self, label: str, name: str) -> None:
        self.label = label  # app.py:12 parse
        self.name = name  # app.py parse: the same after an edit elsewhere in the file
        self.blocks = self.peak = self.alive = self.alive_bytes = 0


class Figures:
    """calls: that the test function made, and those made these, C functions included; its own call
    is not among them. allocations: blocks. peak: bytes beyond those alive when it began."""

    __slots__ = ("allocations", "calls", "functions", "peak", "spots")

    def __init__(self, take: Take) -> None:
        profile = take.profile()
        self.functions = _functions(take, profile)
        self.calls = sum(hot.calls for hot in self.functions)
        self.peak = sum(heap.peak_bytes for heap in profile.heaps())
        self.spots = spots(row for row in profile.sites() if row.file != take_file)
        self.allocations = sum(spot.blocks for spot in self.spots)


def _functions(take: Take, profile: Profile) -> list[Hot]:
    rows = profile.tree()
    if take.code is None:
        return subtree.functions(row for row in rows if "Stopwatch" not in row.name)
    place = subtree.place_of(take.code)
    inside = subtree.below(rows, [place])[place] or rows
    return subtree.functions(row for row in inside if (row.file, row.line, row.name) != place)


def spots(sites: Iterable[SiteRow]) -> list[Spot]:
    """The lines of the sites, each once, in no order."""
    found: dict[tuple[str, int, str], Spot] = {}
    for row in sites:
        key = row.file, row.line, row.qualname
        spot = found.get(key)
        if spot is None:
            file, name = visible(row.file.rpartition("/")[2]), visible(row.qualname)
            spot = found[key] = Spot(f"{file}:{row.line} {name}", f"{file} {name}")
        spot.blocks += row.total_count
        spot.peak += row.peak_bytes
        spot.alive += row.alive_count
        spot.alive_bytes += row.alive_bytes
    return list(found.values())


def own_seconds(take: Take) -> list[Hot]:
    """The functions of a test with their own times, its own body too."""
    rows = take.profile().tree()
    if take.code is None:
        return subtree.functions(rows)
    place = subtree.place_of(take.code)
    return subtree.functions(subtree.below(rows, [place])[place])
