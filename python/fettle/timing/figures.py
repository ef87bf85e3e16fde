# SPDX-License-Identifier: Apache-2.0
"""Prices that were measured, kept from run to run: a file for each interpreter and machine.

The file is JSON, written beside itself and renamed. One that can not be read, or is of another
layout, counts as none. A construct whose text has changed is another one: its figure is not found.
"""

import json
import os
import tempfile
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from hashlib import blake2b

from fettle.problem import reason
from fettle.timing.construct import Construct
from fettle.timing.interpreters import Interpreter, key

LAYOUT = 1  # another one, or another way to measure: figures of before are not believed
MOST_BYTES = 4 << 20


@dataclass(frozen=True, slots=True)
class Figure:
    """The price of one construct. Times in nanoseconds; skipped: why there is none."""

    nanoseconds: float
    low: float
    high: float
    spread: float
    when: float  # seconds since the epoch
    skipped: str = ""


class Kept:
    """The figures of one interpreter on this machine.

    trouble: why they could not be kept, or "".
    """

    def __init__(self, interpreter: Interpreter) -> None:
        self.trouble = ""
        self._key = key(interpreter)
        self._folder = folder()
        name = blake2b(self._key.encode(), digest_size=10).hexdigest()
        self._path = os.path.join(self._folder, f"{name}.json")
        self._figures = self._read()

    def get(self, construct: Construct) -> Figure | None:
        return self._figures.get(_digest(construct))

    def add(self, figures: dict[Construct, Figure]) -> None:
        """Keeps them, with what another process may have kept since."""
        new = {_digest(construct): figure for construct, figure in figures.items()}
        self._figures = {**self._read(), **self._figures, **new}
        try:
            self._write()
        except OSError as error:
            self.trouble = (
                f"the figures could not be kept in {self._folder} ({reason(error)}), so the next "
                "run measures again; FETTLE_CACHE_DIR names another folder."
            )

    def _read(self) -> dict[str, Figure]:
        try:
            with open(self._path, encoding="utf-8") as file:
                data = json.loads(file.read(MOST_BYTES))
            if data["layout"] != LAYOUT or data["key"] != self._key:
                return {}
            return {str(name): _figure(row) for name, row in data["figures"].items()}
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
            return {}

    def _write(self) -> None:
        os.makedirs(self._folder, mode=0o700, exist_ok=True)
        rows = {name: asdict(figure) for name, figure in self._figures.items()}
        text = json.dumps({"layout": LAYOUT, "key": self._key, "figures": rows})
        fd, trial = tempfile.mkstemp(dir=self._folder, prefix=".new-")
        try:
            with os.fdopen(fd, "w", encoding="utf-8") as file:
                file.write(text)
            os.replace(trial, self._path)
        except BaseException:
            with suppress(OSError):
                os.unlink(trial)
            raise


def _figure(row: dict[str, object]) -> Figure:
    numbers = [row[name] for name in ("nanoseconds", "low", "high", "spread", "when")]
    skipped = row["skipped"]
    if not all(type(each) is float for each in numbers) or type(skipped) is not str:
        raise ValueError("no figure")
    nanoseconds, low, high, spread, when = map(float, numbers)  # type: ignore[arg-type]
    if not (0 <= low <= nanoseconds <= high < 1e15 and 0 <= spread < 1e9 and when <= _tomorrow()):
        raise ValueError("no figure")
    return Figure(nanoseconds, low, high, spread, when, skipped)


def _tomorrow() -> float:
    return time.time() + 86400.0


def _digest(construct: Construct) -> str:
    c = construct
    text = json.dumps([c.name, c.statement, c.setup, c.before, c.free, c.is_async, c.repeated])
    return blake2b(text.encode(), digest_size=8).hexdigest()


def folder() -> str:
    """Where figures are kept: beside what fettle.Memo keeps.

    >>> os.path.basename(folder())
    'costs'
    """
    from fettle.caching.memo import default_folder

    return os.path.join(os.path.dirname(default_folder()), "costs")
