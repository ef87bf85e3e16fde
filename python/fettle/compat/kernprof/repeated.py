# SPDX-License-Identifier: Apache-2.0
"""Writes the profile again and again while the program runs."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from threading import Event, Thread

__all__ = ["RepeatedTimer"]


class RepeatedTimer:
    """Calls dump_func(outfile) every interval seconds, in a thread of its own, until stop()."""

    def __init__(self, interval: float, dump_func: Callable[[str], object], outfile: str) -> None:
        self.interval = interval
        self.dump_func = dump_func
        self.outfile = outfile
        self._stopped = Event()
        self._thread = Thread(target=self._run, name="kernprof -i", daemon=True)
        self._thread.start()

    @property
    def is_running(self) -> bool:
        return self._thread.is_alive()

    def stop(self) -> None:
        """Returns when nothing is being written any more."""
        self._stopped.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopped.wait(self.interval):
            with suppress(OSError):  # the last writing will tell
                self.dump_func(self.outfile)
