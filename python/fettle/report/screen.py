# SPDX-License-Identifier: Apache-2.0
"""Prints a table: plain text that stays the same everywhere; on a terminal with colour, and no
wider than that."""

import os
from io import StringIO

from fettle.report import fit
from fettle.report.columns import no_room
from fettle.report.names import plain
from fettle.report.table import COLUMNS, LAST_COLUMN, SHORT_LAST_COLUMN

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import TextIO

    from fettle.report.table import Line

_SGR = {
    "bold": "1",
    "dim": "2",
    "foot": "2",
    "red": "31",
    "green": "32",
    "yellow": "33",
    "cyan": "36",
}


class Text(StringIO):
    """A stream for what becomes a text, which has no colour whatever FORCE_COLOR says: a kernel of
    Jupyter sets it."""


def coloured(stream: "TextIO") -> bool:
    """NO_COLOR and FORCE_COLOR decide; else the terminal does. A stream that is a Text has none."""
    if os.environ.get("NO_COLOR") or isinstance(stream, Text):
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
    shares: "Sequence[float]" = (),
    links: "Sequence[str]" = (),
) -> None:
    """The heading, the table and what it leaves out. Colour changes no column; on a terminal, names
    and columns that it has no room for are cut, and there is a bar for each of the shares (0 to 1).
    links, as URIs, are behind the names where there is colour."""
    rows, left_out = _fitted(lines, columns, shares, stream) if lines else ([], "")
    rest = "".join(f" {line}\n" for line in (remainder, left_out) if line)
    if coloured(stream) and _coloured_page(heading, rows, rest, stream, links):
        return
    table = "".join(f"{numbers}{waiting}  {name}\n" for numbers, waiting, name in rows)
    write(f"{heading}\n{table}{rest}", stream)


def styled(lines: list[tuple[str, str]], stream: "TextIO") -> None:
    """Prints lines, each in one style. They may be a hundred thousand, for which rich would take
    seconds. On a terminal a long line is cut, for where lines wrap no column can be read; headings
    ("bold") and what is said below a table ("foot") stay whole."""
    width = room(stream)
    if width is not None:
        whole = {"bold", "foot"}
        lines = [(line if style in whole else _cut(line, width), style) for line, style in lines]
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


def sentences(texts: list[str], stream: "TextIO") -> None:
    if texts:
        write("".join(f"fettle: {plain(text)}\n" for text in texts), stream)


def write(text: str, stream: "TextIO") -> None:
    stream.write(_encodable(text, stream))
    stream.flush()


def _encodable(text: str, stream: "TextIO") -> str:
    """What the stream's encoding lacks is escaped."""
    encoding = stream.encoding or "utf-8"
    return text.encode(encoding, "backslashreplace").decode(encoding)


def _fitted(
    lines: "list[Line]", columns: "Line", shares: "Sequence[float]", stream: "TextIO"
) -> tuple[list[tuple[str, str, str]], str]:
    """Head and lines as numbers, waiting and name; and what there was no room for."""
    width = room(stream)
    if width is None:
        return _aligned(lines, columns), ""
    bars = fit.bars(shares, width, stream)
    lines, columns, left_out = fit.columns(lines, columns, width - (fit.BAR + 2) * bool(bars))
    rows = _aligned(lines, columns)
    if bars:
        beside = [" " * fit.BAR, *bars]
        rows = [(row[0], f"{row[1]}  {bar}", row[2]) for row, bar in zip(rows, beside, strict=True)]
    left = width - len(rows[0][0]) - len(rows[0][1]) - 2
    if len(LAST_COLUMN) > left:
        rows[0] = (*rows[0][:2], SHORT_LAST_COLUMN)
    fitted = [(numbers, waiting, fit.name(name, left)) for numbers, waiting, name in rows]
    return fitted, no_room(left_out)


def _aligned(lines: "list[Line]", columns: "Line") -> list[tuple[str, str, str]]:
    """Head and lines as numbers, the last number, and name."""
    rows = [(*columns, LAST_COLUMN), *lines]
    widths = fit.widths(lines, columns)
    cells = [[f"{cell:>{width}}" for cell, width in zip(row, widths, strict=False)] for row in rows]
    return [("".join(cell[:-1]), cell[-1], row[-1]) for cell, row in zip(cells, rows, strict=True)]


def _coloured_page(
    heading: str,
    rows: list[tuple[str, str, str]],
    rest: str,
    stream: "TextIO",
    links: "Sequence[str]",
) -> bool:
    """False where rich is not installed."""
    try:
        from rich.console import Console
        from rich.style import Style
        from rich.text import Text
    except ImportError:
        return False
    page = Text.assemble(Text(f"{_encodable(heading, stream)}\n", "bold"))
    for place, (numbers, waiting, name) in enumerate(rows):
        styles = ("", "yellow", _style(name)) if place else ("cyan", "cyan", "cyan")
        for part, style in zip((numbers, f"{waiting}  "), styles, strict=False):
            page.append(_encodable(part, stream), style)
        link = links[place - 1] if links and place else ""
        shown = Style.parse(styles[2]) + Style(link=link) if link else styles[2]
        page.append(_encodable(name, stream), shown)
        page.append("\n")
    page.append(rest, "dim")
    console = Console(file=stream, force_terminal=True, force_jupyter=False, highlight=False)
    console.print(page, soft_wrap=True, end="")  # the terminal wraps: nothing is cut off or folded
    return True


def _style(label: str) -> str:
    """Python functions stand out from those written in C, and from what is folded."""
    is_dim = label.lstrip(" <->").startswith(("{", "(")) or label.endswith("}")
    return "dim" if is_dim else "green"
