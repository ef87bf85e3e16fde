# SPDX-License-Identifier: Apache-2.0
"""The formats made of stacks, read by what their authors published about them."""

import re
from collections import Counter
from collections.abc import Callable, Iterator

from .oracle import path_to
from .spelling import frame
from .synthetic import Code, Node, Recording

Stack = tuple[str, ...]


def nodes(recording: Recording, spell: Callable[[Code], str]) -> Iterator[tuple[Stack, Node]]:
    """Every node but the roots, with the path of what is called there, outermost first."""
    spelled = [spell(code) for code in recording.codes]
    for thread in recording.threads:
        for at in range(1, len(thread.nodes)):
            codes = [thread.nodes[id].code for id in path_to(thread, at)]
            yield tuple(spelled[code] for code in codes), thread.nodes[at]


def in_lines(recording: Recording) -> Counter[Stack]:
    """The own time of every stack."""
    times: Counter[Stack] = Counter()
    for stack, node in nodes(recording, frame):
        times[stack] += node.own
    return +times


def read_collapsed(exported: bytes) -> Counter[Stack]:
    """Frames divided by semicolons, a blank, a number: by the head comment of flamegraph.pl."""
    times: Counter[Stack] = Counter()
    lines = exported.decode().splitlines(keepends=True)
    for line in lines:
        match = re.fullmatch(r"(?P<stack>[^\n]+) (?P<value>[1-9][0-9]*)\n", line)
        assert match, line
        stack = tuple(match["stack"].split(";"))
        assert all(stack), line
        times[stack] += int(match["value"])
    return times
