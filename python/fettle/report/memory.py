# SPDX-License-Identifier: Apache-2.0
"""The report of memory: by line of source, by call path, over time, by type."""

from fettle import runs
from fettle.report import columns, names, screen, sitelines, size
from fettle.report.listing import Recorded
from fettle.report.unit import moment

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TextIO

    from fettle._core import HeapRow, Profile
    from fettle.report.sitelines import SiteLine

_WIDEST_SOURCE = 60  # of a line's text


class Choice:
    """What of the memory to show, and of which recording."""

    __slots__ = ("kind", "parts", "rows", "source", "target", "within")

    def __init__(
        self,
        rows: int = 30,
        kind: str = "peak",
        within: str = "",
        source: str = "",
        target: str = "",
        parts: tuple[str, ...] = ("mem",),
    ) -> None:
        self.rows = rows  # how many lines (0: all)
        self.kind = kind  # of sitelines.KINDS: what the lines are ordered by
        self.within = within  # GLOB
        self.source = source
        self.target = target
        self.parts = parts  # of "mem" (by line), "timeline", "objects"


def show(profile: "Profile", choice: Choice, stream: "TextIO") -> list[str]:
    """Prints the parts that are chosen, below one heading. Gives what must be said below them.
    Problem if nothing is in choice.within."""
    if not profile.heaps() and choice.parts == ("timeline",):
        from fettle.report import timeline

        return timeline.show(profile, stream)
    sites = profile.sites()
    lines = sitelines.by_line(sites)
    files = names.Files([line.file for line in lines])
    screen.styled([(heading(profile, lines, choice, files), "bold")], stream)
    remarks: list[str] = []
    if "mem" in choice.parts:
        _show_lines(profile, lines, choice, files, stream)
    if "timeline" in choice.parts:
        from fettle.report import timeline

        remarks += timeline.show(profile, stream)
    if "objects" in choice.parts:
        from fettle.report import livetypes

        remarks += livetypes.show(profile, sites, choice, files, stream)
    return remarks


def heading(profile: "Profile", lines: "list[SiteLine]", choice: Choice, files: names.Files) -> str:
    """peak 7.2 MB after 0.310 s, 4.8 MB of it at build.py:9 load; 7.2 MB still alive; ..."""
    heaps = profile.heaps()
    about = "about " * any(heap.sample for heap in heaps)
    alive = sum(heap.alive_bytes for heap in heaps)
    blocks = sum(heap.total_count for heap in heaps)
    text = (
        f"peak {about}{_peak(heaps)}{_culprit(lines, files)}; {size.amount(alive)} still alive; "
        f"{size.amount(sum(heap.total_bytes for heap in heaps))} in "
        f"{size.counted(blocks, 'allocation')}{_estimate(heaps)}{runs.words(profile)}"
    )
    if choice.target:
        return f"{text}    -> {names.visible(choice.target)}"
    return f"{names.visible(choice.source)}: {text}" if choice.source else text


def _peak(heaps: "list[HeapRow]") -> str:
    """How much and when. Peaks of several processes are of different moments."""
    text = size.amount(sum(heap.peak_bytes for heap in heaps))
    if len(heaps) < 2:
        return f"{text} after {moment(heaps[0].peak_time)}" if heaps else text
    largest = max((heap.peak_bytes for heap in heaps), default=0)
    return (
        f"{text} in {len(heaps)} processes, each at its own time"
        f" (the largest {size.amount(largest)})"
    )


def _culprit(lines: "list[SiteLine]", files: names.Files) -> str:
    """The line that had the most of the peak."""
    top = max(lines, key=lambda line: line.bytes["peak"], default=None)
    if top is None or not top.bytes["peak"]:
        return ""
    return f", {size.amount(top.bytes['peak'])} of it at {sitelines.label(top, files, ' ')}"


def _estimate(heaps: "list[HeapRow]") -> str:
    steps = {heap.sample for heap in heaps if heap.sample}
    if not steps:
        return ""
    return f" (estimated: one sample for every {size.amount(max(steps))} or so)"


def _show_lines(
    profile: "Profile",
    lines: "list[SiteLine]",
    choice: Choice,
    files: names.Files,
    stream: "TextIO",
) -> None:
    if choice.within:
        lines = [line for line in lines if files.match(line, choice.within)]
        if not lines:
            raise names.no_match(choice.within)
    kind = choice.kind
    ordered = sitelines.ordered([line for line in lines if line.blocks[kind]], kind)
    shown = ordered[: choice.rows] if choice.rows else ordered
    sources = Recorded(profile)

    def lay_out(kinds: tuple[str, ...]) -> "columns.Table":
        head = [word for each in kinds for word in (each, "blocks")]
        rows = [_cells(line, kinds, files, sources) for line in shown]
        return [*head, sitelines.HEAD, ""], rows

    kinds = (kind, *(other for other in sitelines.KINDS if other != kind))
    printed, left_out = columns.fitted(kinds, screen.room(stream), lay_out)
    body = list(zip(printed, ["cyan", *[""] * len(shown)], strict=True)) if shown else []
    rest = [_remainder(ordered[len(shown) :], kind), sitelines.no_room(left_out) if shown else ""]
    screen.styled([*body, *((f" {line}", "foot") for line in rest if line)], stream)


def _cells(
    line: "SiteLine", kinds: tuple[str, ...], files: names.Files, sources: Recorded
) -> list[str]:
    """Blank is none."""
    cells = []
    for kind in kinds:
        blocks = line.blocks[kind]
        cells += [size.amount(line.bytes[kind]), size.grouped(blocks)] if blocks else ["", ""]
    text = names.shortened(sources.line(line.file, line.line), _WIDEST_SOURCE)
    return [*cells, sitelines.label(line, files), text]


def _remainder(left: "list[SiteLine]", kind: str) -> str:
    if not left:
        return ""
    amount = size.amount(sum(line.bytes[kind] for line in left))
    return f"{size.counted(len(left), 'more line')} with {amount}; -n 0 shows all"
