# SPDX-License-Identifier: Apache-2.0
"""Prints a table: plain text that stays the same everywhere, or with colour on a terminal."""

import os

from fettle.report.table import COLUMNS, LAST_COLUMN

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TextIO

    from fettle.report.table import Line

_CALLS_WIDTH = 7
_WIDTH = 9  # two spaces and %7.3f, or more digits at the expense of the spaces


def coloured(stream: "TextIO") -> bool:
    """NO_COLOR and FORCE_COLOR decide; else the terminal does."""
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return stream.isatty() and os.environ.get("TERM") != "dumb"


def page(heading: str, lines: "list[Line]", remainder: str, stream: "TextIO") -> None:
    """The heading, the table and what it leaves out."""
    if coloured(stream) and _rich_page(heading, lines, remainder, stream):
        return
    text = [heading, *(_plain(lines) if lines else [])]
    if remainder:
        text.append(f" {remainder}")
    _write("\n".join(text) + "\n", stream)


def sentences(texts: list[str], stream: "TextIO") -> None:
    if texts:
        _write("".join(f"fettle: {text}\n" for text in texts), stream)


def _write(text: str, stream: "TextIO") -> None:
    """What the stream's encoding lacks is escaped."""
    encoding = stream.encoding or "utf-8"
    stream.write(text.encode(encoding, "backslashreplace").decode(encoding))
    stream.flush()


def _plain(lines: "list[Line]") -> list[str]:
    calls = max(_CALLS_WIDTH, *(len(line[0]) for line in lines))
    widths = (calls, *[_WIDTH] * (len(COLUMNS) - 1))
    rows = [(*COLUMNS, LAST_COLUMN), *lines]
    return [
        "".join(f"{cell:>{width}}" for cell, width in zip(row, widths, strict=False))
        + f"  {row[-1]}"
        for row in rows
    ]


def _rich_page(heading: str, lines: "list[Line]", remainder: str, stream: "TextIO") -> bool:
    """The same with colour. False where rich is not installed."""
    try:
        from rich.console import Console
        from rich.table import Table
        from rich.text import Text
    except ImportError:
        return False
    console = Console(file=stream, force_terminal=True, highlight=False)
    console.print(Text(heading, style="bold"))
    if lines:
        grid = Table(box=None, padding=(0, 0, 0, 2), pad_edge=False, header_style="cyan")
        for column in COLUMNS:
            grid.add_column(column, justify="right", no_wrap=True)
        grid.add_column(LAST_COLUMN, overflow="fold")
        for line in lines:
            grid.add_row(*line[:-2], Text(line[-2], "yellow"), Text(line[-1], _style(line[-1])))
        console.print(grid)
    if remainder:
        console.print(Text(f" {remainder}", style="dim"))
    return True


def _style(label: str) -> str:
    """Python functions stand out from those written in C."""
    return "dim" if label.startswith("{") else "green"
