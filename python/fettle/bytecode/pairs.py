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
from fettle.report.bytecode import meaning, numbered
from fettle.report.names import visible

TYPE_CHECKING = False
if TYPE_CHECKING:
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


Pair = tuple[Side, Side]


def of(targets: "list[Target]", other: str, choice: "Choice") -> list[Pair]:
    """What to compare with what. Problem."""
    python = interpreter(other)
    if python:
        return _elsewhere(targets, python, choice)
    from fettle.bytecode import find

    found = find.find(other)
    if choice.adaptive:
        from fettle.bytecode import ran

        found = ran.alive(found)
    return matched(targets, found, choice)


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
    title = f"{visible(code.co_filename)}:{code.co_firstlineno} {visible(plain(code.co_qualname))}"
    return Side(title, operations)


def _elsewhere(targets: "list[Target]", python: str, choice: "Choice") -> list[Pair]:
    if choice.adaptive:
        raise Problem(
            USAGE,
            f"nothing runs in {visible(python)}, so it specialises nothing; leave --run out.",
        )
    pairs = []
    for target in targets:
        if not target.unit.source:
            raise Problem(
                USAGE,
                f"the source of {visible(target.unit.name)} is not here, and {visible(python)}"
                " compiles it anew; name a source file.",
            )
        version, found = elsewhere.ask(python, target)
        for code in within(target.code):
            left = here(code, choice)
            right = found.pop((plain(code.co_qualname), code.co_firstlineno), None)
            pairs.append((left, Side(f"Python {version}", right or ())))
        for (name, line), right in found.items():
            pairs.append((Side("", ()), Side(f"Python {version}: line {line} {name}", right)))
    return pairs
