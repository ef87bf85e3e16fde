# SPDX-License-Identifier: Apache-2.0
"""The call tree as columns: parents before children, own numbers only; the viewer sums them up.

Nodes past MOST, the lightest, are one child "[pruned]" of the row above them, so that sums are as
they were. Of two recordings, rows are matched by their path from the top.
"""

from array import array

from fettle.html import union
from fettle.html.naming import Functions, Side
from fettle.report import timeline
from fettle.report.calltree import PAST_CAP
from fettle.report.names import visible

TYPE_CHECKING = False
if TYPE_CHECKING:
    from fettle._core import FunctionRow, TreeRow

CALLS = {"call", "task"}
MOST = 1_000_000  # rows of the tree: a browser opens these in a few seconds
PRUNED = "[pruned]"


class Tree:
    """The rows of one side."""

    def __init__(self) -> None:
        self.parent = array("q")
        self.function = array("q")
        self.text: dict[int, str] = {}  # of rows that are no function
        self.calls = array("q")
        self.own = array("q")
        self.waiting = array("q")
        self.nodes = self.pruned = 0  # that were left out, and their own time

    def add(self, parent: int, function: int, calls: int, own: float, waiting: float) -> int:
        """Appends a row. Seconds."""
        self.parent.append(parent)
        self.function.append(function)
        self.calls.append(calls)
        self.own.append(round(own * 1e9))
        self.waiting.append(round(waiting * 1e9))
        return len(self.parent) - 1


def columns(
    functions: Functions, new: Side, old: Side | None, most: int = MOST
) -> dict[str, object] | None:
    """The part "calls" of the payload; None where there is no tree."""
    trees = [tree(each, functions, most, each is old) for each in (new, old) if each]
    if all(len(each.parent) < 2 for each in trees):
        return None
    first = trees[0]
    nodes, own = sum(each.nodes for each in trees), sum(each.pruned for each in trees)
    found: dict[str, object] = {
        "parent": first.parent,
        "function": first.function,
        "text": {str(at): text for at, text in first.text.items()},
        "calls": first.calls,
        "own": first.own,
        "waiting": first.waiting,
        "pruned": {"nodes": nodes, "own": own} if nodes else None,
    }
    return found | _matched(*trees) if old else found


def tree(side: Side, functions: Functions, most: int = MOST, is_old: bool = False) -> Tree:
    """The rows of one side, at most so many."""
    made = Tree()
    if side.model is None:
        return made
    rows = side.model.tree(0.0, most)
    places = functions.of_old if is_old else functions.of_new
    known = {_key(row): at for row, at in zip(side.functions, places, strict=True)}
    for row in rows:
        is_call = row.kind in CALLS
        function = known.get(_key(row), -1) if is_call else -1
        at = made.add(row.parent, function, row.calls * is_call, row.own, row.own_waiting)
        if function < 0:
            made.text[at] = _text(side, row)
    for at, row in enumerate(rows):
        if row.folded_functions:
            other = functions.other(PRUNED)
            made.add(at, other, row.folded_calls, row.folded, row.folded_waiting)
            made.pruned += round(row.folded * 1e9)
    made.nodes = side.model.totals().nodes - len(rows) if made.pruned else 0
    return made


def _key(row: "FunctionRow | TreeRow") -> tuple[str, int, str, str]:
    return row.file, row.line, row.name, row.qualname


def _text(side: Side, row: "TreeRow") -> str:
    """What a row is called that is no function."""
    if row.kind == "recording":
        return row.kind
    if row.kind == "process" and side.model:
        return timeline.label(side.model, row.place)
    if row.kind == "thread":
        uses = side.profile.threads()[row.place].uses
        return f"[{visible(row.name)}{f', {uses} in turn' if uses > 1 else ''}]"
    return PAST_CAP.get(row.kind) or visible(row.name)


def _matched(new: Tree, old: Tree) -> dict[str, object]:
    """The columns of both: those of one take the place of the new one's alone."""
    texts: dict[str, int] = {}
    keys = [_keys(each, texts) for each in (new, old)]
    both = union.Union(new.parent, keys[0], old.parent, keys[1])
    found: dict[str, object] = {"parent": both.parent}
    found["function"] = array("q", [key if key >= 0 else -1 for key in both.key])
    text = {both.of_old[at]: text for at, text in old.text.items()}
    text |= {both.of_new[at]: text for at, text in new.text.items()}
    found["text"] = {str(at): text[at] for at in sorted(text)}
    for name in ("calls", "own", "waiting"):
        found[name] = both.summed(getattr(new, name), both.of_new)
        found[f"{name}0"] = both.summed(getattr(old, name), both.of_old)
    return found


def _keys(one: Tree, texts: dict[str, int]) -> "array[int]":
    """What tells a row from its siblings: its function, or a negative number for its text. The
    number of a process says nothing of it, so of equal ones the first is the first."""
    keys = array("q", one.function)
    met: dict[tuple[int, str], int] = {}
    for at, text in one.text.items():
        if text.startswith("[process "):
            text = text.partition(":")[2]
            place = one.parent[at], text
            met[place] = met.get(place, 0) + 1
            text = f"{text}:{met[place]}"
        keys[at] = -1 - texts.setdefault(text, len(texts))
    return keys


def remarks(part: object) -> list[str]:
    """What was left out of the tree."""
    left = part.get("pruned") if isinstance(part, dict) else None
    if not left:
        return []
    return [
        f"the lightest {left['nodes']} call paths, with {left['own'] / 1e9:.3f} s of own time, are"
        f" summed up as {PRUNED} below the others; the table of functions has all."
    ]
