# SPDX-License-Identifier: Apache-2.0
"""Sort keys: those of pstats, under every name and number it knows, and "waiting"."""

from fettle.problem import USAGE, Problem
from fettle.report.row import cumulative, own, waited

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from fettle._core import FunctionRow
    from fettle.report.names import Files
    from fettle.report.row import Row

    Key = Callable[[Row, Files], Any]

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

# What pstats had before it had words.
NUMBERS = {"-1": "stdname", "0": "calls", "1": "time", "2": "cumulative"}

# Numbers sort from the largest down, names and lines upwards.
_KEYS: "dict[str, Key]" = {
    "calls": lambda row, files: -row.calls,
    "cumulative": lambda row, files: -cumulative(row),
    "filename": lambda row, files: files.shown(row.file),
    "line": lambda row, files: row.line,
    "name": lambda row, files: row.name,
    "nfl": lambda row, files: (row.name, files.shown(row.file), row.line),
    "pcalls": lambda row, files: -row.primitive,
    "stdname": lambda row, files: files.label(row),
    "time": lambda row, files: -own(row),
    "waiting": lambda row, files: -waited(row),
}


def listing(break_after: int = 0) -> str:
    """All words; for a help text on two lines."""
    words = list(WORDS)
    if not break_after:
        return ", ".join(words)
    return ", ".join(words[:break_after]) + ",\n  " + ", ".join(words[break_after:])


def find(word: str) -> str:
    """The key that word stands for: a word or a beginning of one, a number, or several with commas
    between them."""
    if "," in word:
        return ",".join(find(part.strip()) for part in word.split(","))
    if word in WORDS or word in NUMBERS:
        return WORDS.get(word) or NUMBERS[word]
    keys = {key for name, key in WORDS.items() if word and name.startswith(word)}
    if len(keys) != 1:
        fault = "may mean several sort keys" if keys else "is not a sort key"
        raise Problem(USAGE, f"{word!r} {fault}; they are {listing()}.")
    return keys.pop()


def of_paths(key: str) -> str:
    """The key for call paths, of which every call is primitive."""
    return ",".join("calls" if one == "pcalls" else one for one in key.split(","))


def key_of(key: str, files: "Files") -> "Callable[[Any], Any]":
    """What to sort rows by: first key, then cumulative time, then place: the order is stable."""
    keys = [_KEYS[one] for one in key.split(",")]
    return lambda row: (
        *(of(row, files) for of in keys),
        -cumulative(row),
        row.file,
        row.line,
        row.name,
    )


def ordered(
    rows: "list[FunctionRow]", key: str, files: "Files", reverse: bool = False
) -> "list[FunctionRow]":
    """The rows by key."""
    return sorted(rows, key=key_of(key, files), reverse=reverse)
