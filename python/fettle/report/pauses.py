# SPDX-License-Identifier: Apache-2.0
"""What a timeline says below its charts: how often garbage was collected and how long that took,
and how many threads ran.
"""

from fettle.report import size, table, unit

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from fettle._core import CollectionSumRow, Profile

NOT_SEEN = (
    "the program emptied gc.callbacks, so garbage collections after that are missing; let it take"
    " out its own functions only."
)


def of(profile: "Profile") -> list[str]:
    """The lines; none of what was not recorded."""
    threads = table.thread_count(profile)
    at_once = _most_at_once((span.start, span.end) for span in profile.spans()[1])
    lines = [collections(profile.collection_sums())]
    if threads > 1 and at_once:
        lines.append(f"{size.counted(threads, 'thread')}, at most {at_once} at the same time")
    return [line for line in lines if line]


def remarks(profile: "Profile") -> list[str]:
    """What must be known to read them right."""
    return [NOT_SEEN] * any(note.kind == "collections" for note in profile.notes())


def collections(sums: "Iterable[CollectionSumRow]") -> str:
    """27 garbage collections (24 of generation 0, 3 of 2) took 2.49ms, the longest 985.3us."""
    by_generation: dict[int, list[CollectionSumRow]] = {}
    for row in sums:
        by_generation.setdefault(row.generation, []).append(row)
    rows = [row for several in by_generation.values() for row in several]
    if not rows:
        return ""
    each = ", ".join(
        f"{size.grouped(sum(row.count for row in several))} of {'generation ' * (at == 0)}{number}"
        for at, (number, several) in enumerate(sorted(by_generation.items()))
    )
    time = unit.Unit().cell(round(1e9 * sum(row.time for row in rows)))
    longest = unit.Unit().cell(round(1e9 * max(row.longest for row in rows)))
    how_many = size.counted(sum(row.count for row in rows), "garbage collection")
    return f"{how_many} ({each}) took {time}, the longest {longest}"


def _most_at_once(spans: "Iterable[tuple[float, float | None]]") -> int:
    """How many of them there were at the same moment.

    >>> _most_at_once([(0.0, None), (1.0, 2.0), (1.5, 3.0), (3.0, 4.0)]), _most_at_once([])
    (3, 0)
    """
    steps: list[tuple[float, int]] = []
    for start, end in spans:
        steps.append((start, 1))
        if end is not None:
            steps.append((end, -1))
    running = most = 0
    for _, step in sorted(steps):  # of what ends and begins at once, the end first
        running += step
        most = max(most, running)
    return most
