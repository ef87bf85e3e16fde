# SPDX-License-Identifier: Apache-2.0
"""Source as it is shown beside numbers: the text that the recording holds, line by line.

Lines end where Python's end, at newlines only: str.splitlines() would also split at form feeds and
at U+2028, and every number after one would stand beside the wrong line.
"""

import os
import re

from fettle import sourcetext
from fettle.report.names import visible

TYPE_CHECKING = False
if TYPE_CHECKING:
    from fettle._core import Profile

_MOST_ARE_SHORTER = 500  # lines of a function: a file may have any number
# A cell's name in a kernel of Jupyter's; there never was such a file.
_CELL = re.compile(r"/ipykernel_\d+/\d+\.py$")
TAB = 8  # columns, as Python counts indentation


def shown(line: str) -> str:
    """A line that can not draw on the screen.

    >>> shown("\\tx = 1  # \\u202e")
    '        x = 1  # \\\\u202e'
    """
    return visible(line.expandtabs(TAB).rstrip())


def last_line(listing: list[str], first: int) -> int:
    """Where the function ends that begins at line first; 0 where that can not be seen.

    >>> last_line(["@mark", "def f():", "    x", "", "    y", "", "z"], 1)
    5
    """
    from inspect import getblock
    from tokenize import TokenError

    for room in (_MOST_ARE_SHORTER, len(listing)):
        lines = [f"{line}\n" for line in listing[first - 1 : first - 1 + room]]
        try:
            found = len(getblock(lines))
        except (SyntaxError, TokenError, IndexError):  # it is no Python, or other source by now
            found = 0
        if 0 < found < room:
            return first - 1 + found
    return first - 1 + found if found else 0


class Listings:
    """The sources of a recording, and what must be said of them."""

    def __init__(self, profile: "Profile") -> None:
        self._profile = profile
        self._lines: dict[str, list[str]] = {}
        self.remarks: list[str] = []

    def lines(self, file: str) -> list[str]:
        """All lines of file, the first at 0; none if its source is not known."""
        if file not in self._lines:
            text = self._text(file)
            self._lines[file] = text.split("\n") if text else []
        return self._lines[file]

    def _text(self, file: str) -> str:
        recorded = self._profile.source(file)
        path = sourcetext.place(self._profile, file)
        found = sourcetext.read(path)
        text = recorded if recorded is not None else found[0] if found else ""
        self._remark(file, text, recorded is not None, found[0] if found else None)
        return text

    def _remark(self, file: str, text: str, recorded: bool, now: str | None) -> None:
        """What a reader of the table must know of the source beside it."""
        name = visible(file)
        is_file = os.path.isabs(sourcetext.place(self._profile, file)) and not (
            file[:1] == "<" or _CELL.search(file)
        )
        if not recorded and now is None:
            self.remarks.append(
                f"the source of {name} was not recorded and is not here: the numbers stand alone."
            )
        elif not recorded:
            self.remarks.append(
                f"the source of {name} was not recorded: what stands there now is shown."
            )
        elif is_file and now is None:
            self.remarks.append(f"{name} is gone: the recorded source is shown.")
        elif is_file and now != text:
            self.remarks.append(
                f"{name} was changed since the recording: the recorded source is shown."
            )
        if recorded and sourcetext.is_late(self._profile, file):
            self.remarks.append(
                f"{name} was written while the program ran: what ran may have been other source;"
                " record again."
            )


class Recorded:
    """Single lines of source, of what the recording holds and nothing else."""

    def __init__(self, profile: "Profile") -> None:
        self._profile = profile
        self._lines: dict[str, list[str]] = {}

    def lines(self, file: str) -> list[str]:
        """All lines of file; none of one that is not there, or may not be what ran."""
        if file not in self._lines:
            text = self._profile.source(file)
            known = text is not None and not sourcetext.is_late(self._profile, file)
            self._lines[file] = text.split("\n") if text and known else []
        return self._lines[file]

    def line(self, file: str, number: int) -> str:
        """That line without its indentation; "" if it is not known."""
        lines = self.lines(file)
        return shown(lines[number - 1]).lstrip() if 0 < number <= len(lines) else ""
