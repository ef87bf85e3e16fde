# SPDX-License-Identifier: Apache-2.0
"""The table of %mprun: a function, line by line, with what each line and all that it called holds.

A site counts once for each line of the function that its path leads through, however often: a
function that calls itself is not counted twice.
"""

import linecache
from collections import defaultdict
from typing import Any

from fettle.report import listing, names, size

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from fettle._core import Profile

    Sums = dict[int, tuple[int, int]]  # by line: peak and alive

HEAD = f"{'Line #':>6} {'Peak':>12} {'Increment':>12} {'Occurrences':>12}   Line Contents"


def tables(profile: "Profile", functions: "Sequence[Any]") -> "Iterator[str]":
    """The lines of all tables."""
    for function in functions:
        code = function.__code__
        file, first = code.co_filename, code.co_firstlineno
        sums = sums_of(profile, file, first, code.co_qualname)
        hits = _hits(profile, file, first, code.co_qualname)
        yield f"Filename: {names.visible(file)}"
        yield ""
        yield HEAD
        yield "=" * len(HEAD)
        source = _block(file, first) or [""] * (max({*sums, *hits, first}) - first + 1)
        for line, text in enumerate(source, first):
            peak, alive = sums.get(line, (0, 0))
            cells = (
                [size.amount(peak), size.amount(alive)]
                if line in hits or line in sums
                else ["", ""]
            )
            count = str(hits[line]) if line in hits else ""
            row = f"{line:>6} {cells[0]:>12} {cells[1]:>12} {count:>12}   {names.plain(text)}"
            yield row.rstrip()
        yield ""


def sums_of(profile: "Profile", file: str, first: int, qualname: str) -> "Sums":
    """What each line of a function, and all that it called, held."""
    sites = profile.sites()
    through: list[frozenset[int]] = []  # the lines of the function on the way to each site
    sums: defaultdict[int, list[int]] = defaultdict(lambda: [0, 0])
    for site in sites:
        lines = through[site.parent] if site.parent >= 0 else frozenset()
        if (site.file, site.first_line, site.qualname) == (file, first, qualname):
            lines |= {site.line}
        through.append(lines)
        for line in lines:
            sums[line][0] += site.peak_bytes
            sums[line][1] += site.alive_bytes
    return {line: (peak, alive) for line, (peak, alive) in sums.items()}


def _hits(profile: "Profile", file: str, first: int, qualname: str) -> dict[int, int]:
    for table in profile.lines():
        if (table[0], table[1], table[3]) == (file, first, qualname):
            return {row[0]: row[1] for row in table[5]}
    return {}


def _block(file: str, first: int) -> list[str]:
    """The lines of a function; none where they can not be told, as of a file that was changed."""
    lines = [line.rstrip("\r\n") for line in linecache.getlines(file)]
    return lines[first - 1 : listing.last_line(lines, first)]
