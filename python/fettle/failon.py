# SPDX-License-Identifier: Apache-2.0
"""Conditions on which a comparison fails: mem>1MB, mem>5%, time>5%."""

from fettle.problem import USAGE, Problem
from fettle.report import size

LATER = ("calls",)
KINDS = ("mem", "time")


class Condition:
    """A growth that is too much: of the memory in bytes, or as a share of what there was; of times
    as a share.

    >>> Condition("time>5%").least_share(), Condition("mem > 1MB").failed(0, 1 << 21)
    (0.05, True)
    """

    __slots__ = ("bytes", "kind", "share", "text")

    def __init__(self, text: str) -> None:
        self.kind, sign, value = (part.strip() for part in text.partition(">"))
        self.text = text.strip()
        if sign and self.kind in LATER:
            raise Problem(
                USAGE,
                f"--fail-on knows no {self.kind} yet; write mem>1MB, mem>5% or time>5%.",
            )
        self.share = _share(value)
        self.bytes = None if self.share is not None else size.read(value)
        if sign and self.kind == "time" and self.share is None:
            raise Problem(
                USAGE, f"--fail-on needs a percentage for time, such as time>5%, not {text!r}."
            )
        if not sign or self.kind not in KINDS or (self.share is None and self.bytes is None):
            raise Problem(
                USAGE,
                f"--fail-on needs conditions such as mem>1MB, mem>5% or time>5%, with commas"
                f" between them, not {text!r}.",
            )

    def failed(self, before: int, now: int) -> bool:
        """Did it grow by more? Whatever came where nothing was is more than any share."""
        limit = self.bytes if self.bytes is not None else (self.share or 0.0) * before
        return now - before > limit

    def least_share(self) -> float:
        """Of a time: by what share of the old one the new must surely be longer."""
        return self.share or 0.0


def _share(value: str) -> float | None:
    """Of a percentage."""
    if not value.endswith("%"):
        return None
    try:
        percent = float(value[:-1])
    except ValueError:
        return None
    return percent / 100 if 0.0 <= percent <= 1e9 else None


def read(text: str) -> list[Condition]:
    """All that are in text, with commas between them. Problem if one is none."""
    return [Condition(part) for part in text.split(",")]


def need(conditions: list[Condition], kind: str, has: str) -> None:
    """Problem if one is of something else than what the recordings hold."""
    for condition in conditions:
        if condition.kind != kind:
            other = f"{kind}>5%"
            raise Problem(
                USAGE,
                f"--fail-on '{condition.text}' is not of {has}, which these recordings hold; write"
                f" {other}.",
            )
