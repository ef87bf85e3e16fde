# SPDX-License-Identifier: Apache-2.0
"""How many lines a call path of the recorded memory has. Guests use this too."""

from fettle.problem import USAGE, Problem

MOST = 128  # as many as a path of the core may have
WITH_CALLS = 32  # where calls are recorded too, and nothing else was asked for


def read(text: str) -> int:
    """The number that somebody typed. Problem if it is none."""
    number = int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else 0
    if not 1 <= number <= MOST:
        raise Problem(USAGE, f"--frames needs a number from 1 to {MOST}, not {text!r}.")
    return number
