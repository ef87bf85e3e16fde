# SPDX-License-Identifier: Apache-2.0
"""Which functions a user means by what was typed.

Names come first, so that `main` is main and not main_app; what names nothing may be a regular
expression, as in pstats. The readings, of which the first that finds anything counts:

1. a name, a qualified name or a whole label, or a glob of them
2. PLACE:NAME, MODULE.NAME or FILE:LINE
3. a file or module: all its functions
4. a regular expression, searched in the labels
"""

import re
import warnings
from fnmatch import fnmatchcase

from fettle.problem import CHECK_FAILED, Problem
from fettle.report.names import C_FILE, c_name, visible

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from fettle._core import FunctionRow
    from fettle.report.names import Files


def chosen(rows: "list[FunctionRow]", text: str, files: "Files") -> list[int]:
    """The places in rows of all functions that text means. Problem if there are none."""
    for reading in (_by_name, _by_place_and_name, _by_place, _by_expression):
        found = reading(rows, text, files)
        if found:
            return found
    raise Problem(
        CHECK_FAILED,
        f"no function of this recording matches {visible(text)}{_nearest(rows, text)};"
        " the table of all rows (-n 0, rows=0) has those there are.",
    )


def _names(row: "FunctionRow") -> "Iterable[str]":
    """All that a function is called, the shortest first; with what is shown where that differs."""
    full = c_name(row.name) if row.file == C_FILE else row.qualname
    parts = full.split(".")
    ends = (".".join(parts[start:]) for start in range(len(parts) - 1, -1, -1))
    bare = dict.fromkeys((row.name, *ends))
    return dict.fromkeys((*bare, *map(visible, bare)))


def _by_name(rows: "list[FunctionRow]", text: str, files: "Files") -> list[int]:
    def matches(row: "FunctionRow") -> bool:
        spelled = (*_names(row), files.label(row))
        return text in spelled or any(fnmatchcase(name, text) for name in spelled)

    return [at for at, row in enumerate(rows) if matches(row)]


def _by_place_and_name(rows: "list[FunctionRow]", text: str, files: "Files") -> list[int]:
    ways = [
        (text[: mark.start()], text[mark.end() :])
        for mark in re.finditer("[.:]", text)
        if mark.start() > 0 and mark.end() < len(text)
    ]

    def matches(row: "FunctionRow", place: str, name: str) -> bool:
        named = name == str(row.line) or any(fnmatchcase(one, name) for one in _names(row))
        return named and files.match(row, place)

    return [
        at for at, row in enumerate(rows) if any(matches(row, place, name) for place, name in ways)
    ]


def _by_place(rows: "list[FunctionRow]", text: str, files: "Files") -> list[int]:
    return [at for at, row in enumerate(rows) if files.match(row, text)]


def _by_expression(rows: "list[FunctionRow]", text: str, files: "Files") -> list[int]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what a doubtful expression may mean some day
        try:
            expression = re.compile(text)
        except (re.error, OverflowError, RecursionError):
            return []
    if not text:
        return []
    return [at for at, row in enumerate(rows) if expression.search(files.label(row))]


def _nearest(rows: "list[FunctionRow]", text: str) -> str:
    from difflib import get_close_matches

    bare = re.split("[.:]", text)[-1].lower()
    known = {name.lower(): name for row in rows for name in _names(row) if name.isprintable()}
    near = [known[name] for name in get_close_matches(bare, known, n=3)]
    return f" (near it: {', '.join(near)})" if near else ""
