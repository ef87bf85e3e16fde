# SPDX-License-Identifier: Apache-2.0
"""show_func and show_text: line_profiler's tables, the source beside the numbers.

What a terminal would obey is escaped in names and in the source.
"""

import inspect
import linecache
import os
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from tokenize import TokenError
from types import MappingProxyType
from typing import NamedTuple, TextIO

from fettle.report.names import visible

from ._line_profiler import Timings
from .toml_config import ConfigSource

Config = str | os.PathLike[str] | bool | None
Rows = Sequence[tuple[int, int, float]]

COLUMNS = ("line", "hits", "time", "perhit", "percent")
HEADINGS = ("Line #", "Hits", "Time", "Per Hit", "% Time")
CELL = "<lprof_cell>"  # the name of a notebook's cell that is profiled as a whole
_SUMMARY = "%6.2f seconds - %s:%s - %s"
_Summary = Callable[[float, str, int, str], None]
_WHOLE_FILES = ("<module>", CELL)


def show_text(
    stats: Timings,
    unit: float,
    output_unit: float | None = None,
    stream: TextIO | None = None,
    stripzeros: bool = False,
    details: bool = True,
    summarize: bool = False,
    sort: bool = False,
    rich: bool = False,
    *,
    config: Config = None,
) -> None:
    """Writes a table for each function (details), then one line for each (summarize).

    unit is that of the times in stats, output_unit that of the tables, in seconds. stripzeros
    leaves out what never ran, sort puts what took longest last, rich colours. config names the
    file with the column widths: False the default, None one that is looked for.
    """
    stream = stream or sys.stdout
    stream.write(f"Timer unit: {unit if output_unit is None else output_unit:g} s\n\n")
    tables = list(stats.items())
    if sort:
        tables.sort(key=lambda table: sum(time for *_, time in table[1]))
    if details:
        path = ConfigSource.from_config(config).path
        for (file, line, name), rows in tables:
            show_func(
                file, line, name, rows, unit, output_unit, stream, stripzeros, rich, config=path
            )
    if summarize:
        write = _rich_summary(stream) if rich else _plain_summary(stream)
        for (file, line, name), rows in tables:
            seconds = sum(time for *_, time in rows) * unit
            if seconds or not stripzeros:
                write(seconds, visible(file), line, visible(name))


def show_func(
    filename: str,
    start_lineno: int,
    func_name: str,
    timings: Rows,
    unit: float,
    output_unit: float | None = None,
    stream: TextIO | None = None,
    stripzeros: bool = False,
    rich: bool = False,
    *,
    config: Config = None,
) -> None:
    """Writes the table of one function; see show_text().

    >>> show_func("gone.py", 7, "work", [(8, 2, 3000)], 1e-9)  # doctest: +NORMALIZE_WHITESPACE
    Total time: 3e-06 s
    <BLANKLINE>
    Could not find file gone.py
    It may have moved, or its name begins in another folder: the lines are shown without their text.
    <BLANKLINE>
    Line #      Hits         Time  Per Hit   % Time  Line Contents
    ==============================================================
         7
         8         2       3000.0   1500.0    100.0
    <BLANKLINE>
    """
    stream = stream or sys.stdout
    if stripzeros and not any(hits for _, hits, _ in timings):
        return
    total = sum(time for *_, time in timings)
    stream.write(f"Total time: {total * unit:g} s\n")
    last = max((line for line, *_ in timings), default=start_lineno)
    lines = _source(filename, start_lineno, func_name)
    if lines is None:
        _write(stream, f"\nCould not find file {visible(filename)}\n")
        stream.write(
            "It may have moved, or its name begins in another folder:"
            " the lines are shown without their text.\n"
        )
    else:
        _write(stream, f"File: {visible(filename)}\n")
        _write(stream, f"Function: {visible(func_name)} at line {start_lineno}\n")
    shown = [_shown(line) for line in lines or ()]
    shown += [""] * (last + 1 - start_lineno - len(shown))
    table = _layout(timings, unit / (output_unit or unit), config)
    heading = f"{table.template % HEADINGS}  Line Contents"
    stream.write(f"\n{heading}\n{'=' * len(heading)}\n")
    numbers = [
        table.template % (line, *table.cells.get(line, ("",) * 4))
        for line in range(start_lineno, start_lineno + len(shown))
    ]
    if rich:
        _print_rich(stream, numbers, shown)
    else:
        for number, line in zip(numbers, shown, strict=True):
            _write(stream, f"{number}  {line}\n")
    stream.write("\n")


# ---- the numbers ----


@lru_cache
def get_column_widths(config: str | bool | None = False) -> Mapping[str, int]:
    """The least widths of the columns, from a configuration file; False: the default one."""
    found = ConfigSource.from_config(config).get_subconfig("show", "column_widths")
    return MappingProxyType(found.conf_dict)


class _Layout(NamedTuple):
    template: str  # of all columns but the source
    cells: dict[int, tuple[str, ...]]  # by line, of the columns between the line and the source


def _layout(timings: Rows, scale: float, config: Config) -> _Layout:
    """Numbers that are too wide are shown shorter; columns are wider where that was not enough."""
    asked = get_column_widths(os.fspath(config) if isinstance(config, os.PathLike) else config)
    widths = {name: max(width, asked.get(name, 0)) for name, width in get_column_widths().items()}
    total = sum(time for *_, time in timings)
    cells: dict[int, tuple[str, ...]] = {}
    for line, hits, time in timings:
        cells[line] = (
            _fitted(hits, "%d", "%g", widths["hits"]),
            _fitted(time * scale, "%5.1f", "%5.3g", widths["time"]),
            _fitted(time * scale / hits, "%5.1f", "%5.3g", widths["perhit"]) if hits else "",
            f"{100 * time / total:5.1f}" if total else "",
        )
    for column, name in enumerate(COLUMNS[1:]):
        widths[name] = max([widths[name], *(len(row[column]) for row in cells.values())])
    return _Layout(" ".join(f"%{widths[name]}s" for name in COLUMNS), cells)


def _fitted(value: float, usual: str, short: str, width: int) -> str:
    text = usual % value
    return text if len(text) <= width else short % value


# ---- the source ----


def is_generated_code(filename: str) -> bool:
    """Is it the name of code that has no file, such as a notebook's cell?"""
    name = os.path.normcase(filename)
    folder = os.path.normcase(tempfile.gettempdir())
    beginnings = [os.path.join(folder, kernel) for kernel in ("ipykernel_", "xpython_")]
    return name.startswith(("<generated", "<ipython-input-", *beginnings))


def get_code_block(filename: str | os.PathLike[str], lineno: int) -> list[str]:
    """The lines of the function or class that begins at a line of a file."""
    lines = linecache.getlines(os.fspath(filename))[lineno - 1 :]
    try:
        return inspect.getblock(lines) if lines else []
    except TokenError:  # the file is not what it was
        return []


def _source(filename: str, first: int, name: str) -> list[str] | None:
    """The lines of a function; None if there is no such file."""
    linecache.checkcache(filename)
    if not os.path.exists(filename) and not is_generated_code(filename):
        return None
    if name in _WHOLE_FILES:
        return linecache.getlines(filename)[first - 1 :]
    return get_code_block(filename, first)


def _shown(line: str) -> str:
    """A line without its end, and with nothing but tabs and what can be seen."""
    return "\t".join(visible(part) for part in line.rstrip("\r\n").split("\t"))


# ---- writing ----


def _write(stream: TextIO, text: str) -> None:
    """Writes text, what the stream's encoding lacks escaped."""
    try:
        stream.write(text)
    except UnicodeEncodeError as error:
        stream.write(text.encode(error.encoding, "backslashreplace").decode(error.encoding))


def _plain_summary(stream: TextIO) -> _Summary:
    def write(seconds: float, file: str, line: int, name: str) -> None:
        _write(stream, _SUMMARY % (seconds, file, line, name) + "\n")

    return write


def _rich_summary(stream: TextIO) -> _Summary:
    from rich.console import Console
    from rich.markup import escape

    console = Console(file=stream, soft_wrap=True, color_system="standard")

    def write(seconds: float, file: str, line: int, name: str) -> None:
        linked = f"[link={file}]{escape(file)}[/link]"  # a terminal may open it
        console.print(_SUMMARY % (seconds, linked, line, escape(name)))

    return write


def _print_rich(stream: TextIO, numbers: list[str], lines: list[str]) -> None:
    from rich.console import Console
    from rich.highlighter import ReprHighlighter
    from rich.syntax import Syntax
    from rich.table import Table
    from rich.text import Text

    left = Text("\n".join(numbers))
    ReprHighlighter().highlight(left)
    table = Table.grid()
    table.add_row(left, "  ", Syntax("\n".join(lines), "python", background_color="default"))
    Console(file=stream, soft_wrap=True, color_system="standard").print(table)
