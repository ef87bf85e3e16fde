# SPDX-License-Identifier: Apache-2.0
"""Signals that end a measurement: ^C with what is known by then, others after tidying up."""

import signal
import sys
from contextlib import contextmanager

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

_ENDING = (signal.SIGTERM, signal.SIGHUP)


class Interruption:
    """Whether ^C came while it was on. KeyboardInterrupt comes as ever."""

    def __init__(self) -> None:
        self.happened = False

    def _note(self, number: int, frame: "FrameType | None") -> None:
        self.happened = True
        raise KeyboardInterrupt


@contextmanager
def noticed() -> "Iterator[Interruption]":
    """Notices ^C, unless this process was told to ignore it."""
    interruption = Interruption()
    with _handled((signal.SIGINT,), interruption._note):
        yield interruption


@contextmanager
def orderly() -> "Iterator[None]":
    """What would end this process at once ends it by an exception: what is to be tidied up is."""

    def end(number: int, frame: "FrameType | None") -> None:
        sys.exit(128 + number)

    with _handled(_ENDING, end):
        yield


@contextmanager
def _handled(numbers: tuple[int, ...], handler: "signal._HANDLER") -> "Iterator[None]":
    before = {number: signal.getsignal(number) for number in numbers}
    changed = [number for number in numbers if before[number] != signal.SIG_IGN]
    for number in changed:
        signal.signal(number, handler)
    try:
        yield
    finally:
        for number in changed:
            signal.signal(number, before[number])
