# SPDX-License-Identifier: Apache-2.0
"""A folder of kept results, as this process has it: its store, who computes what, what was said.

All Memos of one folder and bound share one Place. Who computes what is known for all places at
once, so that two Memos do not compute one key twice, and circles through several are seen.
"""

import errno
import os
import sys
import warnings
import weakref
from _thread import RLock, allocate_lock
from contextlib import suppress
from time import monotonic, process_time
from typing import Any, ClassVar

from fettle._core import Store
from fettle.problem import reason

STANDS_STILL = 30.0  # seconds to wait for somebody who uses no processor
SLICE = 5.0  # seconds between two looks at that

LAYOUT = "v1"  # another layout of the files lies beside it

READ_ONLY, FULL, CORRUPT, IO, NEWER, FOREIGN, LOCK, LARGE, UNDECODED = (
    1 << bit for bit in range(9)
)
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
    UNDECODED: "a result in {} can not be made an object again (its class changed, or is gone) "
    "and is computed at each call: return something that can be unpickled.",
    LARGE: "a result is larger than half of what {} may take, and is not kept: raise max_bytes.",
}


class MemoWarning(UserWarning):
    """Results are not kept as they should be; the program computes what it needs."""


Where = tuple[int, int] | None


def lies_at(path: str) -> Where:
    """Which folder lies at a path now."""
    try:
        there = os.stat(path)
    except OSError:
        return None
    return there.st_dev, there.st_ino


class Folder:
    """The stores of one folder. They are closed together: claims are locks of the process, and end
    when it closes any one of the files that they lie on."""

    __slots__ = ("__weakref__", "stores")

    def __init__(self) -> None:
        self.stores: dict[tuple[str, int, Where], Store] = {}

    def open(self, path: str, max_bytes: int) -> Store:
        folder = os.path.join(path, LAYOUT)
        store = self.stores.get((path, max_bytes, lies_at(folder)))
        if store is None:
            store = Store(folder, max_bytes)
            self.stores[path, max_bytes, lies_at(folder)] = store
        return store


class Place:
    """One folder. of() gives it; store is None where the folder can not be made or opened."""

    _known: ClassVar[Any] = weakref.WeakValueDictionary()
    _folders: ClassVar[Any] = weakref.WeakValueDictionary()
    _making: ClassVar[Any] = (
        RLock()
    )  # of both: two stores of one folder would end each other's claims

    @classmethod
    def of(cls, folder: str, max_bytes: int) -> "Place":
        with cls._making:
            known: Place | None = cls._known.get((folder, max_bytes))
            if known is None:
                known = cls._known[folder, max_bytes] = cls(folder, max_bytes)
            return known

    def __init__(self, folder: str, max_bytes: int) -> None:
        self.folder = folder
        self.max_bytes = max_bytes
        self.flights = FLIGHTS
        self._shared = self._folders.setdefault(os.path.realpath(folder), Folder())
        self.store: Store | None = None
        self.opened = 0  # how often it was made again: functions have other numbers then
        self._opened_at: Where = None
        self._said: set[str] = set()
        try:
            os.makedirs(folder, mode=0o700, exist_ok=True)
            self.store = self._shared.open(folder, max_bytes)
            self._opened_at = lies_at(os.path.join(self.folder, LAYOUT))
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
        if bits & IO and not (error == errno.ENOENT and self._is_made_again()):
            self.say(
                f"{self.folder} can not be read or written ({os.strerror(error)}): results are "
                "computed where they are not found."
            )

    def _is_made_again(self) -> bool:
        """Whether the folder had been removed, and is opened again."""
        assert self.store is not None
        if lies_at(os.path.join(self.folder, LAYOUT)) == self._opened_at:
            return False
        try:
            os.makedirs(self.folder, mode=0o700, exist_ok=True)
            if not self.store.reopen():
                return False
        except OSError:
            return False
        self.opened += 1
        self._opened_at = lies_at(os.path.join(self.folder, LAYOUT))
        return True

    def say(self, sentence: str) -> None:
        """Once. A filter that makes errors of warnings makes none of this one: no call may fail."""
        if sentence in self._said:
            return
        self._said.add(sentence)
        try:
            warnings.warn(f"fettle.Memo: {sentence}", MemoWarning, stacklevel=_outside())
        except Exception:
            with suppress(Exception):
                print(f"fettle.Memo: {sentence}", file=sys.stderr)


def _outside() -> int:
    """How many frames up the caller of the package is, for warnings."""
    level, frame = 2, sys._getframe(2)
    package = os.path.dirname(os.path.dirname(__file__)) + os.sep
    while frame.f_back is not None and frame.f_code.co_filename.startswith(package):
        level, frame = level + 1, frame.f_back
    return level


# ---- who computes what, in this process ----


class Progress:
    """Whether somebody who is waited for is at work. He may himself wait for the one who waits, in
    a way that nobody sees here (a pool's task): then nothing moves."""

    __slots__ = ("_since", "_used")

    def __init__(self) -> None:
        self._since, self._used = monotonic(), -1.0

    def stands_still(self, used: float) -> bool:
        """used: his processor time in seconds; less than 0: not known."""
        now = monotonic()
        if used < 0 or used - self._used > 0.01 * (now - self._since):
            self._since, self._used = now, used
        return now - self._since > STANDS_STILL


class Flight:
    """A result that is being computed. gate is held until it is there."""

    __slots__ = ("gate", "who")

    def __init__(self, who: object) -> None:
        self.who = who
        self.gate = allocate_lock()
        self.gate.acquire()


class Flights:
    """Results that threads (or tasks) of this process compute now. A key is of one folder only.

    KeyboardInterrupt may come between any two calls: a flight whose gate is open has ended, even
    where it still stands here, and whoever sees that removes it."""

    def __init__(self) -> None:
        self.flying: dict[bytes, Flight] = {}
        self._waits: dict[object, bytes] = {}  # who waits for which key

    def begin(self, key: bytes, mine: Flight) -> Flight:
        """The key's flight; mine, where there was none."""
        while True:
            now = self.flying.setdefault(key, mine)
            if now is mine or now.gate.locked():
                return now
            self.remove(key, now)

    def remove(self, key: bytes, flight: Flight) -> None:
        """The flight has ended: its gate is open."""
        if self.flying.get(key) is flight:
            self.flying.pop(key, None)

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
        """Whether the flight ended while the thread waited. False: it must not wait (longer)."""
        try:
            if not self.may_wait(key, flight, who):
                return False
            until, progress = monotonic() + patience, Progress()
            while not (
                ended := flight.gate.acquire(timeout=max(0.0, min(SLICE, until - monotonic())))
            ):
                if monotonic() >= until or progress.stands_still(process_time()):
                    break
            if ended:
                flight.gate.release()  # the next one's turn
            return ended
        finally:
            self.waits_no_more(who)

    def may_wait(self, key: bytes, flight: Flight, who: object) -> bool:
        """Says that who waits from now on, before it looks for circles: of two that begin to wait
        for each other at once, one sees the other."""
        self._waits[who] = key
        return not self.is_circle(flight, who)

    def waits_no_more(self, who: object) -> None:
        self._waits.pop(who, None)

    def forget(self) -> None:
        """In a forked child: the other threads are gone."""
        self.flying.clear()
        self._waits.clear()


FLIGHTS = Flights()


def _in_child() -> None:
    FLIGHTS.forget()
    Place._making = RLock()  # another thread of the parent may have had it


os.register_at_fork(after_in_child=_in_child)
