# SPDX-License-Identifier: Apache-2.0
"""Two recordings as one page: what `fettle diff --html` writes."""

import os

from fettle import output, recording, runs
from fettle.diffing import judged, page
from fettle.diffing.side import Side
from fettle.html import document, payload, sources
from fettle.problem import UNREADABLE, USAGE, Problem

TYPE_CHECKING = False
if TYPE_CHECKING:
    from fettle.options import Parsed
    from fettle.recording import Recording, Summary

OLD, NEW = "old", "new"


def write_asked(parsed: "Parsed") -> None:
    """What the options --html OUT and --no-source of a verb mean, and its words."""
    out, has_sources = document.wanted(parsed)
    if "fail-on" in parsed.values:
        raise Problem(USAGE, "--fail-on is of the tables; ask for it without --html.")
    write(parsed.words, out, has_sources)


def write(words: list[str], out: str, has_sources: bool = True) -> None:
    """Writes the page of OLD and NEW; of one or none, the newest recording and the one before.
    Problem if there are not two, or out is to stay or can not be written."""
    paths = _named(words)
    old, new = (recording.open_all([path]) for path in paths)
    sides = [Side(path, runs.apart(one)) for path, one in zip(paths, (old, new), strict=True)]
    shared = sides[0].held() & sides[1].held()
    if not shared:
        raise page.nothing_shared(*sides)
    if has_sources:
        _add_sources(old, new)
    remarks = [f"{side}: {text}" for side, one in ((OLD, old), (NEW, new)) for text in one.remarks]
    if shared & {"calls", "lines"} and not judged.enough(*(len(side.runs) for side in sides)):
        remarks.append(page.once(*sides))
    if shared & {"calls", "lines", "times"}:
        remarks += page.around(*sides)
    remarks += [
        f"{name} has no {parts}: all that is shown of them is the other's."
        for name, parts in page.lacking(*sides)
    ]
    found = payload.collect(
        new.profile, paths[1], old.profile, paths[0], remarks=remarks, has_sources=has_sources
    )
    document.write(out, found, [old.profile, new.profile], inputs=paths)


def _add_sources(*sides: "Recording | Summary") -> None:
    for side in sides:
        if isinstance(side, recording.Recording):
            sources.add(side.profile)


def _named(words: list[str]) -> list[str]:
    """The paths of both."""
    if len(words) > 2:
        raise Problem(USAGE, f"--html compares two recordings, not {len(words)}; name OLD and NEW.")
    paths = [recording.named(word) for word in words] or [recording.newest(".")]
    for path in paths:
        if "@" in path and not os.path.isfile(path):
            raise Problem(USAGE, f"{path} is a point; --html compares whole recordings.")
    if len(paths) == 2:
        return paths
    before = output.previous(paths[0])
    if not os.path.isfile(before):
        raise Problem(
            UNREADABLE,
            f"there is no {before} to compare {paths[0]} with; name two recordings.",
        )
    return [before, *paths]
