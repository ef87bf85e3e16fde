# SPDX-License-Identifier: Apache-2.0
"""Sort keys: those of pstats, under every name it knows, and "waiting"."""

from fettle.problem import USAGE, Problem

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from fettle._core import FunctionRow
    from fettle.report.names import Files

    Key = Callable[[FunctionRow, Files], object]

# What users may write, and the one key it stands for.
WORDS = {
    "calls": "calls",
    "ncalls": "calls",
    "cumtime": "cumulative",
    "cumulative": "cumulative",
    "file": "filename",
    "filename": "filename",
    "line": "line",
    "module": "filename",
    "name": "name",
    "nfl": "nfl",
    "pcalls": "pcalls",
    "stdname": "stdname",
    "time": "time",
    "tottime": "time",
    "waiting": "waiting",
}

# Numbers sort from the largest down, names and lines upwards.
_KEYS: "dict[str, Key]" = {
    "calls": lambda row, files: -row.calls,
    "cumulative": lambda row, files: -row.cumulative,
    "filename": lambda row, files: files.shown(row.file),
    "line": lambda row, files: row.line,
    "name": lambda row, files: row.name,
    "nfl": lambda row, files: (row.name, files.shown(row.file), row.line),
    "pcalls": lambda row, files: -row.primitive,
    "stdname": lambda row, files: files.label(row),
    "time": lambda row, files: -row.own,
    "waiting": lambda row, files: -row.cumulative_waiting,
}


def listing(break_after: int = 0) -> str:
    """All words; for a help text on two lines."""
    words = list(WORDS)
    if not break_after:
        return ", ".join(words)
    return ", ".join(words[:break_after]) + ",\n  " + ", ".join(words[break_after:])


def find(word: str) -> str:
    """The key that word, or a beginning of one, stands for."""
    if word in WORDS:
        return WORDS[word]
    keys = {key for name, key in WORDS.items() if word and name.startswith(word)}
    if len(keys) != 1:
        fault = "may mean several sort keys" if keys else "is not a sort key"
        raise Problem(USAGE, f"{word!r} {fault}; they are {listing()}.")
    return keys.pop()


def ordered(rows: "list[FunctionRow]", key: str, files: "Files") -> "list[FunctionRow]":
    """The rows by key; equal ones by cumulative time, then place, so that the order is stable."""
    of = _KEYS[key]
    return sorted(
        rows, key=lambda row: (of(row, files), -row.cumulative, row.file, row.line, row.name)
    )
