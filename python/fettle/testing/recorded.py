# SPDX-License-Identifier: Apache-2.0
"""What a process of the session recorded: its profile, and the functions of its slowest tests."""

from __future__ import annotations

import tempfile

from fettle import _core
from fettle.report.columns import aligned
from fettle.report.names import visible
from fettle.report.size import counted
from fettle.testing import subtree
from fettle.timing.stopwatch import said

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any, Self

    from fettle.inside import Run
    from fettle.testing.subtree import Place

    Hots = dict[str, list[tuple[float, int, str]]]  # by test: own seconds, calls, label

_FUNCTIONS = 3  # of each test
_MOST_NODES = 300_000  # the heaviest are enough to find the functions that take longest


class Row:
    """A test: seconds in its function, and in its fixtures."""

    __slots__ = ("cpu", "fixtures", "test", "waiting", "wall")

    def __init__(self, test: str) -> None:
        self.test = test
        self.wall = self.cpu = self.waiting = self.fixtures = 0.0

    def times(self) -> tuple[float, float, float]:
        return self.wall, self.cpu, self.waiting


class Finished:
    """One process that ran tests."""

    def __init__(self, profile: _core.Profile, hot: Hots) -> None:
        self.profile = profile
        self.hot = hot

    def sent(self) -> dict[str, Any]:
        """As a worker sends it: bytes, numbers and texts."""
        with tempfile.TemporaryFile() as file:
            self.profile.begin(file.fileno())
            self.profile.append(file.fileno())
            file.seek(0)
            content = file.read()
        return {"profile": content, "hot": [[test, rows] for test, rows in self.hot.items()]}

    @classmethod
    def received(cls, sent: dict[str, Any]) -> Self:
        with tempfile.NamedTemporaryFile() as file:
            file.write(sent["profile"])
            file.flush()
            profile = _core.Profile.read(file.name)
        return cls(profile, dict(sent["hot"]))


def gathered(run: Run) -> _core.Profile:
    """What was recorded, with the sources that linecache knows."""
    from fettle import inside

    return inside._with_sources(run.profile())


def hot_of(profile: _core.Profile, places: Mapping[str, Place | None]) -> Hots:
    """The functions in which each test spent most time itself, callees apart."""
    wanted = {test: place for test, place in places.items() if place is not None}
    if profile.totals().nodes > _MOST_NODES:
        profile, *_ = profile.prune(_MOST_NODES)
    below = subtree.below(profile.tree(), wanted.values())
    found: Hots = {}
    for test, place in wanted.items():
        functions = sorted(subtree.functions(below[place]), key=lambda hot: hot.own, reverse=True)
        found[test] = [(hot.own, hot.calls, hot.label) for hot in functions[:_FUNCTIONS]]
    return found


def table(rows: Sequence[Row], hot: Hots) -> list[str]:
    """Each test with its times, and below it its functions with theirs."""
    head = ["wall", "cpu", "waiting", "fixtures", "", ""]
    cells = []
    for row in rows:
        share = round(100 * min(row.waiting / row.wall, 1.0)) if row.wall else 0
        fixtures = said(row.fixtures) if row.fixtures >= 0.001 else ""
        waiting = f"{share} %" if share else ""
        cells.append([said(row.wall), said(row.cpu), waiting, fixtures, visible(row.test), ""])
        for own, calls, label in hot.get(row.test, []):
            cells.append(
                ["", "", "", "", f"  {said(own)} in {label}, {counted(calls, 'call')}", ""]
            )
    head[4] = "test, and the functions it spent most time in"
    return aligned(head, cells)


def save(finished: Sequence[Finished], path: str, run: Run) -> None:
    """Writes all as one file. OSError where it can not be written."""
    from fettle import inside, output

    whole = finished[0].profile
    for other in finished[1:]:
        whole.merge(other.profile)
    for key, value in inside._properties(run._options).items():
        whole.set_meta(key, value)
    output.save(whole, path)
