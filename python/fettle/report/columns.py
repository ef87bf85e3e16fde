# SPDX-License-Identifier: Apache-2.0
"""Numbers in columns, then what they are of, then whatever text there is to it."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Cells = Sequence[str]
    Table = tuple[Cells, Sequence[Cells]]  # head and rows

_WIDEST_LABEL = 48  # a longer one moves its own text only


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


def fitting(
    kinds: tuple[str, ...], room: int | None, lay_out: "Callable[[tuple[str, ...]], Table]"
) -> tuple[str, ...]:
    """As many of the kinds of numbers, from the first on, as leave room for what they are of: a
    terminal cuts lines, and what stands there last, the source, may be cut. None: any number.

    >>> def lay_out(kinds):
    ...     return [*kinds, "of", ""], [[*("123" for _ in kinds), "f", "x = 1"]]
    >>> fitting(("a", "b", "c"), 14, lay_out), fitting(("a", "b", "c"), None, lay_out)
    (('a', 'b'), ('a', 'b', 'c'))
    """
    for count in range(len(kinds), 1, -1):
        head, rows = lay_out(kinds[:count])
        widths = _widths(head, rows, len(head) - 2)[:-1]
        if room is None or sum(widths) + 2 * len(widths) <= room:
            return kinds[:count]
    return kinds[:1]


def _widths(head: "Cells", rows: "Sequence[Cells]", numbers: int) -> list[int]:
    widths = [max(map(len, cells)) for cells in zip(head, *rows, strict=True)]
    return [
        min(width, _WIDEST_LABEL) if at >= numbers else width for at, width in enumerate(widths)
    ]
