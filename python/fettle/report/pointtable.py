# SPDX-License-Identifier: Apache-2.0
"""The points of a recording (fettle.mark): how much was live at each, what grew from the first to
the last, and what grew at every one of them, which is how a leak looks.
"""

from fettle.problem import CHECK_FAILED, Problem
from fettle.report import columns, difftable, leaks, names, screen, sitelines, size, timeline
from fettle.report.growth import Side

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import TextIO

    from fettle._core import PointRow, Profile
    from fettle.report.difftable import Choice
    from fettle.report.sitelines import Key

END = "end"  # what the end is called where a point is asked for


def find(profile: "Profile", word: str, path: str) -> "list[PointRow] | None":
    """The points that word means: NAME is the first of that name in each process, NAME:2 the
    second. None is the end."""
    points = profile.points()
    name, number = word, 1
    if not any(point.name == word for point in points):
        if word == END:
            return None
        head, _, tail = word.rpartition(":")
        if tail.isascii() and tail.isdecimal() and len(tail) < 10:
            name, number = head, int(tail)
    seen: dict[int, int] = {}
    found = []
    for point in points:
        if point.name == name:
            seen[point.process] = seen.get(point.process, 0) + 1
            if seen[point.process] == number:
                found.append(point)
    if not found:
        raise Problem(CHECK_FAILED, _not_there(points, word, path))
    return found


def _not_there(points: "list[PointRow]", word: str, path: str) -> str:
    known = list(dict.fromkeys(names.visible(point.name) for point in points))
    if not known:
        return (
            f"{names.visible(path)} has no points; write fettle.mark({word!a}) into the program and"
            " record it with `fettle run -M`."
        )
    shown = [name or "one without a name" for name in known[:9]]
    several = ", ".join(shown) + ", ..." * (len(known) > 9)
    return (
        f"{names.visible(path)} has no point {names.visible(word)}; it has {several} and {END}"
        " (NAME:2 is the second of a name)."
    )


def show(profile: "Profile", source: str, choice: "Choice", stream: "TextIO") -> list[str]:
    """Prints what there is of each process that has points. Gives what must be said below."""
    points = profile.points()
    processes = list(dict.fromkeys(point.process for point in points))
    count = size.counted(len(points), "point")
    screen.styled([(f"{names.visible(source)}: {count} of its memory", "bold")], stream)
    has_end = len(profile.heaps()) == 1  # else what was alive is known of all together
    remarks: list[str] = []
    for process in processes:
        if len(processes) > 1:
            screen.styled([(timeline.label(profile, process), "bold")], stream)
        own = [point for point in points if point.process == process]
        remarks += _process(profile, own, has_end, choice, stream)
    return list(dict.fromkeys(remarks))


def _process(
    profile: "Profile",
    points: "list[PointRow]",
    has_end: bool,
    choice: "Choice",
    stream: "TextIO",
) -> list[str]:
    _table(profile, points, has_end, choice.rows, stream)
    ends = [Side(f"@{labels_of(points)[at]}", profile, [points[at]]) for at in (0, -1)]
    if has_end:
        ends.append(Side(f"@{END}", profile))
    elif len(points) < 2:
        return ["one point of a process that is not the only one: mark another to compare with."]
    is_to_end = has_end and len(points) < leaks.LEAST  # there much is let go of
    count = len(points) + is_to_end
    if count >= leaks.LEAST:
        last = ends[-1] if is_to_end else ends[1]
        leaks.show(_alive(profile, points, is_to_end), count, ends[0], last, choice, stream)
    screen.styled([(difftable.heading(ends[0], ends[-1], ["alive"]), "bold")], stream)
    return difftable.by_line(ends[0], ends[-1], choice, ("alive",), stream)


def _alive(
    profile: "Profile", points: "list[PointRow]", has_end: bool
) -> "Iterator[dict[Key, int]]":
    """The bytes of each line at each point; one by one, for there may be many."""
    keys = [sitelines.key_of(site) for site in profile.sites()]
    for point in points:
        found: dict[Key, int] = {}
        for site, _, amount in point.rows:
            found[keys[site]] = found.get(keys[site], 0) + amount
        yield found
    if has_end:
        yield {line.key(): line.bytes["alive"] for line in Side("", profile).lines}


def labels_of(points: "list[PointRow]") -> list[str]:
    """What each is called on the command line: NAME, or NAME:2."""
    seen: dict[str, int] = {}
    labels = []
    for point in points:
        seen[point.name] = seen.get(point.name, 0) + 1
        again = f":{seen[point.name]}" if seen[point.name] > 1 else ""
        labels.append(f"{point.name}{again}")
    return labels


def _table(
    profile: "Profile", points: "list[PointRow]", has_end: bool, most: int, stream: "TextIO"
) -> None:
    """One row for each point; of too many those at which most came or went."""
    found = [
        (point.time, point.bytes, point.count, point.rss, label)
        for point, label in zip(points, labels_of(points), strict=True)
    ]
    if has_end:
        heap = profile.heaps()[0]
        found.append((-1.0, heap.alive_bytes, heap.alive_count, 0, f"({END})"))
    before = [0, *(each[1] for each in found)]
    by_change = sorted(range(len(found)), key=lambda at: (-abs(found[at][1] - before[at]), at))
    kept = sorted(by_change[:most] if most else by_change)
    rows = []
    for at in kept:
        time, live, count, rss, label = found[at]
        rows.append(
            [
                f"{time:.3f} s" if time >= 0 else "",
                size.amount(live),
                size.change(live - before[at]) if at else "",
                size.grouped(count),
                size.amount(rss) if rss else "",
                names.visible(label),
            ]
        )
    printed = columns.aligned(["time", "alive", "growth", "blocks", "RSS", "point"], rows, texts=1)
    left = len(found) - len(kept)
    rest = f" {size.counted(left, 'more point')}; -n 0 shows all" if left else ""
    body = list(zip(printed, ["cyan", *[""] * len(rows)], strict=True))
    screen.styled([*body, *[(rest, "foot")] * bool(rest)], stream)
