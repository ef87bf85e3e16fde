# SPDX-License-Identifier: Apache-2.0
"""How exports spell texts that may be any bytes."""

import re

from .synthetic import FOLDED, FOLDED_AGAIN, C, Code

CONTROLS = "\0-\x1f\x7f-\x9f\u2028\u2029"


def text(raw: bytes) -> str:
    """How every export and every row spells a text."""
    return raw.decode("utf-8", "backslashreplace")


def line(raw: bytes, mark: str = "") -> str:
    """The same where a text must not end a line, nor hold the sign that separates fields."""

    def spelled(match: re.Match[str]) -> str:
        return "".join(f"\\x{byte:02x}" for byte in match[0].encode())

    return re.sub(f"[{CONTROLS}{mark}]", spelled, text(raw))


def name(code: Code) -> bytes:
    """What a format with one name for a function calls it."""
    if code.kind in (FOLDED, FOLDED_AGAIN):
        return b"[folded]" if code.kind == FOLDED else b"[folded again]"
    return code.qualname or code.name or b"?"


def frame(code: Code) -> str:
    """A function in a line of stacks."""
    if code.kind in (C, FOLDED, FOLDED_AGAIN):
        return line(name(code), ";")
    return f"{line(name(code), ';')} ({line(code.file, ';')}:{code.line})"
