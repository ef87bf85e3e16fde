# SPDX-License-Identifier: Apache-2.0
"""A profile's line tables, as the tests look at them."""

from dataclasses import dataclass, field
from typing import NamedTuple

from fettle._core import Profile, Recorder


class Row(NamedTuple):
    hits: int
    time: int  # ns
    waiting: int
    callees: int


NEVER = Row(0, 0, 0, 0)


@dataclass(frozen=True)
class Table:
    first: int  # line
    calls: int
    rows: dict[int, Row] = field(repr=False)

    def __getitem__(self, line: int) -> Row:
        """Line 1 is the one that the function begins on."""
        return self.rows.get(self.first + line - 1, NEVER)

    @property
    def hits(self) -> dict[int, int]:
        """Of the lines that ran, counted from the one that the function begins on."""
        return {line - self.first + 1: row.hits for line, row in self.rows.items() if row.hits}

    @property
    def time(self) -> int:
        return sum(row.time for row in self.rows.values())


def tables_of(profile: Profile) -> dict[str, Table]:
    """By qualname. It holds for every profile that a table's lines are sound."""
    found: dict[str, Table] = {}
    for _, first, _, qualname, calls, rows in profile.lines():
        table = Table(first, calls, {line: Row(*row) for line, *row in rows})
        assert qualname not in found and len(table.rows) == len(rows)
        assert [line for line, *_ in rows] == sorted(table.rows)
        for row in table.rows.values():
            assert max(row.waiting, row.callees) <= row.time
        found[qualname] = table
    return found


def lines_of(*functions: object, **options: bool) -> Recorder:
    """A recorder of the lines of these functions."""
    recorder = Recorder(**{"calls": False, "lines": True, **options})
    for function in functions:
        recorder.mark(function)
    return recorder
