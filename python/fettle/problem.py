# SPDX-License-Identifier: Apache-2.0
"""What a user can cause or must know: one sentence and an exit code, never a traceback."""

CHECK_FAILED = 1
USAGE = 2
UNREADABLE = 3
FETTLE_FAILED = 125
NOT_EXECUTABLE = 126
NOT_FOUND = 127


class Problem(Exception):
    """Ends a verb: `sentence` says what is wrong, where, and the next step."""

    def __init__(self, code: int, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code
        self.sentence = sentence


def reason(error: BaseException) -> str:
    """The system's words for an error: "No space left on device"."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    if isinstance(error, MemoryError):
        return "not enough memory"
    return str(error) or type(error).__name__
