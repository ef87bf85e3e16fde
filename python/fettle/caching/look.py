# SPDX-License-Identifier: Apache-2.0
"""Finds a store that somebody else made, and opens it. Looking makes nothing."""

import os
import stat
from collections.abc import Callable
from typing import Any

from fettle._core import Store
from fettle.caching import place as placing
from fettle.caching.place import LAYOUT
from fettle.problem import FETTLE_FAILED, UNREADABLE, Problem, reason

MAGIC = b"\x89FTSTORE"
# Below what was given to fettle.Memo; to fettle.compat.joblib.Memory; the latter's joblib/; itself.
BELOW = (LAYOUT, f"joblib/.fettle/{LAYOUT}", f".fettle/{LAYOUT}", "")
BLOCKING = placing.READ_ONLY | placing.FULL | placing.IO | placing.LOCK


class Looked:
    """A store, as a report reads it: with word of each entry to whoever shows the progress."""

    def __init__(self, folder: str) -> None:
        """Raises Problem where there is no store in folder, or none that may be believed."""
        found = find(folder)
        self.path = os.path.dirname(found) or "."
        try:
            self.store = Store(found, 0)
        except OSError as error:
            raise Problem(
                UNREADABLE, f"{self.path} can not be opened ({reason(error)}); see who may read it."
            ) from error
        self.troubles, error_number = self.store.troubles()
        if self.troubles & placing.FOREIGN:
            raise Problem(UNREADABLE, _foreign(self.path))
        if self.troubles & placing.NEWER:
            raise Problem(UNREADABLE, f"{self.path} was written by a newer fettle; upgrade fettle.")
        if not self.store.usable:
            why = os.strerror(error_number) if error_number else "it is damaged"
            raise Problem(
                UNREADABLE, f"{self.path} can not be read ({why}); see who may read and write it."
            )
        self.on_entry: Callable[[], None] | None = None

    def each_function(self, told: Callable[[Any], object]) -> None:
        self.store.each_function(told)

    def each(self, told: Callable[[Any], object]) -> None:
        tick = self.on_entry
        if tick is None:
            self.store.each(told)
            return

        def told_and_ticked(entry: Any) -> None:
            told(entry)
            tick()

        self.store.each(told_and_ticked)

    def check_changed(self) -> None:
        """Raises Problem where the store could not be changed as it was asked to."""
        bits, error = self.store.troubles()
        bits |= self.troubles
        if not bits & BLOCKING:
            return
        if bits & placing.READ_ONLY:
            why, step = "nothing can be written there", "change its permissions"
        elif bits & placing.LOCK:
            why, step = "another process keeps it locked", "try again when that one has ended"
        elif bits & placing.FULL:
            why, step = "the disk has no room", "`fettle memo clear` needs none"
        else:
            why, step = os.strerror(error), "see that its disk is well"
        raise Problem(FETTLE_FAILED, f"{self.path} could not be changed in full ({why}); {step}.")


def find(folder: str) -> str:
    """The folder with the files of the store that folder means. Raises Problem."""
    try:
        if not stat.S_ISDIR(os.stat(folder).st_mode):
            raise Problem(
                UNREADABLE, f"{folder} is no folder; name the one that was given to fettle.Memo."
            )
        for below in BELOW:
            path = os.path.join(folder, below) if below else os.path.realpath(folder)
            if _has_head(path):
                return path
    except (FileNotFoundError, ValueError):  # ValueError: a NUL
        raise Problem(
            UNREADABLE, f"{folder} is not there; name the folder that was given to fettle.Memo."
        ) from None
    except PermissionError:
        raise Problem(UNREADABLE, _foreign(folder)) from None
    except OSError as error:
        raise Problem(
            UNREADABLE, f"{folder} can not be read ({reason(error)}); see who may read it."
        ) from error
    raise Problem(
        UNREADABLE,
        f"{folder} holds no results of fettle's; name the folder that was given to fettle.Memo.",
    )


def _foreign(folder: str) -> str:
    return (
        f"{folder} belongs to another user, or others may write in it, so nothing of it is "
        "believed; look as its owner, or `chmod -R go-w` it."
    )


def _has_head(path: str) -> bool:
    """Does a head stand there that says it is a store's? Another's file of that name is left as it
    is, whatever it is."""
    try:
        fd = os.open(
            os.path.join(path, "head"),
            os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_NOFOLLOW | os.O_CLOEXEC,
        )
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as error:
        if isinstance(error, PermissionError):
            raise
        return False  # a link
    try:
        return stat.S_ISREG(os.fstat(fd).st_mode) and os.pread(fd, len(MAGIC), 0) == MAGIC
    finally:
        os.close(fd)


__all__ = ["Looked", "find"]
