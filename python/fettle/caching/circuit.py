# SPDX-License-Identifier: Apache-2.0
"""Whether a server is tried that did not answer of late."""

from collections.abc import Callable
from time import monotonic

PATIENT = 5  # failures in a row after which a server is left alone
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 30.0  # before it is tried again, in seconds


class Circuit:
    """Whether a server is tried. After PATIENT failures in a row it is left alone for a second;
    then one call finds out whether it is back, and if not, the pause doubles."""

    __slots__ = ("asking", "clock", "failures", "pause", "until")

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self.clock = clock
        self.failures = 0
        self.pause = FIRST_PAUSE
        self.asking = False  # one call is finding out
        self.until = 0.0  # nothing is tried before; 0: it is not left alone

    def allows(self) -> bool:
        if not self.until:
            return True
        now = self.clock()
        if now < self.until:
            return False
        self.until, self.asking = now + self.pause, True  # nobody else meanwhile
        return True

    def succeeded(self) -> None:
        self.failures, self.pause, self.until, self.asking = 0, FIRST_PAUSE, 0.0, False

    def failed(self, times: int = 1) -> bool:
        """Is it left alone from now on, and was not before?"""
        self.failures += times
        opens = not self.until
        if self.asking:
            self.pause, self.asking = min(2 * self.pause, LONGEST_PAUSE), False
        elif not opens or self.failures < PATIENT:  # not opens: it was asked before it was let be
            return False
        self.until = self.clock() + self.pause
        return opens
