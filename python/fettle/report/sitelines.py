# SPDX-License-Identifier: Apache-2.0
"""Allocations by line: what the sites of one line sum to, by whatever way they were reached."""

from fettle.report import columns
from fettle.report.names import visible

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Protocol

    from fettle._core import PointRow, SiteRow
    from fettle.report.names import Files

    class Placed(Protocol):
        @property
        def file(self) -> str: ...
        @property
        def line(self) -> int: ...
        @property
        def qualname(self) -> str: ...
        @property
        def domain(self) -> int: ...


KINDS = ("peak", "alive", "total", "temporary")
NUMPY = 389047  # the domain of tracemalloc under which numpy tells of its data
HEAD = "allocated at"
UNKNOWN = "<unknown>"  # the file of blocks that no Python frame asked for

Key = tuple[str, int, int, str, int]


def no_room(names: "Sequence[str]") -> str:
    """What a table of memory left out of its columns."""
    return columns.no_room(names, [f"--{name}" for name in names if name in KINDS])


class SiteLine:
    """A line of a function and what it allocated, of each of KINDS: bytes and blocks."""

    __slots__ = ("blocks", "bytes", "domain", "file", "first_line", "line", "name", "qualname")

    def __init__(self, row: "SiteRow") -> None:
        self.file = row.file or UNKNOWN
        self.line = row.line
        self.first_line = row.first_line
        self.name = row.name
        self.qualname = row.qualname
        self.domain = row.domain
        self.bytes = dict.fromkeys(KINDS, 0)
        self.blocks = dict.fromkeys(KINDS, 0)

    def key(self) -> Key:
        return self.file, self.line, self.first_line, self.qualname, self.domain

    def add(self, row: "SiteRow") -> None:
        """Adds what a site of this line allocated."""
        for kind, (count, size) in figures(row).items():
            self.blocks[kind] += count
            self.bytes[kind] += size

    def merge(self, other: "SiteLine") -> None:
        """Adds all of another line."""
        for kind in KINDS:
            self.blocks[kind] += other.blocks[kind]
            self.bytes[kind] += other.bytes[kind]


def figures(row: "SiteRow") -> dict[str, tuple[int, int]]:
    """Blocks and bytes of each kind."""
    return {
        "peak": (row.peak_count, row.peak_bytes),
        "alive": (row.alive_count, row.alive_bytes),
        "total": (row.total_count, row.total_bytes),
        "temporary": (row.temporary_count, row.temporary_bytes),
    }


def key_of(row: "SiteRow") -> Key:
    return row.file or UNKNOWN, row.line, row.first_line, row.qualname, row.domain


def by_line(sites: "Iterable[SiteRow]") -> list[SiteLine]:
    """The lines of all sites, in the order of their first site."""
    found: dict[Key, SiteLine] = {}
    for row in sites:
        key = key_of(row)
        line = found.get(key)
        if line is None:
            line = found[key] = SiteLine(row)
        line.add(row)
    return list(found.values())


def at_points(points: "Iterable[PointRow]", sites: "Sequence[SiteRow]") -> list[SiteLine]:
    """The lines of what was alive at these points, which are of different processes."""
    found: dict[Key, SiteLine] = {}
    for point in points:
        for site, count, size in point.rows:
            key = key_of(sites[site])
            line = found.get(key)
            if line is None:
                line = found[key] = SiteLine(sites[site])
            line.blocks["alive"] += count
            line.bytes["alive"] += size
    return list(found.values())


def label(row: "Placed", files: "Files", gap: str = "  ") -> str:
    """build.py:9  load"""
    place = f"{files.shown(row.file or UNKNOWN)}:{row.line}"
    has_name = row.qualname not in {"", UNKNOWN}
    name = f"{place}{gap}{visible(row.qualname)}" if has_name else place
    return f"{name}{gap}{domain(row.domain)}" if row.domain else name


def domain(number: int) -> str:
    """What did not come from Python's allocators is called by what told of it."""
    return "[numpy data]" if number == NUMPY else f"[domain {number}]"


def ordered(lines: list[SiteLine], kind: str) -> list[SiteLine]:
    """The largest first."""
    return sorted(
        lines,
        key=lambda one: (-one.bytes[kind], -one.blocks[kind], one.file, one.line, one.qualname),
    )
