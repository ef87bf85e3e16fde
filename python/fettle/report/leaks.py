# SPDX-License-Identifier: Apache-2.0
"""Lines that had more alive at each point of a recording than at the one before: leaks do that."""

from fettle.report import columns, livetypes, names, screen, sitelines, size
from fettle.report.growth import Growth
from fettle.report.listing import Recorded

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import TextIO

    from fettle._core import Profile
    from fettle.report.difftable import Choice
    from fettle.report.growth import Side
    from fettle.report.sitelines import Key

LEAST = 3  # marks from which on growth at each of them says something
_WIDEST_SOURCE = 60


def growing(marks: "Iterable[dict[Key, int]]") -> "set[Key]":
    """The keys whose values are larger at each mark than at the one before; what is not there is 0.

    >>> a, b = ("a.py", 1, 1, "f", 0), ("a.py", 2, 1, "f", 0)
    >>> growing([{a: 1, b: 1}, {a: 2, b: 3}, {a: 3, b: 3}]) == {a}
    True
    """
    before: dict[Key, int] | None = None
    found: set[Key] | None = None
    for now in marks:
        if before is not None:
            last = before
            found = {
                key
                for key in (now if found is None else found)
                if last.get(key, 0) < now.get(key, 0)
            }
        before = now
    return found or set()


def show(
    marks: "Iterable[dict[Key, int]]",
    count: int,
    first: "Side",
    last: "Side",
    choice: "Choice",
    stream: "TextIO",
) -> None:
    """Prints them, the largest growth from the first mark to the last of the `count` first."""
    keys = growing(marks)
    before = {line.key(): line for line in first.lines}
    files = names.Files([line.file for line in last.lines])
    found = [
        Growth(before.get(line.key()), line)
        for line in last.lines
        if line.key() in keys and (not choice.within or files.match(line, choice.within))
    ]
    found.sort(key=lambda one: (-one.bytes("alive"), one.line().file, one.line().line))
    shown = found[: choice.rows] if choice.rows else found
    types, sources = _types(last.profile), Recorded(last.profile)
    rows = [_cells(one, count - 1, types, files, sources) for one in shown]
    heading = f"{size.counted(len(found), 'line')} grew at every mark"
    head = ["growth", "each time", "blocks", "mostly", sitelines.HEAD, ""]
    lines = columns.aligned(head, rows, texts=3) if rows else []
    left = len(found) - len(rows)
    rest = f" {size.counted(left, 'more line')}; -n 0 shows all" if left else ""
    body = [
        (heading if found else "no line grew at every mark", "bold"),
        *zip(lines, ["cyan", *["yellow"] * len(rows)], strict=False),
    ]
    screen.styled([*body, *[(rest, "foot")] * bool(rest)], stream)


def _cells(
    one: Growth, steps: int, types: "dict[Key, str]", files: names.Files, sources: Recorded
) -> list[str]:
    line = one.line()
    blocks = one.blocks("alive")
    return [
        size.change(one.bytes("alive")),
        size.change(one.bytes("alive") / steps),
        f"{'+' * (blocks > 0)}{size.grouped(blocks)}",
        names.visible(types.get(line.key(), "")),
        sitelines.label(line, files),
        names.shortened(sources.line(line.file, line.line), _WIDEST_SOURCE),
    ]


def _types(profile: "Profile") -> "dict[Key, str]":
    """The type that holds most of what is alive of a line at the end."""
    sites = profile.sites()
    sums: dict[tuple[Key, str], int] = {}
    mains = livetypes.main_modules(profile)
    for row in profile.objects():
        if row.site >= 0:
            key = sitelines.key_of(sites[row.site])
            type = livetypes.named(row.type, row.process, mains)
            sums[key, type] = sums.get((key, type), 0) + row.bytes
    most: dict[Key, str] = {}
    for key, name in sorted(sums, key=lambda each: sums[each]):
        most[key] = name
    return most
