# SPDX-License-Identifier: Apache-2.0
"""The flat report: one row per function."""

import os

from fettle.report import links, names, order, screen, table

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TextIO

    from fettle._core import Profile, Stats


class Choice:
    """What to show: sort key, number of rows (0: all), GLOB, and where it comes from or went to."""

    __slots__ = ("key", "links", "reverse", "rows", "shares", "source", "target", "within")

    def __init__(
        self,
        key: str,
        rows: int,
        within: str = "",
        source: str = "",
        target: str = "",
        reverse: bool = False,
        shares: bool = False,
        links: bool = False,
    ) -> None:
        self.key = key
        self.rows = rows
        self.within = within
        self.source = source
        self.target = target
        self.reverse = reverse  # the order
        self.shares = shares  # of all time, in place of times per call
        self.links = links  # behind the names, on a terminal


def shown_path(path: str) -> str:
    """Relative to the current folder if it lies in there."""
    try:
        inside = os.path.relpath(path)
    except (OSError, ValueError):
        return path
    return path if inside.startswith("..") else inside


def page(profile: "Profile | Stats", choice: Choice, stream: "TextIO") -> None:
    """Prints the table of functions. Problem if nothing matches choice.within."""
    rows = profile.functions()
    files = names.Files([row.file for row in rows])
    if choice.within:
        rows = [row for row in rows if files.match(row, choice.within)]
        if not rows:
            raise names.no_match(choice.within)
    ordered = order.ordered(rows, choice.key, files, choice.reverse)
    shown = ordered[: choice.rows] if choice.rows else ordered
    heading = table.heading(profile, names.visible(choice.target), names.visible(choice.source))
    rest = table.remainder(len(rows), len(shown))
    if choice.shares:
        lines = table.share_lines(shown, files, profile.totals().own)
        columns = table.SHARE_COLUMNS
    else:
        lines, columns = table.lines(shown, files), table.COLUMNS
    behind = links.uris([row.file for row in shown], profile) if choice.links else []
    screen.page(heading, lines, rest, stream, columns, links=behind)
