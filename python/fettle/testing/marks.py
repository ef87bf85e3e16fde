# SPDX-License-Identifier: Apache-2.0
"""@pytest.mark.fettle(...), read: the limits of a test."""

from __future__ import annotations

from fettle.problem import USAGE, Problem
from fettle.report import size

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

KINDS = ("time", "mem", "calls", "allocations", "leaks")
_UNITS = {"ns": 1e9, "us": 1e6, "ms": 1e3, "min": 1 / 60, "s": 1.0}  # how many are a second

Limits = dict[str, float]  # by kind; seconds, bytes, counts


def read(marks: Iterable[Any], test: str) -> Limits:
    """The limits of the marks of one test, the nearest first: the nearest of each kind counts.
    Problem for what is no limit."""
    limits: Limits = {}
    for mark in marks:
        if mark.args or not mark.kwargs:
            raise _wrong(test, "takes limits by name")
        for kind, value in mark.kwargs.items():
            if kind not in KINDS:
                raise _wrong(test, f"has no limit {kind!r}")
            limits.setdefault(kind, _number(kind, value, test))
    return limits


def _number(kind: str, value: object, test: str) -> float:
    number: float | None = None
    if isinstance(value, str):
        number = seconds(value) if kind == "time" else size.read(value) if kind == "mem" else None
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        number = value if kind == "time" or isinstance(value, int) else None
    if number is None or not 0 <= number < 1e18:
        raise _wrong(test, f"needs {_needs(kind)}, not {value!r}")
    return number


def _needs(kind: str) -> str:
    return {
        "time": 'time="5ms" (or seconds, as a number)',
        "mem": 'mem="1MB" (or bytes, as a whole number)',
    }.get(kind, f"{kind}= a whole number of 0 or more")


def _wrong(test: str, what: str) -> Problem:
    return Problem(
        USAGE,
        f'{test}: @pytest.mark.fettle {what}; write some of time="5ms", mem="1MB", calls=100,'
        " allocations=1000, leaks=0.",
    )


def seconds(text: str) -> float | None:
    """The seconds that a text means; None if it means none.

    >>> seconds("5ms"), seconds("1.5 s"), seconds("200us"), seconds("5"), seconds("soon")
    (0.005, 1.5, 0.0002, None, None)
    """
    for unit, share in _UNITS.items():
        if text.strip().endswith(unit):
            try:
                number = float(text.strip().removesuffix(unit))
            except ValueError:
                return None
            return number / share if 0 <= number < 1e18 else None
    return None
