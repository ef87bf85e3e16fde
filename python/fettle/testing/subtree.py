# SPDX-License-Identifier: Apache-2.0
"""The part of a recording that is below one function: what a test did, without what ran it."""

from __future__ import annotations

from fettle.report.names import visible

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from types import CodeType

    from fettle._core import SiteRow, TreeRow
    from fettle.report.row import Named

Place = tuple[str, int, str]  # file, first line, name


class Hot:
    """A function below another one, by whatever way it was reached. own: seconds."""

    __slots__ = ("calls", "label", "own")

    def __init__(self, label: str) -> None:
        self.label = label
        self.calls = 0
        self.own = 0.0


def place_of(code: CodeType) -> Place:
    return code.co_filename, code.co_firstlineno, code.co_name


def label(row: Named) -> str:
    """app.py:12(parse), {built-in method time.sleep}."""
    name = visible(row.name)
    if row.file == "~":
        return f"{{{name[1:-1]}}}" if name[:1] == "<" and name[-1:] == ">" else name
    return f"{visible(row.file.rpartition('/')[2])}:{row.line}({name})"


def below(rows: Sequence[TreeRow], places: Iterable[Place]) -> dict[Place, list[TreeRow]]:
    """The rows below the outermost calls of each of the places, and these calls at the front."""
    found: dict[Place, list[TreeRow]] = {place: [] for place in places}
    owner: list[Place | None] = []
    for row in rows:
        at = owner[row.parent] if row.parent >= 0 else None
        place = (row.file, row.line, row.name)
        if at is None and row.kind in {"call", "task"} and place in found:
            at = place
        owner.append(at)
        if at is not None:
            found[at].append(row)
    return found


def count(rows: Sequence[TreeRow], place: Place) -> int:
    """The calls below a place; those of the place itself are not among them."""
    return sum(row.calls for row in rows if (row.file, row.line, row.name) != place)


def functions(rows: Iterable[TreeRow]) -> list[Hot]:
    """Each function of the rows once, in no order."""
    found: dict[Place, Hot] = {}
    for row in rows:
        if row.kind not in {"call", "task"}:
            continue
        place = (row.file, row.line, row.name)
        hot = found.get(place)
        if hot is None:
            hot = found[place] = Hot(label(row))
        hot.calls += row.calls
        hot.own += row.own
    return list(found.values())


def sites_below(sites: Sequence[SiteRow], place: Place) -> list[SiteRow]:
    """The sites whose path leads through a function."""
    inside: list[bool] = []
    for row in sites:
        is_it = (row.file, row.first_line, row.name) == place
        inside.append(is_it or (row.parent >= 0 and inside[row.parent]))
    return [row for row, is_inside in zip(sites, inside, strict=True) if is_inside]
