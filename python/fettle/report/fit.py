# SPDX-License-Identifier: Apache-2.0
"""What a table keeps where a terminal is narrow: its first number, its names, and as much of the
rest as there is room for."""

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import TextIO

    from fettle.report.table import Line

BAR = 8  # letters of a bar
WITH_BARS = 72  # columns from which on there is room for bars
_EIGHTHS = " ▏▎▍▌▋▊▉█"
_FIRST_WIDTH = 7
_WIDTH = 9  # a space and %8.3f, as cProfile
_NAME = 24  # letters of a name that are worth a number
# What goes first where there is no room, and of equal ones the last.
_DISPENSABLE = ("percall", "Per Hit", "%", "waiting", "Waiting", "tottime", "ncalls", "cumtime")


def widths(lines: "Sequence[Line]", columns: "Line") -> list[int]:
    """Of the columns of numbers: whatever the numbers, the columns stay."""
    return [
        max(
            _WIDTH if place else _FIRST_WIDTH,
            *(len(row[place]) + (place > 0) for row in (columns, *lines)),
        )
        for place in range(len(columns))
    ]


def columns(lines: "list[Line]", heads: "Line", room: int) -> "tuple[list[Line], Line, Line]":
    """Lines and heads without the columns that leave no room for a name, and the heads of these.

    >>> columns([("1", "0.500", "0.500", "app.py:3(work)")], ("ncalls", "tottime", "percall"), 40)
    ([('1', '0.500', 'app.py:3(work)')], ('ncalls', 'tottime'), ('percall',))
    """
    wide = widths(lines, heads)
    name = max((_worth(line[-1]) for line in lines), default=0)
    kept = list(range(len(heads)))
    for head in _DISPENSABLE:
        for place in reversed(range(len(heads))):
            if sum(wide[each] for each in kept) + 2 + name <= room or len(kept) == 1:
                break
            if heads[place] == head and place in kept:
                kept.remove(place)
    if len(kept) == len(heads):
        return lines, heads, ()
    return (
        [(*(line[place] for place in kept), line[-1]) for line in lines],
        tuple(heads[place] for place in kept),
        tuple(head for place, head in enumerate(heads) if place not in kept),
    )


def _worth(name: str) -> int:
    """How many columns a name must have: in a tree it is indented."""
    indent = min(len(name) - len(name.lstrip(" ")), _NAME)
    return min(len(name), indent + _NAME)


def name(text: str, room: int) -> str:
    """The end of a name says what it is of; what it is indented by stays, and an arrow.

    >>> name("  package/module.py:12(work)", 20), name("work", 20)
    ('  ...ule.py:12(work)', 'work')
    >>> name("  <- package/module.py:12(work)", 23)
    '  <- ...ule.py:12(work)'
    """
    if len(text) <= room:
        return text
    letters = text.lstrip(" ")
    arrow = 3 if letters.startswith(("<- ", "-> ")) else 0
    indent = text[: min(len(text) - len(letters) + arrow, max(room - 8, 0))]
    left = max(room - len(indent) - 3, 1)
    return f"{indent}...{text[-left:]}"


def bars(shares: "Sequence[float]", room: int, stream: "TextIO") -> list[str]:
    """A bar for each share (0 to 1), where the terminal has room for bars."""
    if room < WITH_BARS:
        return []
    return [bar(share, has_blocks(stream)) for share in shares]


def bar(share: float, blocks: bool = True) -> str:
    """As long as the share of eight letters.

    >>> bar(0.5), bar(0.55), bar(1.0, blocks=False), bar(0.001)
    ('████    ', '████▍   ', '########', '▏       ')
    """
    share = min(max(share, 0.0), 1.0)
    if not blocks:
        return f"{'#' * round(share * BAR):<{BAR}}"
    eighths = round(share * 8 * BAR) or int(share > 0)
    return f"{'█' * (eighths // 8) + _EIGHTHS[eighths % 8].strip():<{BAR}}"


def has_blocks(stream: "TextIO") -> bool:
    """Whether the stream's encoding and the terminal have them."""
    try:
        _EIGHTHS.encode(stream.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return os.environ.get("TERM") != "dumb"
