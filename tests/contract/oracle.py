# SPDX-License-Identifier: Apache-2.0
"""Tables of a recording by their definitions, node by node, ancestor by ancestor: slow.

Numbers are whole nanoseconds and calls, as in the model; sums stop at 2**64 - 1, as they do there.
"""

from collections import defaultdict
from dataclasses import dataclass

from .synthetic import FOLDED, FOLDED_AGAIN, Recording, Thread

LARGEST = 2**64 - 1


@dataclass
class Sums:
    calls: int = 0
    primitive: int = 0
    own: int = 0
    cumulative: int = 0
    own_waiting: int = 0
    cumulative_waiting: int = 0

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
        if len(codes) < 3:
            return  # the mark itself, or a node that only names a caller
        codes = codes[1:]  # caller, callee
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
