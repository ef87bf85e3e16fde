# SPDX-License-Identifier: Apache-2.0
"""A folder of kept results, as this process has it: its store, who computes what, what was said.

All Memos of one folder share one Place, so that two of them do not compute one key twice.
"""

import os
import sys
import warnings
import weakref
from _thread import allocate_lock
from typing import Any, ClassVar

from fettle._core import Store
from fettle.problem import reason

LAYOUT = "v1"  # another layout of the files lies beside it

READ_ONLY, FULL, CORRUPT, IO, NEWER, FOREIGN, LOCK, LARGE = (1 << bit for bit in range(8))
SENTENCES = {
    READ_ONLY: "results are read from {} and none are kept, since nothing can be written there: "
    "change its permissions, or give Memo another folder.",
    FULL: "the disk of {} has no room: results are computed and not kept until there is some; "
    "`fettle memo prune` makes some.",
    CORRUPT: "something in {} was damaged and is left out: those results are computed again.",
    NEWER: "{} was written by a newer fettle: results are computed and not kept; upgrade fettle, "
    "or give Memo another folder.",
    FOREIGN: "{} belongs to another user, or others may write in it, so nothing of it is believed "
    "and results are computed: give Memo a folder of your own (chmod go-w).",
    LOCK: "another process kept {} locked for seconds: a result was computed and not kept.",
    LARGE: "a result is larger than half of what {} may take, and is not kept: raise max_bytes.",
}


class MemoWarning(UserWarning):
    """Results are not kept as they should be; the program computes what it needs."""


class Place:
    """One folder. of() gives it; store is None where the folder can not be made or opened."""

    _known: ClassVar[Any] = weakref.WeakValueDictionary()

    @classmethod
    def of(cls, folder: str, max_bytes: int) -> "Place":
        known: Place | None = cls._known.get((folder, max_bytes))
        if known is None:
            known = cls._known[folder, max_bytes] = cls(folder, max_bytes)
        return known

    def __init__(self, folder: str, max_bytes: int) -> None:
        self.folder = folder
        self.max_bytes = max_bytes
        self.flights = Flights()
        self.store: Store | None = None
        self._said: set[str] = set()
        try:
            os.makedirs(folder, mode=0o700, exist_ok=True)
            self.store = Store(os.path.join(folder, LAYOUT), max_bytes)
        except OSError as error:
            self.say(
                f"results are computed and not kept, since {folder} can not be used "
                f"({reason(error)}): give Memo another folder."
            )
        self.look_for_troubles()

    def look_for_troubles(self) -> None:
        """Says, once each, what the store had to put up with."""
        if self.store is None:
            return
        bits, error = self.store.troubles()
        if not bits:
            return
        for bit, sentence in SENTENCES.items():
            if bits & bit:
                self.say(sentence.format(self.folder))
        if bits & IO:
            self.say(
                f"{self.folder} can not be read or written ({os.strerror(error)}): results are "
                "computed where they are not found."
            )

    def say(self, sentence: str) -> None:
        if sentence not in self._said:
            self._said.add(sentence)
            warnings.warn(f"fettle.Memo: {sentence}", MemoWarning, stacklevel=_outside())


def _outside() -> int:
    """How many frames up the caller of the package is, for warnings."""
    level, frame = 2, sys._getframe(2)
    package = os.path.dirname(os.path.dirname(__file__)) + os.sep
    while frame.f_back is not None and frame.f_code.co_filename.startswith(package):
        level, frame = level + 1, frame.f_back
    return level


# ---- who computes what, in this process ----


class Flight:
    """A result that is being computed. gate is held until it is there."""

    __slots__ = ("gate", "who")

    def __init__(self, who: object) -> None:
        self.who = who
        self.gate = allocate_lock()
        self.gate.acquire()


class Flights:
    """Results that threads (or tasks) of this process compute now."""

    def __init__(self) -> None:
        self.flying: dict[bytes, Flight] = {}
        self._waits: dict[object, bytes] = {}  # who waits for which key

    def begin(self, key: bytes, who: object) -> tuple[Flight, bool]:
        """The key's flight, and whether it is mine."""
        mine = Flight(who)
        now = self.flying.setdefault(key, mine)
        return now, now is mine

    def end(self, key: bytes, flight: Flight) -> None:
        if self.flying.get(key) is flight:
            del self.flying[key]
        flight.gate.release()

    def is_circle(self, flight: Flight, who: object) -> bool:
        """Would who, waiting for the flight, wait for itself?"""
        for _ in range(len(self._waits) + 1):
            if flight.who == who:
                return True
            key = self._waits.get(flight.who)
            following = None if key is None else self.flying.get(key)
            if following is None:
                return False
            flight = following
        return True

    def wait(self, key: bytes, flight: Flight, who: object, patience: float) -> bool:
        """Whether the flight ended while the thread waited."""
        self._waits[who] = key
        try:
            ended = flight.gate.acquire(timeout=patience)
            if ended:
                flight.gate.release()  # the next one's turn
            return ended
        finally:
            self._waits.pop(who, None)

    def waiting(self, who: object, key: bytes) -> None:
        self._waits[who] = key

    def waits_no_more(self, who: object) -> None:
        self._waits.pop(who, None)

    def forget(self) -> None:
        """In a forked child: the other threads are gone."""
        self.flying.clear()
        self._waits.clear()


def _in_child() -> None:
    for place in list(Place._known.values()):
        place.flights.forget()


os.register_at_fork(after_in_child=_in_child)
