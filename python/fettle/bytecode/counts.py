# SPDX-License-Identifier: Apache-2.0
"""What a recording knows of the lines of code objects: how often they ran, and their time."""

import os
from types import CodeType

from fettle import sourcetext
from fettle.bytecode.codes import plain
from fettle.problem import CHECK_FAILED, Problem
from fettle.report.names import visible

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from fettle._core import Profile
    from fettle.bytecode.find import Target

Row = tuple[int, int, int]  # hits, time and own time in nanoseconds


class Table:
    """One function's lines."""

    __slots__ = ("calls", "has_callees", "rows", "time")

    def __init__(self, calls: int, found: "list[tuple[int, int, int, int, int]]") -> None:
        self.calls = calls
        self.has_callees = any(row[4] for row in found)
        self.rows: dict[int, Row] = {
            line: (hits, time, max(time - callees, 0)) for line, hits, time, _, callees in found
        }
        self.time = sum(row[1] for row in self.rows.values())


class Counts:
    """The line tables of a recording, by function."""

    def __init__(self, profile: "Profile", path: str) -> None:
        self._profile = profile
        self._path = path
        self._tables: dict[tuple[str, int, str], Table] = {}
        self._files: dict[str, str] = {}  # where each is: as the recording calls it
        for file, line, name, qualname, calls, rows in profile.lines():
            where = os.path.realpath(sourcetext.place(profile, file))
            self._files[where] = file
            self._tables[where, line, plain(qualname or name)] = Table(calls, rows)

    def of(self, code: CodeType) -> Table | None:
        """None where the recording has no lines of that function."""
        where = os.path.realpath(code.co_filename)
        return self._tables.get((where, code.co_firstlineno, plain(code.co_qualname)))

    def check(self, targets: "Iterable[Target]") -> list[str]:
        """What must be known to read the numbers right. Problem if there are none."""
        from fettle.bytecode.codes import within

        wanted = list(targets)
        if not any(self.of(code) for each in wanted for code in within(each.code)):
            raise Problem(CHECK_FAILED, self._none(wanted[0]))
        return [
            f"{visible(file)} was changed since the recording: its counts may stand beside other"
            " lines; record again."
            for file in dict.fromkeys(os.path.realpath(each.code.co_filename) for each in wanted)
            if self._is_changed(file)
        ]

    def _is_changed(self, where: str) -> bool:
        recorded = self._profile.source(self._files.get(where, ""))
        now = sourcetext.read(where)
        return recorded is not None and now is not None and now[0] != recorded

    def _none(self, target: "Target") -> str:
        name = plain(target.code.co_qualname)
        place = visible(target.unit.file if target.unit.module == "" else target.unit.module)
        wanted = place if name == "<module>" else f"{place}:{visible(name)}"
        return (
            f"{visible(self._path)} has no lines of {wanted}; record them with"
            f" `fettle run --lines={wanted}` and the program."
        )
