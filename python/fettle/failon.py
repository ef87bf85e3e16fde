# SPDX-License-Identifier: Apache-2.0
"""Conditions on which a comparison fails: mem>1MB, mem>5%."""

from fettle.problem import USAGE, Problem
from fettle.report import size

LATER = ("time", "calls")


class Condition:
    """A growth of the memory that is too much: in bytes, or as a share of what there was."""

    __slots__ = ("bytes", "share", "text")

    def __init__(self, text: str) -> None:
        name, sign, value = (part.strip() for part in text.partition(">"))
        self.text = text.strip()
        if sign and name in LATER:
            raise Problem(
                USAGE,
                f"--fail-on knows no {name} yet, for `fettle diff` compares memory so far; write"
                " mem>1MB or mem>5%.",
            )
        self.share = _share(value)
        self.bytes = None if self.share is not None else size.read(value)
        if not sign or name != "mem" or (self.share is None and self.bytes is None):
            raise Problem(
                USAGE,
                f"--fail-on needs conditions such as mem>1MB or mem>5%, with commas between them,"
                f" not {text!r}.",
            )

    def failed(self, before: int, now: int) -> bool:
        """Did it grow by more? Whatever came where nothing was is more than any share."""
        limit = self.bytes if self.bytes is not None else (self.share or 0.0) * before
        return now - before > limit


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
