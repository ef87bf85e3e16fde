# SPDX-License-Identifier: Apache-2.0
"""Two sides compared from inside a program: Run.diff()."""

from fettle.diffing import page
from fettle.diffing.side import PARTS
from fettle.report import screen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TextIO

    from fettle.diffing.side import Side

MEMORY = ("peak", "alive", "total")
SORTS = ("calls", "hits", "own", "cumulative", "waiting", *MEMORY)


class _Sayer:
    """Recordings in memory have no remarks of their own."""

    def say(self, remarks: list[str], stream: "TextIO") -> None:
        screen.sentences(list(dict.fromkeys(remarks)), stream)


def show(
    old: "Side", new: "Side", what: str, sort: str, rows: int, within: str, stream: "TextIO"
) -> None:
    """Prints the tables. what: one of PARTS, or "". ValueError for words that mean nothing."""
    if what and what not in PARTS:
        raise ValueError(f"there is no comparison {what!r}: ask for {', '.join(PARTS)}")
    if sort and sort not in SORTS:
        raise ValueError(f"sort needs one of {', '.join(SORTS)}, not {sort!r}")
    choice = page.Choice(
        parts=frozenset([what] * bool(what)),
        rows=rows,
        key=sort,
        kind=sort if sort in MEMORY else MEMORY[0],
        within=within,
        orders_memory=sort in MEMORY,
    )
    page.show(old, new, choice, [], _Sayer(), stream)
