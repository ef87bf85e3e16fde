# SPDX-License-Identifier: Apache-2.0
"""Conditions on which a comparison fails: mem>1MB, mem>5%, time>5%, calls>0, hits>0, objects>9."""

from fettle.problem import USAGE, Problem
from fettle.report import size

KINDS = ("mem", "time", "calls", "hits", "objects")
COUNTS = ("calls", "hits", "objects")
EXAMPLES = {
    "mem": "mem>1MB",
    "time": "time>5%",
    "calls": "calls>0",
    "hits": "hits>0",
    "objects": "objects>100",
}


class Condition:
    """A growth that is too much: of the memory in bytes, of calls, hits and objects as a number, or
    as a share of what there was; of times as a share.

    >>> Condition("time>5%").least_share(), Condition("mem > 1MB").failed(0, 1 << 21)
    (0.05, True)
    >>> Condition("calls>0").failed(7, 7), Condition("calls>10%").failed(100, 111)
    (False, True)
    """

    __slots__ = ("kind", "most", "share", "text")

    def __init__(self, text: str) -> None:
        self.kind, sign, value = (part.strip() for part in text.partition(">"))
        self.text = text.strip()
        self.share = _share(value)
        self.most = None if self.share is not None else _amount(self.kind, value)
        if sign and self.kind == "time" and self.share is None:
            raise Problem(
                USAGE, f"--fail-on needs a percentage for time, such as time>5%, not {text!r}."
            )
        if not sign or self.kind not in KINDS or (self.share is None and self.most is None):
            raise Problem(
                USAGE,
                "--fail-on needs conditions such as mem>1MB, mem>5%, time>5%, calls>0, hits>1000 or"
                f" objects>5%, with commas between them, not {text!r}.",
            )

    def failed(self, before: int, now: int) -> bool:
        """Did it grow by more? Whatever came where nothing was is more than any share."""
        limit = self.most if self.most is not None else (self.share or 0.0) * before
        return now - before > limit

    def least_share(self) -> float:
        """Of a time: by what share of the old one the new must surely be longer."""
        return self.share or 0.0


def _amount(kind: str, value: str) -> int | None:
    """Bytes, or a number."""
    if kind not in COUNTS:
        return size.read(value)
    digits = value.replace(" ", "")
    if not (digits.isascii() and digits.isdecimal()) or len(digits) > 15:
        return None
    return int(digits)


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


def need(conditions: list[Condition], compared: "set[str]", several_runs: bool = True) -> None:
    """Problem if one is of something else than what is compared (calls, lines, mem, objects,
    times), or of times of calls that were recorded once."""
    known = {"calls": "calls", "lines": "hits", "mem": "mem", "objects": "objects"}
    kinds = [known[part] for part in known if part in compared]
    kinds += ["time"] * bool(compared & {"calls", "times"})
    for condition in conditions:
        if condition.kind not in kinds:
            others = " or ".join(EXAMPLES[kind] for kind in kinds) or "another"
            raise Problem(
                USAGE,
                f"--fail-on '{condition.text}' is of something that is not compared here; write"
                f" {others}, or record both with {_OPTIONS[condition.kind]}.",
            )
        if condition.kind == "time" and "times" not in compared and not several_runs:
            raise Problem(
                USAGE,
                f"--fail-on '{condition.text}' needs several runs on each side, for the time of one"
                " run proves nothing; record both with `fettle run --repeat 5`.",
            )


_OPTIONS = {
    "calls": "`fettle run -C`",
    "hits": "`fettle run -l`",
    "mem": "`fettle run -M`",
    "objects": "`fettle run -M`",
    "time": "`fettle run -C --repeat 5` or `fettle time`",
}
