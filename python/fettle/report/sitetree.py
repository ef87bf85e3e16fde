# SPDX-License-Identifier: Apache-2.0
"""The tree of call paths on which memory was allocated, folded where there is little of it.

A row is a line that called or allocated; what it holds is its own and that of the rows below it,
so each number is its own, the rows one step below, and what was folded. sites() has parents before
their children, so that one pass from the back sums, and one from the front finds what is shown.
"""

from fettle.problem import CHECK_FAILED, Problem
from fettle.report import calltree, columns, memory, names, notes, overview, screen, sitelines, size

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import TextIO

    from fettle._core import Profile, SiteRow, Stats

    # site (-1: what is folded), depth, bytes, site above, blocks, lines folded
    Row = tuple[int, int, int, int, int, int]


def show(
    recorded: "Profile | Stats",
    fold: float,
    choice: "memory.Choice",
    stream: "TextIO",
    remarks: list[str],
) -> None:
    """Prints the tree of what choice.kind says; what has a smaller share of it than fold (0 to 1)
    is counted only."""
    profile = overview.need_memory(recorded, choice.source)
    sites = profile.sites()
    if max((heap.frames for heap in profile.heaps()), default=0) < 2:
        raise Problem(
            CHECK_FAILED,
            f"{names.visible(choice.source) or 'the recording'} has no call paths of its"
            " allocations; record them with `fettle run -M --frames 32`.",
        )
    lines = sitelines.by_line(sites)
    files = names.Files([line.file for line in lines])
    tree = Tree(sites, choice.kind, files)
    tree.choose(fold, choice.rows, choice.within)
    head = [choice.kind, "%", "blocks", "own", sitelines.HEAD]
    printed = columns.aligned(head, list(tree.lines()), texts=1)
    heading = memory.heading(profile, lines, choice, files)
    body = list(zip(printed, ["cyan", *[""] * len(printed)], strict=False))
    screen.styled([(heading, "bold"), *body, *tree.remainder()], stream)
    screen.sentences([*remarks, *notes.sentences(profile)], stream)


class Tree:
    """The sites of a recording, summed and on their way to lines."""

    def __init__(self, sites: "list[SiteRow]", kind: str, files: names.Files) -> None:
        self._sites = sites
        self._files = files
        own = [sitelines.figures(site)[kind] for site in sites]
        self._own = [size for _, size in own]
        self._blocks = [count for count, _ in own]
        self._bytes = list(self._own)
        self._below: list[list[int]] = [[] for _ in sites]
        self._roots: list[int] = []
        self._shown: set[int] = set()
        for at in range(len(sites) - 1, -1, -1):
            parent = sites[at].parent
            (self._below[parent] if parent >= 0 else self._roots).append(at)
            if parent >= 0:
                self._bytes[parent] += self._bytes[at]
                self._blocks[parent] += self._blocks[at]
        self._all = sum(self._own)

    def choose(self, fold: float, rows: int, within: str) -> None:
        """Keeps what is worth a row. A parent has at least its child's bytes and comes before it,
        so of what is kept the parents are kept."""
        least = fold * self._all
        wanted = self._leading_to(within) if within else None
        kept = [
            at
            for at, amount in enumerate(self._bytes)
            if amount >= least and (amount or self._blocks[at]) and (wanted is None or wanted[at])
        ]
        kept.sort(key=lambda at: (-self._bytes[at], at))
        self._shown = set(kept[:rows] if rows else kept)

    def _leading_to(self, within: str) -> list[bool]:
        wanted = [self._files.match(site, within) for site in self._sites]
        if not any(wanted):
            raise names.no_match(within)
        for at in range(len(wanted) - 1, -1, -1):
            parent = self._sites[at].parent
            if wanted[at] and parent >= 0:
                wanted[parent] = True
        return wanted

    def lines(self) -> "Iterator[list[str]]":
        """The rows as they are printed."""
        for at, depth, amount, _, blocks, folded in self.rows():
            share = f"{100 * amount / self._all:.1f}" if self._all else ""
            own = size.amount(self._own[at]) if at >= 0 and self._own[at] else ""
            label = (
                f"({size.counted(folded, 'line')})"
                if at < 0
                else sitelines.label(self._sites[at], self._files)
            )
            indented = calltree.indented(depth) + label
            yield [size.amount(amount), share, size.grouped(blocks), own, indented]

    def rows(self) -> "Iterator[Row]":
        """The largest first, each with what is below it, then what was folded there."""
        left: list[tuple[int, int, int, list[int]]] = []
        self._push(left, -1, self._roots, 0)
        while left:
            at, above, depth, folded = left.pop()
            if at < 0:
                amount = sum(self._bytes[one] for one in folded)
                blocks = sum(self._blocks[one] for one in folded)
                yield -1, depth, amount, above, blocks, len(folded)
            else:
                yield at, depth, self._bytes[at], above, self._blocks[at], 0
                self._push(left, at, self._below[at], depth + 1)

    def _push(
        self, left: list[tuple[int, int, int, list[int]]], above: int, below: list[int], depth: int
    ) -> None:
        folded = [
            at for at in below if at not in self._shown and (self._bytes[at] or self._blocks[at])
        ]
        if folded:
            left.append((-1, above, depth, folded))
        shown = sorted(self._shown.intersection(below), key=lambda at: (self._bytes[at], -at))
        left += [(at, above, depth, []) for at in shown]

    def remainder(self) -> list[tuple[str, str]]:
        """How to see what is folded."""
        hidden = sum(own for at, own in enumerate(self._own) if own and at not in self._shown)
        if not hidden:
            return []
        return [(f" (folded: {size.amount(hidden)}; --fold 0 -n 0 shows all)", "foot")]
