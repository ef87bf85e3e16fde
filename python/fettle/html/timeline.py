# SPDX-License-Identifier: Apache-2.0
"""What happened when: memory, named points, collections and threads. Times in ns."""

from fettle.html.naming import processes
from fettle.report.names import visible

TYPE_CHECKING = False
if TYPE_CHECKING:
    from fettle._core import Profile


def part(profile: "Profile") -> dict[str, object] | None:
    """The part "timeline"; None where nothing of it was recorded."""
    labels = processes(profile)
    moments = _moments(profile, labels)
    points = [[labels[row.process], _ns(row.time), visible(row.name)] for row in profile.points()]
    collections, threads = _spans(profile, labels)
    if not (moments or points or collections or threads):
        return None
    return {
        "moments": moments,
        "points": points,
        "collections": collections,
        "threads": threads,
    }


def _moments(profile: "Profile", labels: list[str]) -> list[dict[str, object]]:
    """By process, in their order."""
    rows: dict[int, list[tuple[int, int, int]]] = {}
    for row in profile.moments():
        rows.setdefault(row.process, []).append((_ns(row.time), row.live, row.rss))
    found: list[dict[str, object]] = []
    for process, group in rows.items():
        time, live, rss = (list(column) for column in zip(*group, strict=True))
        found.append({"process": labels[process], "time": time, "live": live, "rss": rss})
    return found


def _spans(profile: "Profile", labels: list[str]) -> tuple[list[object], list[object]]:
    """Collections and threads."""
    collections, threads = profile.spans()
    return [
        [labels[row.process], _ns(row.start), _ns(row.duration), row.generation, row.collected]
        for row in collections
    ], [
        [
            labels[row.process],
            visible(row.name),
            _ns(row.start),
            None if row.end is None else _ns(row.end),
        ]
        for row in threads
    ]


def _ns(seconds: float) -> int:
    return round(seconds * 1e9)
