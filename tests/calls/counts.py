# SPDX-License-Identifier: Apache-2.0
"""What a recording counted: calls of every function and of every (caller, callee), from cProfile's
rows or from a fettle recording, in one shape that can be compared.

Functions are known by what both tools can say of them: file, line and name, addresses taken out.
Rows with equal labels are summed; `shared` holds the labels that several code objects bear, which
cProfile tells apart and a recording does not.
"""

import marshal
import re
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple


class Function(NamedTuple):
    file: str
    line: int
    name: str

    def __str__(self) -> str:
        return self.name if self.file == "~" else f"{Path(self.file).name}:{self.line}({self.name})"


class Calls(NamedTuple):
    calls: int
    primitive: int

    def plus(self, calls: int, primitive: int) -> "Calls":
        return Calls(self.calls + calls, self.primitive + primitive)


Edge = tuple[Function, Function]
NEVER = Calls(0, 0)


@dataclass
class Counts:
    functions: dict[Function, Calls] = field(default_factory=dict)
    edges: dict[Edge, Calls] = field(default_factory=dict)
    shared: set[Function] = field(default_factory=set)

    def add(self, function: Function, calls: int, primitive: int) -> None:
        self.functions[function] = self.functions.get(function, NEVER).plus(calls, primitive)

    def add_edge(self, edge: Edge, calls: int, primitive: int) -> None:
        self.edges[edge] = self.edges.get(edge, NEVER).plus(calls, primitive)

    def named(self, name: str, file: str) -> Calls:
        """All functions of that name in file, or C functions of that label, together."""
        rows = [c for f, c in self.functions.items() if f.name == name and f.file in (file, "~")]
        return Calls(sum(c.calls for c in rows), sum(c.primitive for c in rows))

    def edge_named(self, caller: str, callee: str, file: str) -> Calls:
        rows = [
            c
            for (a, b), c in self.edges.items()
            if (a.name, b.name) == (caller, callee) and {a.file, b.file} <= {file, "~"}
        ]
        return Calls(sum(c.calls for c in rows), sum(c.primitive for c in rows))


def function(file: str, line: int, name: str) -> Function:
    """Without addresses. 3.15 leaves the class out of the names of some of object's methods."""
    name = re.sub(r" at 0x[0-9a-fA-F]+", "", name)
    return Function(
        file, line, re.sub(r"^<method '(\w+)'>$", r"<method '\1' of 'object' objects>", name)
    )


DISABLE = Function("~", 0, "<method 'disable' of '_lsprof.Profiler' objects>")


def of_cprofile(path: Path) -> Counts:
    """The rows that reference.py wrote."""
    rows = marshal.loads(path.read_bytes())
    counts = Counts()
    bearers: Counter[Function] = Counter()
    for (file, line, name, _), calls, recursive, callees in rows:
        caller = function(file, line, name)
        bearers[caller] += 1
        counts.add(caller, calls, calls - recursive)
        for (file, line, name, _), calls, recursive in callees:
            counts.add_edge((caller, function(file, line, name)), calls, calls - recursive)
    counts.shared = {label for label, number in bearers.items() if number > 1}
    without_runner(counts)
    return counts


def without_runner(counts: Counts) -> None:
    """reference.py's own call that ends the recording: the one `disable` that nobody calls."""
    ends = counts.functions.get(DISABLE, NEVER)
    if ends.calls == 1:
        del counts.functions[DISABLE]
    elif ends.calls:
        counts.functions[DISABLE] = ends.plus(-1, -1)


def of_tables(document: dict[str, Any]) -> Counts:
    """The functions and edges of a recording exported as JSON: the whole process tree."""
    codes = codes_of(document)
    counts = Counts()
    for row in document["functions"]:
        counts.add(codes[row["code"]], row["calls"], row["primitive"])
    for row in document["edges"]:
        if row["caller"]:
            edge = codes[row["caller"]], codes[row["callee"]]
            counts.add_edge(edge, row["calls"], row["primitive"])
    return counts


def of_main(document: dict[str, Any], script: str) -> Counts:
    """What the main module called, itself included, counted by walking the trees."""
    codes = codes_of(document)
    counts = Counts()
    for thread in document["threads"]:
        nodes = calls_only(document, thread["nodes"])
        for at, parent in enumerate(nodes["parent"]):
            code = codes[nodes["code"][at]]
            if at > 0 and parent == 0 and code.name == "<module>" and code.file == script:
                add_subtree(counts, nodes, at, codes)
    return counts


def calls_only(document: dict[str, Any], nodes: Any) -> Any:
    """Without what stands for tasks and for what they awaited: what a loop runs is called by it."""
    kinds = [document["codes"][code].get("kind") for code in nodes["code"]]
    parents = list(nodes["parent"])
    for at, parent in enumerate(parents):
        if kinds[parent] == "task":
            parents[at] = parents[parent]
    calls = [at for at, kind in enumerate(kinds) if kind not in ("task", "awaited")]
    places = {at: place for place, at in enumerate(calls)}
    return {
        "parent": [places[parents[at]] for at in calls],
        "code": [nodes["code"][at] for at in calls],
        "calls": [nodes["calls"][at] for at in calls],
    }


def codes_of(document: dict[str, Any]) -> list[Function]:
    return [function(code["file"], code["line"], code["name"]) for code in document["codes"]]


def add_subtree(counts: Counts, nodes: Any, top: int, codes: list[Function]) -> None:
    """A call is primitive where nothing of the same function, or pair of functions, is open."""
    children: dict[int, list[int]] = {}
    for at, parent in enumerate(nodes["parent"]):
        if at > 0:
            children.setdefault(parent, []).append(at)
    is_open: Counter[Function | Edge] = Counter()
    stack = [(top, False)]
    while stack:
        at, entered = stack.pop()
        here, above = codes[nodes["code"][at]], codes[nodes["code"][nodes["parent"][at]]]
        edge, calls = (above, here), nodes["calls"][at]
        if entered:
            is_open.subtract([here, edge])
            continue
        counts.add(here, calls, 0 if is_open[here] else calls)
        if at != top:
            counts.add_edge(edge, calls, 0 if is_open[edge] else calls)
        is_open.update([here, edge])
        stack.append((at, True))
        stack.extend((child, False) for child in children.get(at, ()))
