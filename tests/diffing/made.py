# SPDX-License-Identifier: Apache-2.0
"""Runs made by hand: functions with calls and times."""

from collections.abc import Iterable
from typing import Any

from fettle import _core
from fettle.diffing.side import Side


def function(
    name: str, seconds: float = 0.0, calls: int = 1, file: str = "/app/a.py", line: int = 1
) -> Any:
    return _core.FunctionRow(
        (file, line, name, name, calls, calls, seconds, seconds, 0.0, 0.0, 0.0, 0.0)
    )


class Run:
    """What a comparison of calls asks a recording for."""

    def __init__(self, rows: Iterable[Any], folder: str = "/app") -> None:
        self.rows = list(rows)
        self.folder = folder

    def functions(self) -> list[Any]:
        return self.rows

    def meta(self) -> dict[str, str]:
        return {"cwd": self.folder}


def side(*runs: Run, name: str = "a.fettle") -> Side:
    return Side(name, runs)  # type: ignore[arg-type]
