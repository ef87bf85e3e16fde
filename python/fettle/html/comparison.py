# SPDX-License-Identifier: Apache-2.0
"""Two sides as one page: what `fettle diff --html` writes. Each is a recording, or several."""

import os

from fettle import output, recording, runs
from fettle.diffing import judged, page
from fettle.diffing.side import Side, joined
from fettle.html import document, payload, sources
from fettle.problem import UNREADABLE, USAGE, Problem

TYPE_CHECKING = False
if TYPE_CHECKING:
    from fettle._core import Profile, Stats
    from fettle.options import Parsed

OLD, NEW = "old", "new"


class Opened:
    """One side: the sum of its recordings, and the runs in them."""

    def __init__(self, paths: list[str]) -> None:
        self.paths = paths
        self.whole = recording.open_all(paths)
        each = [self.whole] if len(paths) == 1 else [recording.open_all([path]) for path in paths]
        self.runs = Side(joined(paths), [run for one in each for run in runs.apart(one)])

    def profile(self) -> "Profile | Stats":
        return self.whole.profile

    def title(self) -> str:
        return joined([os.path.basename(path) for path in self.paths])


def write_asked(parsed: "Parsed", news: list[str] | None = None) -> None:
    """What the options --html OUT and --no-source of a verb mean, and its words. news: those
    behind --vs."""
    out, has_sources = document.wanted(parsed)
    if "fail-on" in parsed.values:
        raise Problem(USAGE, "--fail-on is of the tables; ask for it without --html.")
    olds = parsed.words
    if news is None:
        *olds, last = _named(olds)
        news = [last]
    write(_whole(olds), _whole(news), out, has_sources)


def write(olds: list[str], news: list[str], out: str, has_sources: bool = True) -> None:
    """Writes the page of both sides, by the paths of each. Problem if they hold nothing of one
    kind, or out is to stay or can not be written."""
    old, new = sides = Opened(olds), Opened(news)
    both = old.runs, new.runs
    shared = both[0].held() & both[1].held()
    if not shared:
        raise page.nothing_shared(*both)
    if has_sources:
        for side in sides:
            if isinstance(side.whole, recording.Recording):
                sources.add(side.whole.profile)
    remarks = [
        f"{word}: {text}" for word, side in ((OLD, old), (NEW, new)) for text in side.whole.remarks
    ]
    if shared & {"calls", "lines"} and not judged.enough(*(len(side.runs) for side in both)):
        remarks.append(page.once(*both))
    if shared & {"calls", "lines", "times"}:
        remarks += page.around(*both)
    remarks += [
        f"{name} has no {parts}: all that is shown of them is the other's."
        for name, parts in page.lacking(*both)
    ]
    found = payload.collect(
        new.profile(),
        new.title(),
        old.profile(),
        old.title(),
        remarks=remarks,
        has_sources=has_sources,
        sides=both,
    )
    document.write(out, found, [old.profile(), new.profile()], inputs=[*olds, *news])


def _whole(words: list[str]) -> list[str]:
    """The paths. Problem if one is a point."""
    paths = [recording.named(word) for word in words]
    for path in paths:
        if "@" in path and not os.path.isfile(path):
            raise Problem(USAGE, f"{path} is a point; --html compares whole recordings.")
    return paths


def _named(words: list[str]) -> list[str]:
    """Both; of one or none the newest recording and the one before."""
    if len(words) == 2:
        return words
    (path,) = _whole(words) or [recording.newest(".")]
    before = output.previous(path)
    if not os.path.isfile(before):
        raise Problem(
            UNREADABLE,
            f"there is no {before} to compare {path} with; name two recordings.",
        )
    return [before, path]
