# SPDX-License-Identifier: Apache-2.0
"""Whether a function takes longer than before: what `fettle diff` says of it (diffing/judged.py).

It is said of own times, where each side has runs enough and both hold calls; of functions that take
too little of the time nothing is.
"""

from fettle.diffing.table import Table, verdict
from fettle.html.naming import Functions, Side

TYPE_CHECKING = False
if TYPE_CHECKING:
    from fettle._core import Compared, FunctionRow
    from fettle.diffing.change import Entry

    Row = tuple[str, int, str, str]


def add(payload: dict[str, object], functions: Functions, new: Side, old: Side) -> None:
    """The columns "verdict" and "times" of the functions, and a line of the header."""
    part, rows = payload["functions"], payload["header"]
    table = Table(old.runs, new.runs, False, "")
    if not ("calls" in old.runs.held() & new.runs.held() and table.has_runs()):
        return
    assert isinstance(part, dict) and isinstance(rows, list)
    table.judge("own")
    rows.append(["Change of time", table.told()])
    now = _places(new, functions.of_new)
    before = _places(old, functions.of_old)
    part["verdict"] = [""] * len(part["name"])
    part["times"] = [1.0] * len(part["name"])
    for one in table.changes:
        if one.verdict is None or one.old is None or one.new is None:
            continue
        at = now.get(_row(one.new))
        if at is not None and at == before.get(_row(one.old)):
            part["verdict"][at] = verdict(one.verdict)
            part["times"][at] = _times(one.verdict)


def _places(side: Side, places: list[int]) -> "dict[Row, int]":
    return {_row(row): at for row, at in zip(side.functions, places, strict=True)}


def _row(of: "Entry | FunctionRow") -> "Row":
    return of.file, of.line, of.name, of.qualname


def _times(of: "Compared") -> float:
    """As long as before; 1 where that is not sure."""
    return 1 / of.ratio if of.verdict in {"slower", "faster"} else 1.0
