# SPDX-License-Identifier: Apache-2.0
"""Compiled files. Unmarshalling one is no more harmless than importing it: only what the user names
is read, and the help says so.
"""

import marshal
from importlib.util import MAGIC_NUMBER
from types import CodeType

from fettle.problem import UNREADABLE, Problem, reason
from fettle.report.names import visible

HEAD_BYTES = 16
_MOST_BYTES = 256 << 20
# The first magic number of each version; from 3.11 on they are 50 apart.
_FIRST = {3131: "3.0", 3141: "3.1", 3160: "3.2", 3190: "3.3", 3250: "3.4", 3320: "3.5"}
_FIRST |= {3360: "3.6", 3390: "3.7", 3400: "3.8", 3420: "3.9", 3430: "3.10"}
_EVEN, _BASE, _STEP = 3450, 2900, 50
_SECOND = {62211: "2.7"}


def version(head: bytes) -> str:
    """The version of CPython that wrote a file with these first bytes; "" where it is none.

    >>> version(b"\\xa7\\r\\r\\n"), version(b"\\xcb\\r\\r\\n"), version(b"\\x7fELF")
    ('3.11', '3.12', '')
    """
    if head[2:4] != b"\r\n":
        return ""
    magic = int.from_bytes(head[:2], "little")
    if magic in _SECOND:
        return _SECOND[magic]
    if magic >= _EVEN:
        return f"3.{(magic - _BASE) // _STEP}" if magic < _BASE + 100 * _STEP else ""
    return next((each for first, each in reversed(_FIRST.items()) if magic >= first), "")


def read(path: str) -> CodeType:
    """The code of a compiled file of this Python. Problem."""
    shown = visible(path)
    try:
        with open(path, "rb") as file:
            data = file.read(_MOST_BYTES)
    except OSError as error:
        raise Problem(
            UNREADABLE, f"cannot read {shown}: {reason(error)}; check the name and the folder."
        ) from None
    if data[:4] != MAGIC_NUMBER:
        raise Problem(UNREADABLE, _other(shown, data[:4]))
    try:
        code = marshal.loads(data[HEAD_BYTES:])
    except (ValueError, EOFError, TypeError) as error:
        raise Problem(
            UNREADABLE, f"{shown} is damaged: {reason(error)}; compile it again."
        ) from None
    if not isinstance(code, CodeType):
        raise Problem(UNREADABLE, f"{shown} holds no code; compile it again.")
    return code


def _other(shown: str, head: bytes) -> str:
    import platform

    wrote = version(head)
    here = platform.python_version()
    if not wrote:
        return f"{shown} is not a compiled Python file; name its source."
    if here.startswith(f"{wrote}."):
        return (
            f"{shown} was compiled by another build of Python {wrote}, and this is {here}; name its"
            " source."
        )
    return (
        f"{shown} was compiled by Python {wrote}, and this is {here}; name its source, or install"
        f" fettle in a Python {wrote}."
    )
