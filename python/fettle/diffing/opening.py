# SPDX-License-Identifier: Apache-2.0
"""Which recordings are meant: files, runs in one file, points of one, or the last two here."""

import os

from fettle import _core, output, recording, runs
from fettle.diffing.side import Side, joined
from fettle.problem import UNREADABLE, USAGE, Problem
from fettle.report import notes, pointtable, screen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TextIO

    from fettle._core import Profile, Stats
    from fettle.recording import Recording, Summary


class Opened:
    """Recordings by path, each read once: points of one are points of one."""

    def __init__(self) -> None:
        self._files: dict[str, Recording | Summary] = {}
        self._runs: dict[str, list[Profile | Stats]] = {}

    def sides(self, words: list[str], news: list[str] | None) -> list[Side]:
        """Old and new; or one, whose points are asked for. news: what stands behind --vs."""
        if news is not None:
            return [self._several(words), self._several(news)]
        if len(words) == 2:
            return [self._one(word) for word in words]
        path, point = _parted(words[0]) if words else (recording.newest("."), "")
        profile = self._profile(path)
        if point:
            return self._from_point(words[0], path, point)
        has_points = isinstance(profile, _core.Profile) and profile.heaps() and profile.points()
        before = output.previous(path)
        if not (words and has_points) and os.path.isfile(before):
            return [Side(before, self._of(before)), Side(path, self._of(path))]
        if has_points:
            return [Side(path, [profile])]
        hint = " or put fettle.mark('NAME') into the program"
        if isinstance(profile, _core.Profile) and profile.timings():
            hint = " or run `fettle time` again"
        raise Problem(
            UNREADABLE,
            f"there is no {before} to compare {path} with, and it has no points; name two"
            f" recordings,{hint}.",
        )

    def _from_point(self, word: str, path: str, point: str) -> list[Side]:
        """A point and the end."""
        side = self._one(word)
        if side.points is None:
            raise Problem(USAGE, f"{word} is the end of {path}; name a point before it too.")
        return [side, Side(f"{path}@{pointtable.END}", side.runs)]

    def _several(self, words: list[str]) -> Side:
        """All runs of several files as one side."""
        if len(words) == 1:
            return self._one(words[0])
        found: list[Profile | Stats] = []
        for word in words:
            path, point = _parted(word)
            if point:
                raise Problem(USAGE, f"{word} is a point; of several recordings name whole files.")
            found += self._of(path)
        return Side(joined(words), found)

    def _one(self, word: str) -> Side:
        """What FILE or FILE@POINT means."""
        path, point = _parted(word)
        if not point:
            return Side(path, self._of(path))
        profile = self._profile(path)
        if isinstance(profile, _core.Stats):
            raise Problem(USAGE, f"{path} is what cProfile wrote and has no points; name the file.")
        return Side(f"{path}@{point}", [profile], pointtable.find(profile, point, path))

    def _profile(self, path: str) -> "Profile | Stats":
        """All that is in the file."""
        if path not in self._files:
            self._files[path] = recording.open_all([path])
        return self._files[path].profile

    def _of(self, path: str) -> "list[Profile | Stats]":
        """The runs in the file."""
        self._profile(path)
        if path not in self._runs:
            self._runs[path] = runs.apart(self._files[path])
        return self._runs[path]

    def say(self, remarks: list[str], stream: "TextIO") -> None:
        """What must be known to read the tables right."""
        opened = self._files.values()
        said = [
            *(sentence for each in opened for sentence in each.remarks),
            *remarks,
            *(sentence for each in opened for sentence in notes.sentences(each.profile)),
        ]
        screen.sentences(list(dict.fromkeys(said)), stream)


def _parted(word: str) -> tuple[str, str]:
    """The path of a recording, and a point of it or "". Both may have an @ in them: the first part
    that is a file is the file."""
    ends = [at for at, letter in enumerate(word) if letter == "@"]
    for end in [*ends, len(word)]:
        path = recording.named(word[:end])
        if path and os.path.isfile(path) and (end == len(word) or word[end + 1 :]):
            return path, word[end + 1 :]
    if ends and (ends[0] == 0 or ends[-1] == len(word) - 1):
        raise Problem(USAGE, f"{word!r} needs a recording and a point: FILE@POINT.")
    end = ends[-1] if ends else len(word)
    return recording.named(word[:end]), word[end + 1 :]
