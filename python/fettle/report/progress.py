# SPDX-License-Identifier: Apache-2.0
"""One line that changes while somebody waits, on a terminal alone."""

import math
import os
import time

from fettle.report import size

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType
    from typing import TextIO

    from fettle.timing.options import Progress

_BETWEEN = 0.1  # seconds from one text to the next
_PATIENCE = 0.3  # seconds in which nobody has begun to wait


class Line:
    """The line; it is gone when this is."""

    def __init__(self, stream: "TextIO | None") -> None:
        seen = stream is not None and stream.isatty() and os.environ.get("TERM") != "dumb"
        self._stream = stream if seen else None
        self._next = time.monotonic() + _PATIENCE
        self._is_there = False

    def __enter__(self) -> "Line":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: "TracebackType | None",
    ) -> None:
        self.clear()

    def show(self, progress: "Progress") -> None:
        """How far a timing is."""
        self.write(said(progress))

    def write(self, text: str) -> None:
        """Another text in the place of the last one, unless that has just come."""
        now = time.monotonic()
        if self._stream is None or now < self._next:
            return
        from fettle.report import screen

        self._next = now + _BETWEEN
        width = screen.room(self._stream) or 80
        self._put(f"\r\x1b[K{text[: width - 1]}")
        self._is_there = True

    def clear(self) -> None:
        if self._is_there:
            self._is_there = False
            self._put("\r\x1b[K")

    def _put(self, text: str) -> None:
        if self._stream is None:
            return
        try:
            self._stream.write(text)
            self._stream.flush()
        except OSError:  # nobody looks any more
            self._stream = None


def said(progress: "Progress") -> str:
    """What the line says, what matters most first, for a narrow terminal cuts it."""
    budget = progress.options.budget
    time_gone = (
        f"{progress.elapsed:.0f} of {budget:.0f} s"
        if budget < 1e6
        else (f"{progress.elapsed:.0f} s")
    )
    wanted = 100 * progress.options.precision
    known = ""
    if math.isfinite(progress.width):
        known = f", within {100 * progress.width:.1f}% (wanted: {wanted:.1f}%)"
    samples = size.counted(progress.samples, "sample")
    processes = size.counted(progress.groups, "process", "processes")
    return f"timing: {time_gone}{known}, {samples} in {processes}; ^C ends it"
