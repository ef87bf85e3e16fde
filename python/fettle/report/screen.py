# SPDX-License-Identifier: Apache-2.0
"""Prints a table: plain text that stays the same everywhere, or with colour on a terminal."""

import os

from fettle.report.table import COLUMNS, LAST_COLUMN

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TextIO

    from fettle.report.table import Line

_CALLS_WIDTH = 7
_SGR = {"bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33", "cyan": "36"}
_WIDTH = 9  # a space and %8.3f, as cProfile


def coloured(stream: "TextIO") -> bool:
    """NO_COLOR and FORCE_COLOR decide; else the terminal does."""
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return stream.isatty() and os.environ.get("TERM") != "dumb"


def page(
    heading: str,
    lines: "list[Line]",
    remainder: str,
    stream: "TextIO",
    columns: "Line" = COLUMNS,
) -> None:
    """The heading, the table and what it leaves out. Colour changes no column."""
    rows = _aligned(lines, columns) if lines else []
    rest = f" {remainder}\n" if remainder else ""
    if coloured(stream) and _coloured_page(heading, rows, rest, stream):
        return
    table = "".join(f"{numbers}{waiting}  {name}\n" for numbers, waiting, name in rows)
    write(f"{heading}\n{table}{rest}", stream)


def styled(lines: list[tuple[str, str]], stream: "TextIO") -> None:
    """Prints lines, each in one style. They may be a hundred thousand, for which rich would take
    seconds. On a terminal a long line is cut, for where lines wrap no column can be read; what is
    bold stays whole."""
    width = room(stream)
    if width is not None:
        lines = [(line if style == "bold" else _cut(line, width), style) for line, style in lines]
    codes = _SGR if coloured(stream) else {}
    write("".join([_in_style(line, codes.get(style, "")) for line, style in lines]), stream)


def room(stream: "TextIO") -> int | None:
    """The columns of a terminal; None where it is none."""
    if not stream.isatty():
        return None
    told = os.environ.get("COLUMNS", "")
    if told.isdecimal() and int(told):
        return int(told)
    try:
        return os.get_terminal_size(stream.fileno()).columns or 80
    except OSError:  # a stream that only says it is a terminal
        return 80


def _cut(line: str, width: int) -> str:
    return line if len(line) <= width else f"{line[: max(width - 3, 0)]}..."


def _in_style(line: str, code: str) -> str:
    return f"\x1b[{code}m{line}\x1b[0m\n" if code else f"{line}\n"


def plain(line: str) -> str:
    """A line of somebody else's that must not draw on the screen; its tabs stay."""
    from fettle.report.names import visible

    return "\t".join(visible(part) for part in line.rstrip("\r\n").split("\t"))


def sentences(texts: list[str], stream: "TextIO") -> None:
    if texts:
        write("".join(f"fettle: {text}\n" for text in texts), stream)


def write(text: str, stream: "TextIO") -> None:
    stream.write(_encodable(text, stream))
    stream.flush()


def _encodable(text: str, stream: "TextIO") -> str:
    """What the stream's encoding lacks is escaped."""
    encoding = stream.encoding or "utf-8"
    return text.encode(encoding, "backslashreplace").decode(encoding)


def _aligned(lines: "list[Line]", columns: "Line") -> list[tuple[str, str, str]]:
    """Head and lines as numbers, waiting and name; whatever the numbers, the columns stay."""
    rows = [(*columns, LAST_COLUMN), *lines]
    least = (_CALLS_WIDTH, *[_WIDTH] * (len(columns) - 1))
    widths = [
        max(low, *(len(row[place]) + (place > 0) for row in rows))
        for place, low in enumerate(least)
    ]
    cells = [[f"{cell:>{width}}" for cell, width in zip(row, widths, strict=False)] for row in rows]
    return [("".join(cell[:-1]), cell[-1], row[-1]) for cell, row in zip(cells, rows, strict=True)]


def _coloured_page(
    heading: str, rows: list[tuple[str, str, str]], rest: str, stream: "TextIO"
) -> bool:
    """False where rich is not installed."""
    try:
        from rich.console import Console
        from rich.text import Text
    except ImportError:
        return False
    page = Text.assemble(Text(f"{_encodable(heading, stream)}\n", "bold"))
    for place, (numbers, waiting, name) in enumerate(rows):
        styles = ("", "yellow", _style(name)) if place else ("cyan", "cyan", "cyan")
        for part, style in zip((numbers, waiting, f"  {name}\n"), styles, strict=True):
            page.append(_encodable(part, stream), style)
    page.append(rest, "dim")
    console = Console(file=stream, force_terminal=True, highlight=False)
    console.print(page, soft_wrap=True, end="")  # the terminal wraps: nothing is cut off or folded
    return True


def _style(label: str) -> str:
    """Python functions stand out from those written in C, and from what is folded."""
    return "dim" if label.lstrip(" <->").startswith(("{", "(")) else "green"
