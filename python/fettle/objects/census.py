# SPDX-License-Identifier: Apache-2.0
"""fettle.census: who fills the heap, class by class, and what __slots__ would save."""

from typing import NamedTuple

from fettle import _core
from fettle.objects import classes
from fettle.objects.layout import digits
from fettle.report.names import visible

ROWS = 25  # of a census that is printed
NAME = 60  # letters of a class's name, likewise
SORTS = ("bytes", "instances", "saving", "name")


class Row(NamedTuple):
    """The live instances of one class."""

    type: type
    instances: int
    bytes: int  # of all, without what they refer to
    bytes_each: int
    saving: int  # bytes that __slots__ would save for all of them; 0: none
    why: str | None  # why it can not have __slots__, where it is a class of the program's

    @property
    def name(self) -> str:
        return classes.full_name(self.type)


class Census(list[Row]):
    """The rows, printed as a table."""

    @property
    def instances(self) -> int:
        return sum(row.instances for row in self)

    @property
    def bytes(self) -> int:
        return sum(row.bytes for row in self)

    def __repr__(self) -> str:
        lines = [f"{'bytes':>13} {'instances':>10} {'each':>7} {'saving':>12}  class"]
        lines += [_line(row) for row in self[:ROWS]]
        if len(self) > ROWS:
            rest = self[ROWS:]
            more = sum(row.bytes for row in rest)
            lines.append(f"{digits(more):>13} in {len(rest)} more classes")
        lines.append(f"{digits(self.bytes):>13} in {digits(self.instances)} objects")
        return "\n".join(lines)


def census(sort: str = "bytes") -> Census:
    """All live objects of this interpreter by class, the largest sum of bytes first.

    Objects are those that the garbage collector knows and all that they refer to. sort: "bytes",
    "instances", "saving" (what __slots__ would save) or "name". No code of the program's runs.

    >>> import fettle
    >>> class Pixel:
    ...     def __init__(self):
    ...         self.colour = None
    >>> pixels = [Pixel() for _ in range(1000)]
    >>> next(row.instances for row in fettle.census() if row.type is Pixel)
    1000
    >>> fettle.census(sort="saving")[0].saving >= 32_000
    True
    """
    if sort not in SORTS:
        raise ValueError(
            f"census() sorts by one of {', '.join(SORTS)}, not by {visible(str(sort))}"
        )
    rows = Census(_row(*row) for row in _core.census())
    if sort == "name":
        rows.sort(key=lambda row: row.name)
    else:
        rows.sort(key=lambda row: (-getattr(row, sort), -row.bytes, row.name))
    return rows


def _row(kind: type, instances: int, total: int, saving: int, why: str | None) -> Row:
    return Row(kind, instances, total, round(total / instances), saving, why)


def _line(row: Row) -> str:
    name = visible(row.name)
    name = name if len(name) <= NAME else f"...{name[3 - NAME :]}"  # its end says most
    saving = digits(row.saving) if row.saving else ""
    return (
        f"{digits(row.bytes):>13} {digits(row.instances):>10} {digits(row.bytes_each):>7}"
        f" {saving:>12}  {name}"
    )
