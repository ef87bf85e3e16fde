# SPDX-License-Identifier: Apache-2.0
"""Numbers in columns, then what they are of, then whatever text there is to it."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

_WIDEST_LABEL = 48  # a longer one moves its own text only


def aligned(head: "Sequence[str]", rows: "Sequence[Sequence[str]]", texts: int = 2) -> list[str]:
    """Head and rows as lines. The last `texts` cells stand on the left of their columns, the others
    on the right.

    >>> for line in aligned(["bytes", "at", "text"], [["1", "a", ""], ["20", "bcd", "x = 1"]]):
    ...     print(line)
      bytes  at   text
          1  a
         20  bcd  x = 1
    """
    numbers = len(head) - texts
    widths = [max(map(len, cells)) for cells in zip(head, *rows, strict=True)]
    widths = [
        min(width, _WIDEST_LABEL) if at >= numbers else width for at, width in enumerate(widths)
    ]
    lines = []
    for row in (head, *rows):
        cells = [
            f"{cell:>{width}}" if at < numbers else f"{cell:<{width}}"
            for at, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append(f"  {'  '.join(cells)}".rstrip())
    return lines
