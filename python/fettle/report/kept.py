# SPDX-License-Identifier: Apache-2.0
"""What a persistent cache holds: a row for each function, the whole, and both as JSON."""

import json
import time

from fettle.report import columns, screen, size, span
from fettle.report.names import visible

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any, TextIO

    from fettle.caching.memo import FunctionStats

HEAD = ("entries", "bytes", "hits", "saved", "oldest", "used", "function")
ORDERS: "dict[str, Callable[[FunctionStats], Any]]" = {
    "name": lambda row: row.name,
    "entries": lambda row: -row.entries,
    "bytes": lambda row: -row.bytes,
    "hits": lambda row: -row.hits,
    "saved": lambda row: -row.saved,
    "oldest": lambda row: (row.oldest is None, row.oldest),  # what has been there for longest
    "used": lambda row: (row.used is None, -(row.used or 0.0)),  # what was used last
}


class Whole:
    """A folder or a server. taken: bytes of its files. counted: does anybody count its hits?"""

    def __init__(
        self, place: str, taken: int, functions: "Sequence[FunctionStats]", counted: bool
    ) -> None:
        self.place = place
        self.taken = taken
        self.functions = functions
        self.counted = counted
        self.entries = sum(row.entries for row in functions)
        self.hits = sum(row.hits for row in functions)
        self.calls = self.hits + sum(row.misses for row in functions)
        self.saved = sum(row.saved for row in functions)
        self.oldest = min((row.oldest for row in functions if row.oldest is not None), default=None)

    def amount(self) -> str:
        """12 results of 3 functions, 4.8 MB."""
        results = size.counted(self.entries, "result")
        names = size.counted(len(self.functions), "function")
        return f"{results} of {names}, {size.amount(self.taken)}"


def show_list(whole: Whole, key: str, rows: int, stream: "TextIO") -> None:
    """A row for each function; rows: so many, 0: all."""
    ordered = sorted(sorted(whole.functions, key=ORDERS["name"]), key=ORDERS[key])
    shown = ordered[: rows or None]
    lines = [(f"{visible(whole.place)}: {whole.amount()}", "bold")]
    if shown:
        now = time.time()
        table = columns.aligned(HEAD, [_cells(row, whole.counted, now) for row in shown], texts=1)
        lines += [(line, "" if at else "cyan") for at, line in enumerate(table)]
    if left := len(ordered) - len(shown):
        lines.append((f"  {size.counted(left, 'more function')}; -n 0 shows all", "foot"))
    screen.styled(lines, stream)


def _cells(row: "FunctionStats", counted: bool, now: float) -> list[str]:
    return [
        size.grouped(row.entries),
        size.amount(row.bytes),
        size.grouped(row.hits) if counted else "",
        span.said(row.saved) if row.hits else "",
        _ago(row.oldest, now),
        _ago(row.used, now),
        visible(row.name),
    ]


def _ago(moment: float | None, now: float) -> str:
    return "" if moment is None else span.said(now - moment)


def show_whole(whole: Whole, stream: "TextIO") -> None:
    """A line for each number."""
    rows = [
        ("functions", size.grouped(len(whole.functions))),
        ("results", size.grouped(whole.entries)),
        ("bytes", size.amount(whole.taken)),
    ]
    if whole.counted:
        share = f" ({100 * whole.hits / whole.calls:.1f}%)" if whole.calls else ""
        rows += [
            ("hits", f"{size.grouped(whole.hits)} of {size.counted(whole.calls, 'call')}{share}"),
            ("time saved", span.said(whole.saved)),
        ]
    if whole.oldest is not None:
        rows.append(("oldest", _ago(whole.oldest, time.time())))
    lines = [(visible(whole.place), "bold"), *((f"  {name:<12}{text}", "") for name, text in rows)]
    screen.styled(lines, stream)


def list_as_json(whole: Whole, key: str, rows: int) -> str:
    """Times in seconds, moments in seconds since the epoch; null: not known."""
    ordered = sorted(sorted(whole.functions, key=ORDERS["name"]), key=ORDERS[key])
    return _json(
        {
            "path": whole.place,
            "functions": [
                {
                    "name": row.name,
                    "entries": row.entries,
                    "bytes": row.bytes,
                    "hits": row.hits if whole.counted else None,
                    "misses": row.misses if whole.counted else None,
                    "saved": row.saved if whole.counted else None,
                    "oldest": row.oldest,
                    "used": row.used,
                }
                for row in ordered[: rows or None]
            ],
        }
    )


def whole_as_json(whole: Whole) -> str:
    counted = whole.counted
    return _json(
        {
            "path": whole.place,
            "functions": len(whole.functions),
            "entries": whole.entries,
            "bytes": whole.taken,
            "hits": whole.hits if counted else None,
            "misses": whole.calls - whole.hits if counted else None,
            "hit_ratio": whole.hits / whole.calls if counted and whole.calls else None,
            "saved": whole.saved if counted else None,
            "oldest": whole.oldest,
        }
    )


def _json(data: "dict[str, Any]") -> str:
    return json.dumps(data, indent=2)
