# SPDX-License-Identifier: Apache-2.0
"""What the report shows: one dict that JSON can hold. docs/html.md has its fields.

Times are ns, memory is bytes, texts are visible already. Columns of one part have equal lengths;
what a recording does not hold is None. Of two recordings a column X of the new side has a twin X0
of the old one. Calls, lines and their times are sums of `runs` runs, and the viewer shows the mean.
"""

import os

from fettle.diffing import page
from fettle.html import calls, header, lines, memory, objects, timeline, timings, verdicts
from fettle.html.moving import Moves
from fettle.html.naming import Files, Functions, Side
from fettle.report import notes
from fettle.report.names import visible

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from fettle._core import Profile, Stats
    from fettle.diffing.side import Side as Runs

VERSION = 1


def collect(
    profile: "Profile | Stats",
    source: str = "",
    old: "Profile | Stats | None" = None,
    old_source: str = "",
    *,
    remarks: "Iterable[str]" = (),
    has_sources: bool = True,
    has_cost: bool = True,
    nodes: int = calls.MOST,
    is_short: bool = False,
    sides: "tuple[Runs, Runs] | None" = None,
) -> dict[str, object]:
    """The payload of a recording, or of two. source: its path; remarks: what must be said
    besides; has_sources: whether the text of its files goes with it; has_cost: whether
    what recording cost is estimated, for which some thousand calls are recorded; nodes: rows of the
    call tree that are kept, the heaviest; is_short: leave out of the header where it ran; sides:
    the runs that old and profile are sums of.

    >>> from fettle import _core
    >>> empty = collect(_core.Profile(), "app.fettle")
    >>> empty["version"], empty["title"], empty["calls"], empty["memory"]
    (1, 'app.fettle', None, None)
    """
    runs = sides or (None, None)
    new = Side(profile, source, has_cost, runs[1])
    before = Side(old, old_source, has_cost, runs[0]) if old is not None else None
    files = Files(new, before)
    functions = Functions(files, new, before)
    tree = calls.columns(functions, new, before, nodes)
    moves = Moves(files, new, before) if before else None
    found: dict[str, object] = {
        "version": VERSION,
        "runs": new.number,
        "title": _title(source),
        "old": _title(old_source) if before else None,
        "header": header.rows(new, before, is_short),
        "remarks": _remarks(files, new, before, remarks, tree),
        "files": files.labels,
        "functions": functions.columns(new, before) if functions.count() else None,
        "calls": tree,
    }
    if before:
        found["runs0"] = before.number
        verdicts.add(found, functions, new, before)
    found |= _memory(files, functions, new, before, moves)
    found["lines"] = lines.tables(files, new, before, moves)
    found["sources"] = lines.sources(files, new, before) if has_sources else {}
    found["timeline"] = timeline.part(new.typical) if new.typical else None
    if before:
        found["timeline0"] = timeline.part(before.typical) if before.typical else None
    found["timings"] = timings.part(new, before)
    return found


def _title(source: str) -> str:
    """What a recording is called: the name of its file."""
    return visible(os.path.basename(source)) or "recording"


def _means(old: Side, new: Side) -> list[str]:
    """What must be said of numbers of several runs."""
    if max(old.number, new.number) == 1:
        return []
    said = [
        f"calls, lines and times are means of the runs, of {old.number} old and {new.number} new"
        " ones."
    ]
    return said + [page.TYPICAL] * bool(new.sites or old.sites)


def _memory(
    files: Files, functions: Functions, new: Side, old: Side | None, moves: Moves | None
) -> dict[str, object]:
    """All parts that tell of places."""
    places = memory.Places(files, functions)
    tree = memory.columns(places, new, old, moves)
    found: dict[str, object] = {
        "memory": tree,
        "objects": objects.objects(places, new, old, moves),
        "classes": objects.classes(new, old),
        "lineBytes": memory.line_bytes(files, new) if tree else None,
    }
    if old:
        found["lineBytes0"] = memory.line_bytes(files, old, True, moves) if tree else None
    return found | {"places": places.columns() if tree else None}


def _remarks(
    files: Files, new: Side, old: Side | None, given: "Iterable[str]", tree: object
) -> list[str]:
    """What must be known to read the report right, each once."""
    said = [*given, *notes.sentences(new.profile)]
    if old:
        said += [f"{_title(old.source)}: {text}" for text in notes.sentences(old.profile)]
        said += _means(old, new)
    said += lines.late(new)
    said += calls.remarks(tree, new.number)
    return list(dict.fromkeys(visible(text) for text in said))
