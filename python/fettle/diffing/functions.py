# SPDX-License-Identifier: Apache-2.0
"""The functions of both sides beside each other: calls, exact, and times, of every run.

A function is the same if it has the same qualified name in the same file; where it stands does not
matter. Several of one name in one file (lambdas, for one) are matched in their order where there
are as many on either side, else those that still stand on the same line.
"""

import re

from fettle.diffing import files
from fettle.diffing.change import Change, Entry
from fettle.report.names import C_FILE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from fettle.diffing.side import Side

    Place = tuple[str, str]  # file and name, as the new side has them
    Key = tuple[str, str, int]  # with the line

TIMES = ("own", "cumulative", "waiting")
_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")


def gathered(side: "Side", names_only: bool) -> "dict[Key, Entry]":
    """All functions of a side. names_only: their qualified names are not known on both sides."""
    found: dict[Key, Entry] = {}
    for at, run in enumerate(side.runs):
        for row in run.functions():
            name = row.name if names_only or row.file == C_FILE else row.qualname
            key = (row.file, _ADDRESS.sub("", name), row.line)
            entry = found.get(key)
            if entry is None:
                place = (row.file, row.line, row.name, row.qualname, row.line)
                entry = found[key] = Entry(*place, TIMES, len(side.runs))
            entry.add(at, row.calls, (row.own, row.cumulative, row.cumulative_waiting))
    return found


def matched(old: "Side", new: "Side") -> list[Change]:
    """Every function of both sides once: those of the new one, then what is gone.

    >>> from fettle import _core
    >>> from fettle.diffing.side import Side
    >>> matched(Side("a", [_core.Profile()]), Side("b", [_core.Profile()]))
    []
    """
    names_only = old.has_names_only() or new.has_names_only()
    olds, news = gathered(old, names_only), gathered(new, names_only)
    pairs = files.paired(_names(olds), _names(news), (old.folder(), new.folder()))
    befores = _by_place((pairs.get(file, f"\0{file}"), name, at) for file, name, at in olds)
    back = {there: here for here, there in pairs.items()}
    changes: list[Change] = []
    for (file, name), lines in _by_place(news).items():
        before = befores.pop((file, name), [])
        for was, now in _paired(before, lines):
            changes.append(
                Change(
                    None if was is None else olds[back[file], name, was],
                    None if now is None else news[file, name, now],
                )
            )
    for (file, name), lines in befores.items():
        path = file[1:] if file.startswith("\0") else back[file]
        changes += [Change(olds[path, name, line], None) for line in lines]
    return changes


def _names(functions: "Iterable[Key]") -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for file, name, _ in functions:
        found.setdefault(file, set()).add(name)
    return found


def _by_place(keys: "Iterable[Key]") -> "dict[Place, list[int]]":
    found: dict[Place, list[int]] = {}
    for file, name, line in keys:
        found.setdefault((file, name), []).append(line)
    return {place: sorted(lines) for place, lines in found.items()}


def _paired(old: list[int], new: list[int]) -> "list[tuple[int | None, int | None]]":
    """Functions of one name in one file, by their first lines.

    >>> _paired([3, 9], [5, 12]), _paired([3, 9], [9]), _paired([], [4])
    ([(3, 5), (9, 12)], [(9, 9), (3, None)], [(None, 4)])
    """
    if len(old) == len(new):
        return list(zip(old, new, strict=True))
    olds, news = set(old), set(new)
    kept = [(line if line in olds else None, line) for line in new]
    return [*kept, *((line, None) for line in old if line not in news)]
