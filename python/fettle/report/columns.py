# SPDX-License-Identifier: Apache-2.0
"""Numbers in columns, then what they are of, then whatever text there is to it."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Cells = Sequence[str]
    Table = tuple[Cells, Sequence[Cells]]  # head and rows

_WIDEST_LABEL = 48  # a longer one moves its own text only
_LABEL = 20  # letters of a label that are worth a number
_SHORTEST = 12  # of a label that is cut


def aligned(head: "Cells", rows: "Sequence[Cells]", texts: int = 2) -> list[str]:
    """Head and rows as lines. The last `texts` cells stand on the left of their columns, the others
    on the right.

    >>> for line in aligned(["bytes", "at", "text"], [["1", "a", ""], ["20", "bcd", "x = 1"]]):
    ...     print(line)
      bytes  at   text
          1  a
         20  bcd  x = 1
    """
    numbers = len(head) - texts
    widths = _widths(head, rows, numbers)
    lines = []
    for row in (head, *rows):
        cells = [
            f"{cell:>{width}}" if at < numbers else f"{cell:<{width}}"
            for at, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append(f"  {'  '.join(cells)}".rstrip())
    return lines


def fitted(
    kinds: tuple[str, ...],
    room: int | None,
    lay_out: "Callable[[tuple[str, ...]], Table]",
    texts: int = 2,
    shorten: "Callable[[str, int], str] | None" = None,
) -> tuple[list[str], list[str]]:
    """The lines of as many of the kinds of numbers, from the first on, as leave room for what they
    are of, and the names of those left out; of the last kind the columns behind its first may go
    too. A terminal cuts lines, and what stands there last, the source, may be cut. None: any room.

    >>> def lay_out(kinds):
    ...     return [*kinds, "of", ""], [[*("123" for _ in kinds), "f", "x = 1"]]
    >>> fitted(("a", "b", "c"), 14, lay_out)
    (['    a    b  of', '  123  123  f   x = 1'], ['c'])
    """
    count = len(kinds)
    head, rows = lay_out(kinds)
    while room is not None and count > 1 and _needed(head, rows, texts) > room:
        count -= 1
        head, rows = lay_out(kinds[:count])
    left_out: list[str] = []
    for at in range(len(head) - texts - 1, 0, -1):
        if room is None or _needed(head, rows, texts) <= room:
            break
        if head[at]:
            left_out.insert(0, head[at])
            head, *rows = [[*row[:at], *row[at + 1 :]] for row in (head, *rows)]
    if room is not None and shorten is not None:
        rows = _shortened(head, rows, texts, room, shorten)
    return aligned(head, rows, texts), [*left_out, *kinds[count:]]


def no_room(names: "Sequence[str]", ways: "Sequence[str]" = ()) -> str:
    """What the terminal is too narrow for, and how to see it; "" of nothing.

    >>> print(no_room(["calls", "now", "now"]))
    (no room for calls, now on this terminal)
    >>> print(no_room(["alive"], ["--alive"]))
    (no room for alive: --alive, or a wider terminal)
    """
    if not names:
        return ""
    how = f": {', '.join(ways)}, or a wider terminal" if ways else " on this terminal"
    return f"(no room for {', '.join(dict.fromkeys(names))}{how})"


def _needed(head: "Cells", rows: "Sequence[Cells]", texts: int) -> int:
    """All but the last text, and of a long label its beginning."""
    widths = _widths(head, rows, len(head) - texts)[:-1]
    widths[len(head) - texts] = min(widths[len(head) - texts], _LABEL)
    return sum(widths) + 2 * len(widths)


def _shortened(
    head: "Cells",
    rows: "Sequence[Cells]",
    texts: int,
    room: int,
    shorten: "Callable[[str, int], str]",
) -> "list[Cells]":
    """The rows with labels that leave room for what stands behind them."""
    at = len(head) - texts
    widths = _widths(head, rows, at)
    del widths[at]
    most = max(room - sum(widths) - 2 * sum(map(bool, widths[at:])) - 2 * (at + 1), _SHORTEST)
    return [[*row[:at], shorten(row[at], most), *row[at + 1 :]] for row in rows]


def _widths(head: "Cells", rows: "Sequence[Cells]", numbers: int) -> list[int]:
    widths = [max(map(len, cells)) for cells in zip(head, *rows, strict=True)]
    return [
        min(width, _WIDEST_LABEL) if at >= numbers else width for at, width in enumerate(widths)
    ]
