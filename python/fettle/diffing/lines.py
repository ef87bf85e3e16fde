# SPDX-License-Identifier: Apache-2.0
"""The recorded lines of both sides beside each other: hits, exact, and times, of every run.

Where both recordings hold the source of a file, its lines are matched as a diff of the two matches
them; else by their distance from the beginning of their function.
"""

from fettle.diffing import files
from fettle.diffing.change import Change, Entry
from fettle.report import growth
from fettle.report.listing import Recorded
from fettle.report.names import visible

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from fettle.diffing.side import Side

    Place = tuple[str, str, int]  # file, qualified name, line

TIMES = ("time", "waiting")
_NANOSECOND = 1e-9


def gathered(side: "Side") -> "dict[Place, Entry]":
    """All lines of a side that ran."""
    found: dict[Place, Entry] = {}
    for at, run in enumerate(side.profiles()):
        for file, first, name, qualname, _, rows in run.lines():
            for number, hits, time, waiting, _ in rows:
                if not hits:  # of a large program they are many
                    continue
                place = (file, qualname, number)
                line = found.get(place)
                if line is None:
                    line = Entry(file, number, name, qualname, first, TIMES, len(side.runs))
                    found[place] = line
                line.add(at, hits, (time * _NANOSECOND, waiting * _NANOSECOND))
    return found


def matched(old: "Side", new: "Side") -> tuple[list[Change], list[str]]:
    """Every line of both sides once, and what must be said of how they were matched."""
    olds, news = gathered(old), gathered(new)
    moves = Moves(old, new, olds, news)
    befores: dict[Place, Entry] = {}
    gone: list[Change] = []
    for line in olds.values():
        place = moves.place(line)
        if place is None or place in befores:
            gone.append(Change(line, None))
        else:
            befores[place] = line
    changes = [Change(befores.pop(place, None), line) for place, line in news.items()]
    changes += [Change(line, None) for line in befores.values()]
    return changes + gone, moves.remarks()


class Moves:
    """Where the lines of the old side are by now."""

    def __init__(
        self, old: "Side", new: "Side", olds: "Mapping[Place, Entry]", news: "Mapping[Place, Entry]"
    ) -> None:
        self._files = files.paired(_names(olds), _names(news), (old.folder(), new.folder()))
        self._sources = [Recorded(side.profiles()[0]) for side in (old, new)]
        self._starts: dict[tuple[str, str], set[int]] = {}
        for line in news.values():
            self._starts.setdefault((line.file, line.qualname), set()).add(line.first_line)
        self._alignments: dict[str, dict[int, int] | None] = {}
        self._by_source: dict[str, None] = {}
        self._by_distance: dict[str, None] = {}

    def place(self, line: Entry) -> "Place | None":
        """Of a line of the old side on the new one; None: it is not there."""
        file = self._files.get(line.file)
        if file is None:
            return None
        if line.file not in self._alignments:
            self._alignments[line.file] = self._alignment(line.file, file)
        alignment = self._alignments[line.file]
        number = self._from_start(line, file) if alignment is None else alignment.get(line.line, 0)
        return (file, line.qualname, number) if number else None

    def _alignment(self, file: str, other: str) -> dict[int, int] | None:
        """None where the sources do not say."""
        before, after = self._sources[0].lines(file), self._sources[1].lines(other)
        if not before or not after:
            return None
        found = growth.aligned(before, after)
        if found is not None and before != after:
            self._by_source[other] = None
        return found

    def _from_start(self, line: Entry, file: str) -> int:
        starts = self._starts.get((file, line.qualname), set())
        if line.first_line in starts or len(starts) != 1:
            return line.line
        self._by_distance[file] = None
        return line.line + next(iter(starts)) - line.first_line

    def remarks(self) -> list[str]:
        return [
            f"{visible(file)} is not what it was: its lines are matched {way}."
            for found, way in (
                (self._by_source, "by their source"),
                (self._by_distance, "by their distance from the start of their function"),
            )
            for file in found
        ]


def _names(lines: "Mapping[Place, Entry]") -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for file, qualname, _ in lines:
        found.setdefault(file, set()).add(qualname)
    return found
