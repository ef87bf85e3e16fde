# SPDX-License-Identifier: Apache-2.0
"""Two sides of instructions to compare: two functions, or one in two interpreters."""

import os
import re
import shutil
from dataclasses import dataclass
from itertools import zip_longest
from types import CodeType

from fettle._core import Bytecode
from fettle.bytecode import elsewhere
from fettle.bytecode.codes import plain, within
from fettle.problem import USAGE, Problem
from fettle.report.bytecode import heading, meaning, numbered
from fettle.report.names import visible

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from fettle.bytecode.counts import Table
    from fettle.bytecode.elsewhere import Found
    from fettle.bytecode.find import Target
    from fettle.report.bytecode import Choice

_INTERPRETER = re.compile(r"(python|pypy)[0-9.]*[a-z]*")


@dataclass(frozen=True, slots=True)
class Operation:
    """One instruction as two sides can have it."""

    name: str
    argument: int | None
    meaning: str
    line: int | None
    label: int  # 0: nothing leads here
    offset: int

    def alike(self) -> tuple[str, str]:
        """What makes two the same: not their argument's number, if it has a meaning."""
        shown = "" if self.argument is None else str(self.argument)
        return self.name, self.meaning or shown


@dataclass(frozen=True, slots=True)
class Side:
    """A code object; no operations: that side has none like the other's."""

    title: str
    operations: tuple[Operation, ...]
    table: "Table | None" = None  # its lines, of a recording


Pair = tuple[Side, Side]


def named(word: str, adaptive: bool) -> "list[Target]":
    """What a second selector means. Problem."""
    from fettle.bytecode import find

    found = find.find(word)
    if adaptive:
        from fettle.bytecode import ran

        found = ran.alive(found)
    return found


def matched(targets: "list[Target]", found: "list[Target]", choice: "Choice") -> list[Pair]:
    """One with one; several by their names."""
    if len(targets) == len(found) == 1:
        return list(_together(targets[0].code, found[0].code, choice))
    by_name = {each.code.co_name: each.code for each in found}
    pairs: list[Pair] = []
    for each in targets:
        if each.code.co_name in by_name:
            pairs += _together(each.code, by_name.pop(each.code.co_name), choice)
        else:
            pairs.append((here(each.code, choice), Side("", ())))
    return pairs + [(Side("", ()), here(code, choice)) for code in by_name.values()]


def interpreter(word: str) -> str:
    """The path of the Python that word names, else ""."""
    found = shutil.which(word)
    if found is None or not os.path.isfile(found) or word.endswith((".py", ".pyc")):
        return ""
    if "/" in word or _INTERPRETER.fullmatch(word):
        return found
    return ""


def _together(one: CodeType, other: CodeType, choice: "Choice") -> list[Pair]:
    """Two code objects, and what they hold in the order in which they hold it."""
    both = zip_longest(within(one), within(other))
    return [(_side(code, choice), _side(like, choice)) for code, like in both]


def _side(code: CodeType | None, choice: "Choice") -> Side:
    return here(code, choice) if code else Side("", ())


def here(code: CodeType, choice: "Choice") -> Side:
    """A code object of this Python."""
    decoded = Bytecode(code, choice.adaptive)  # other versions tell no handlers
    labels = numbered(decoded)
    operations = tuple(
        Operation(
            row.opname,
            row.arg,
            meaning(row, labels),
            row.line,
            labels.get(row.offset, 0),
            row.offset,
        )
        for row in decoded
    )
    table = choice.counts.of(code) if choice.counts else None
    return Side(heading(code, table), operations, table)


def with_python(targets: "list[Target]", python: str, choice: "Choice") -> list[Pair]:
    """Each beside what another Python makes of it. Problem."""
    pairs = []
    for target, version, found in _asked(targets, python, choice):
        for code in within(target.code):
            left = here(code, choice)
            right = found.pop((plain(code.co_qualname), code.co_firstlineno), None)
            pairs.append((left, Side(f"Python {version}", right or ())))
        for (name, line), right in found.items():
            pairs.append((Side("", ()), Side(f"Python {version}: line {line} {name}", right)))
    return pairs


def rows(targets: "list[Target]", python: str, choice: "Choice") -> "list[dict[str, Any]]":
    """What another Python makes of them, as JSON has it. Problem."""
    return [
        {
            "function": name,
            "file": target.unit.file,
            "offset": each.offset,
            "opname": each.name,
            "arg": each.argument,
            "meaning": each.meaning,
            "line": each.line,
            "label": each.label or None,
        }
        for target, _, found in _asked(targets, python, choice)
        for (name, _), operations in found.items()
        for each in operations
    ]


def _asked(
    targets: "list[Target]", python: str, choice: "Choice"
) -> "Iterator[tuple[Target, str, Found]]":
    """Each with the version of that Python and what it says."""
    if choice.adaptive:
        raise Problem(
            USAGE,
            f"nothing runs in {visible(python)}, so it specialises nothing; leave --run out.",
        )
    for target in targets:
        if not target.unit.source:
            raise Problem(
                USAGE,
                f"the source of {visible(target.unit.name)} is not here, and {visible(python)}"
                " compiles it anew; name a source file.",
            )
        yield target, *elsewhere.ask(python, target)
