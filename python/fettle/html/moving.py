# SPDX-License-Identifier: Apache-2.0
"""Where a line of the old side is on the new one: files are edited between two recordings.

As `fettle diff` does it (report/growth.py): where both recordings have the source of a file, its
lines are matched as a diff of the two matches them; else by their distance from the beginning of
their function, where there is one function of that name.
"""

from fettle.html.naming import Files, Side
from fettle.report import growth
from fettle.report.listing import Recorded


class Moves:
    """The lines of an old side, by their numbers on a new one."""

    def __init__(self, files: Files, new: Side, old: Side) -> None:
        self._files = files
        self._new = Recorded(new.model) if new.model else None
        self._old = Recorded(old.model) if old.model else None
        self._paths = {files.index(path): path for path in new.paths()}
        self._starts: dict[tuple[int, str], set[int]] = {}
        for file, line, qualname in _beginnings(new):
            self._starts.setdefault((files.index(file), qualname), set()).add(line)
        self._known: dict[str, dict[int, int] | None] = {}
        self._lengths: dict[str, int] = {}  # of the old sources

    def line(self, path: str, line: int, first_line: int, qualname: str) -> int:
        """Where that line of a file of the old side is by now; its negative: nowhere."""
        file = self._files.index(path, True)
        if path not in self._known:
            self._known[path] = self._aligned(path, file)
        known = self._known[path]
        if known is not None:
            return known.get(line, -line if line <= self._lengths[path] else line)
        starts = self._starts.get((file, qualname), set())
        if first_line in starts or len(starts) != 1:
            return line
        return line + min(starts) - first_line

    def _aligned(self, path: str, file: int) -> dict[int, int] | None:
        """By number, where both sides have the source."""
        if not self._old or not self._new or file not in self._paths:
            return None
        before, after = self._old.lines(path), self._new.lines(self._paths[file])
        self._lengths[path] = len(before)
        return growth.aligned(before, after) if before and after else None


def _beginnings(side: Side) -> list[tuple[str, int, str]]:
    """File, first line and qualified name of all functions that are known."""
    found = [(row.file, row.line, row.qualname) for row in side.functions]
    found += [(row.file, row.first_line, row.qualname) for row in side.sites]
    return found + [(table[0], table[1], table[3]) for table in side.lines]
