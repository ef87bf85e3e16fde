# SPDX-License-Identifier: Apache-2.0
"""What happened when: memory, named points, collections and threads. Times in ns."""

from fettle.report import timeline
from fettle.report.names import visible

TYPE_CHECKING = False
if TYPE_CHECKING:
    from fettle._core import Profile

    Moments = dict[str, object]


def part(profile: "Profile") -> dict[str, object] | None:
    """The part "timeline"; None where nothing of it was recorded."""
    moments = _moments(profile)
    places = {process: at for at, process in enumerate(moments)}
    points = [
        [places[row.process], _ns(row.time), visible(row.name)]
        for row in profile.points()
        if row.process in places
    ]
    if not moments:
        return None
    return {"moments": list(moments.values()), "points": points, "collections": [], "threads": []}


def _moments(profile: "Profile") -> "dict[int, Moments]":
    """By process, in their order."""
    rows: dict[int, list[tuple[int, int, int]]] = {}
    for row in profile.moments():
        rows.setdefault(row.process, []).append((_ns(row.time), row.live, row.rss))
    found: dict[int, Moments] = {}
    for process, list_of in rows.items():
        times, live, rss = (list(column) for column in zip(*list_of, strict=True))
        label = timeline.label(profile, process)
        found[process] = {"process": label, "time": times, "live": live, "rss": rss}
    return found


def _ns(seconds: float) -> int:
    return round(seconds * 1e9)
