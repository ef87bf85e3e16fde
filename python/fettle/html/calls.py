# SPDX-License-Identifier: Apache-2.0
"""The call tree as columns: parents before children, own numbers only; the viewer sums them up.

Nodes past MOST, the lightest, are one child "[pruned]" of the row above them, so that sums are as
they were. Of two recordings, rows are matched by their path from the top; so are those of the runs
of one side, for which the first process of each run is the same.
"""

from array import array
from collections import Counter

from fettle.html import union
from fettle.html.naming import Functions, Side, processes, threads
from fettle.report.calltree import PAST_CAP

TYPE_CHECKING = False
if TYPE_CHECKING:
    from fettle._core import Profile

KINDS = ("recording", "process", "thread", "call", "task", "folded", "folded again")
CALLS = {"call", "task"}
NODES = {*CALLS, *PAST_CAP}
BEFORE = 4  # times that: of two trees, for what is light on one side may be heavy on the other
USUAL = 0.62  # of the rows that may be are kept where some are pruned, mostly
UNCALLED = "[never called]"  # it stands for a caller past the cap, and has no numbers
MOST = 1_000_000  # rows of the tree: a browser opens these in a few seconds
PRUNED = "[pruned]"


class Tree:
    """The rows of one side; times in ns."""

    def __init__(self) -> None:
        self.parent = array("q")
        self.function = array("q")
        self.calls = array("q")
        self.own = array("q")
        self.waiting = array("q")
        self.text: dict[int, str] = {}  # of rows that are no function
        self.run: dict[int, int] = {}  # of rows that are processes
        self.nodes = self.pruned = 0  # how many were left out, and their own time

    def add(self, parent: int, function: int, calls: int, own: int, waiting: int) -> None:
        """Appends a row."""
        self.parent.append(parent)
        self.function.append(function)
        self.calls.append(calls)
        self.own.append(own)
        self.waiting.append(waiting)

    def join_processes(self) -> None:
        """Puts what is below processes where they stood, as in a recording of one."""
        kept = [at for at in range(len(self.parent)) if at not in self.run]
        places = {at: place for place, at in enumerate(kept)} | {-1: -1}
        places |= {at: places[self.parent[at]] for at in self.run}
        self.text = {places[at]: self.text[at] for at in self.text if at not in self.run}
        self.parent = array("q", [places[self.parent[at]] for at in kept])
        for name in ("function", "calls", "own", "waiting"):
            column = getattr(self, name)
            setattr(self, name, array("q", [column[at] for at in kept]))
        self.run = {}


def columns(
    functions: Functions, new: Side, old: Side | None, most: int = MOST
) -> dict[str, object] | None:
    """The part "calls" of the payload; None where there is no tree."""
    if old is not None:
        room = BEFORE * most
        sides = tree(new, functions, room), tree(old, functions, room, True)
        return _matched(functions, *sides, most)
    one = tree(new, functions, most)
    if len(one.parent) < 2:
        return None
    return {
        "parent": one.parent,
        "function": one.function,
        "text": {str(at): text for at, text in one.text.items()},
        "calls": one.calls,
        "own": one.own,
        "waiting": one.waiting,
        "pruned": {"nodes": one.nodes, "own": one.pruned} if one.nodes else None,
    }


def tree(side: Side, functions: Functions, most: int = MOST, is_old: bool = False) -> Tree:
    """The rows of one side, at most so many; of a summary, none."""
    made = Tree()
    if side.model is None:
        return made
    found = _within(side.model, most)
    places = functions.of_old if is_old else functions.of_new
    made.parent, made.calls = found["parent"], found["calls"]
    made.own, made.waiting = found["own"], found["waiting"]
    made.function = array("q", [places[at] if at >= 0 else -1 for at in found["function"]])
    labels = {
        "process": processes(side.model, side.number > 1),
        "thread": threads(side.model),
    }
    of_run = _runs(side)
    for at, function in enumerate(made.function):
        if function < 0:
            kind, place = KINDS[found["kind"][at]], found["place"][at]
            made.text[at] = _text(labels, kind, place)
            if kind == "process":
                made.run[at] = of_run[place]
    if any(found["folded_functions"]):
        calls = sum(1 for kind in found["kind"] if KINDS[kind] in NODES)
        made.nodes = side.model.totals().nodes - len(side.model.threads()) - calls
        _prune(made, found, functions.other(PRUNED))
    if side.number > 1 and max(Counter(of_run).values(), default=0) == 1:
        made.join_processes()
    return made


def _within(model: "Profile", most: int) -> "dict[str, array[int]]":
    """The columns of the heaviest rows. Those below which something is left out get one row more
    each, so that it may have to be fewer of them."""
    has_all = model.totals().nodes - len(model.threads()) <= most
    found: dict[str, array[int]] = {}
    for kept in (0,) if has_all else (max(int(most * USUAL), 1), max(most // 2, 1)):
        found = {name: array("q", data) for name, data in model.tree_columns(kept).items()}
        more = sum(1 for number in found["folded_functions"] if number)
        if len(found["parent"]) + more <= most + 1:
            break
    return found


def _prune(made: Tree, found: "dict[str, array[int]]", label: int) -> None:
    """A row for what was left out below each, with all of it."""
    for at, count in enumerate(found["folded_functions"]):
        if count:
            numbers = (found[name][at] for name in ("folded_calls", "folded", "folded_waiting"))
            made.add(at, label, *numbers)
            made.pruned += found["folded"][at]


def _runs(side: Side) -> list[int]:
    """In which run each process was."""
    assert side.model is not None
    found = [at for at, run in enumerate(side.runs.profiles()) for _ in run.processes()]
    count = len(side.model.processes())
    return found if len(found) == count else [0] * count


def _text(labels: dict[str, list[str]], kind: str, place: int) -> str:
    """What a row is called that is no function."""
    if kind in labels:
        return labels[kind][place]
    return PAST_CAP.get(kind, UNCALLED if kind in CALLS else kind)


def _matched(functions: Functions, new: Tree, old: Tree, most: int) -> dict[str, object] | None:
    """The columns of both."""
    if len(new.parent) < 2 and len(old.parent) < 2:
        return None
    texts: dict[str, int] = {}
    keys = [_keys(each, texts) for each in (new, old)]
    both = union.Union(new.parent, keys[0], old.parent, keys[1])
    left = new.nodes + old.nodes
    if len(both.parent) > most:
        own = both.summed(new.own, both.of_new), both.summed(old.own, both.of_old)
        left += both.prune(
            most, array("q", map(sum, zip(*own, strict=True))), functions.other(PRUNED)
        )
    found: dict[str, object] = {"parent": both.parent}
    found["function"] = array("q", [key if key >= 0 else -1 for key in both.key])
    text = {both.of_old[at]: text for at, text in old.text.items()}
    text |= {both.of_new[at]: text for at, text in new.text.items()}
    found["text"] = {str(at): text[at] for at in sorted(text) if both.key[at] < 0}
    for name in ("calls", "own", "waiting"):
        found[name] = both.summed(getattr(new, name), both.of_new)
        found[f"{name}0"] = both.summed(getattr(old, name), both.of_old)
    found["pruned"] = _left(functions, both, found, left) if left else None
    return found


def _left(
    functions: Functions, both: union.Union, found: dict[str, object], nodes: int
) -> dict[str, int]:
    """What was left out; own: of the new side."""
    label, own = functions.other(PRUNED), found["own"]
    assert isinstance(own, array)
    return {"nodes": nodes, "own": sum(own[at] for at, key in enumerate(both.key) if key == label)}


def _keys(one: Tree, texts: dict[str, int]) -> "array[int]":
    """What tells a row from its siblings: its function, or a negative number for its text. The
    number of a process says nothing of it, so of equal ones the first is the first."""
    keys = array("q", one.function)
    met: dict[tuple[int, str, int], int] = {}
    for at, text in one.text.items():
        if at in one.run:
            text = text.partition(":")[2]
            place = one.parent[at], text, one.run[at]
            met[place] = met.get(place, 0) + 1
            text = f"{text}:{met[place]}"
        keys[at] = -1 - texts.setdefault(text, len(texts))
    return keys


def remarks(part: object, runs: int) -> list[str]:
    """What was left out of the tree, which is the sum of so many runs."""
    left = part.get("pruned") if isinstance(part, dict) else None
    if not left:
        return []
    own = left["own"] / runs / 1e9
    return [
        f"the lightest {left['nodes']} call paths, with {own:.3f} s of own time, are summed up as"
        f" {PRUNED} below the others; the table of functions has all."
    ]
