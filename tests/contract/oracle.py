# SPDX-License-Identifier: Apache-2.0
"""Tables of a recording by their definitions, node by node, ancestor by ancestor: slow.

Numbers are whole nanoseconds and calls, as in the model; sums stop at 2**64 - 1, as they do there.
"""

from collections import Counter, defaultdict
from dataclasses import dataclass, replace
from itertools import accumulate

from .synthetic import FOLDED, FOLDED_AGAIN, C, Node, Recording, Thread

LARGEST = 2**64 - 1


@dataclass
class Sums:
    calls: int = 0
    primitive: int = 0
    own: int = 0
    cumulative: int = 0
    own_waiting: int = 0
    cumulative_waiting: int = 0
    own_awaited: int = 0
    cumulative_awaited: int = 0

    def capped(self) -> "Sums":
        return Sums(*(min(number, LARGEST) for number in vars(self).values()))

    def __bool__(self) -> bool:
        return any(vars(self).values())

    def __add__(self, other: "Sums") -> "Sums":
        return Sums(*map(sum, zip(vars(self).values(), vars(other).values(), strict=True))).capped()


Edge = tuple[int, int]


def path_to(thread: Thread, at: int) -> list[int]:
    """The ids from the root's child down to the node."""
    path = []
    while at != 0:
        path.append(at)
        at = thread.nodes[at].parent
    return path[::-1]


def tables(recording: Recording) -> tuple[dict[int, Sums], dict[Edge, Sums]]:
    """The functions by code and the edges by (caller, callee)."""
    functions: defaultdict[int, Sums] = defaultdict(Sums)
    edges: defaultdict[Edge, Sums] = defaultdict(Sums)
    for thread in recording.threads:
        for at in range(1, len(thread.nodes)):
            add_node(recording, thread, at, functions, edges)
    return (
        {code: sums.capped() for code, sums in functions.items() if sums},
        {edge: sums.capped() for edge, sums in edges.items() if sums},
    )


def lines(recording: Recording) -> dict[tuple[int, int], tuple[int, ...]]:
    """Hits and the three times by code and line."""
    sums: defaultdict[tuple[int, int], list[int]] = defaultdict(lambda: [0] * 4)
    for code, line, *numbers in recording.lines:
        so_far = sums[code, line]
        so_far[:] = [min(a + b, LARGEST) for a, b in zip(so_far, numbers, strict=True)]
    return {place: tuple(numbers) for place, numbers in sums.items()}


def add_node(
    recording: Recording,
    thread: Thread,
    at: int,
    functions: dict[int, Sums],
    edges: dict[Edge, Sums],
) -> None:
    node = thread.nodes[at]
    codes = [thread.nodes[id].code for id in path_to(thread, at)]
    again = recording.codes[codes[0]].kind == FOLDED_AGAIN
    if recording.codes[codes[0]].kind in (FOLDED, FOLDED_AGAIN):
        if len(codes) == 1 or (len(codes) == 2 and not (node.calls or node.own or node.waiting)):
            return  # the mark itself, or a node that only names a caller
        codes = codes[1:]  # caller, callee; or a callee that nothing recorded called
        on_path = [codes[-1]]
    else:
        on_path = codes
    pairs = list(zip([0, *codes], codes, strict=False))
    if len(on_path) < len(codes):
        pairs = pairs[-1:]  # the caller was counted where it stands itself
    for key, above, table in (
        (codes[-1], on_path[:-1], functions),
        (pairs[-1], pairs[:-1], edges),
    ):
        sums = table[key]  # type: ignore[index]
        sums.calls += node.calls
        sums.own += node.own
        sums.own_waiting += node.waiting
        if key not in above and not again:
            sums.primitive += node.calls
    if again:
        return  # its time lies within that of an ancestor
    for key in set(on_path):
        functions[key].cumulative += node.own
        functions[key].cumulative_waiting += node.waiting
    for pair in set(pairs):
        edges[pair].cumulative += node.own
        edges[pair].cumulative_waiting += node.waiting


Place = tuple[int, int]  # number of the thread, id of the node


def heaviest(recording: Recording, limit: int, frames: int) -> list[Place]:
    """The nodes by cumulative time, of equal ones the first, as far as the limits go (0: none)."""
    weights: Counter[Place] = Counter()
    depths = {}
    for number, thread in enumerate(recording.threads):
        for at in range(1, len(thread.nodes)):
            path = path_to(thread, at)
            depths[number, at] = len(path)
            for above in path:
                weights[number, above] += thread.nodes[at].own
    order = sorted(depths, key=lambda place: -min(weights[place], LARGEST))
    costs = accumulate(depths[place] for place in order)
    fit = [place for place, cost in zip(order, costs, strict=True) if not frames or cost <= frames]
    return fit[:limit] if limit else fit


def pruned(recording: Recording, limit: int, frames: int) -> tuple[Recording, list[Node]]:
    """The recording with these nodes only, what was below them summed up; and what was left out."""
    kept = set(heaviest(recording, limit, frames))
    left = replace(recording, codes=list(recording.codes), threads=[])
    rest = left.code(b"~", 0, b"[pruned]", kind=C)
    left_out = []
    for number, thread in enumerate(recording.threads):
        copy = left.thread(thread.process, thread.name, thread.uses)
        places, rests = {0: 0}, {}
        for at, node in enumerate(thread.nodes[1:], 1):
            numbers = node.calls, node.own, node.waiting
            if (number, at) in kept:
                places[at] = copy.add(places[node.parent], node.code, *numbers)
                continue
            left_out.append(node)
            above = next(id for id in reversed([0, *path_to(thread, at)]) if id in places)
            if above not in rests and any(numbers):
                rests[above] = copy.nodes[copy.add(places[above], rest, 0)]
            if any(numbers):
                add_numbers(rests[above], node)
    return left, left_out


def add_numbers(to: Node, more: Node) -> None:
    to.calls = min(to.calls + more.calls, LARGEST)
    to.own = min(to.own + more.own, LARGEST)
    to.waiting = min(to.waiting + more.waiting, LARGEST)
