# SPDX-License-Identifier: Apache-2.0
"""Live bytes and the process's memory (RSS) over time, drawn with letters: a bar for what was live,
a dot where the RSS was. Each column is a span of time and shows the most there was in it.
"""

from fettle.report import names, pauses, screen, size, unit

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TextIO

    from fettle._core import MomentRow, PointRow, Profile

WIDTH, HEIGHT = 64, 12
LABELS = 12  # letters left of the columns
BARS = " ▁▂▃▄▅▆▇█"
ASCII_BARS = "  .::+++#"  # as tall, with letters that every terminal has
MOST = 8  # charts: of the processes with the largest heaps
NO_TIMELINE = "no moments were recorded: the program was too short for a timeline."
NO_MEMORY = "no memory was recorded, so there is no chart of it; add -M to `fettle run -C`."


def show(profile: "Profile", stream: "TextIO") -> list[str]:
    """Prints a chart for each process, and what else there was. Gives what must be said below."""
    said = _show_charts(profile, stream)
    screen.styled([(f" {line}", "foot") for line in pauses.of(profile)], stream)
    return said + pauses.remarks(profile)


def _show_charts(profile: "Profile", stream: "TextIO") -> list[str]:
    by_process: dict[int, list[MomentRow]] = {}
    for moment in profile.moments():
        by_process.setdefault(moment.process, []).append(moment)
    if not by_process:
        return [NO_TIMELINE if profile.heaps() else NO_MEMORY]
    plain, room = not has_bars(stream), screen.room(stream)
    width = WIDTH if room is None else max(16, min(WIDTH, room - LABELS))
    largest = sorted(by_process, key=lambda one: -max(each.live for each in by_process[one]))
    points = profile.points()
    for process in sorted(largest[:MOST]):
        lines: list[tuple[str, str]] = []
        if len(by_process) > 1:
            lines.append((label(profile, process), "bold"))
        marked = [point for point in points if point.process == process]
        lines += [(line, "") for line in chart(by_process[process], marked, plain, width)]
        screen.styled(lines, stream)
    left = len(by_process) - MOST
    return [f"{left} more processes have a timeline; the largest {MOST} are shown."] * (left > 0)


def label(profile: "Profile", process: int) -> str:
    """[process 12: python app.py]"""
    found = profile.processes()[process]
    return f"[process {found.pid}: {names.shortened(names.visible(' '.join(found.command)))}]"


def has_bars(stream: "TextIO") -> bool:
    """Whether what it is written with can write bars."""
    try:
        f"{BARS}·".encode(stream.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def chart(
    moments: "list[MomentRow]", points: "list[PointRow]", plain: bool, width: int = WIDTH
) -> list[str]:
    """The lines of one chart, of so many columns."""
    end = max([moment.time for moment in moments] + [point.time for point in points]) or 1e-9
    live = _columns([(moment.time, moment.live) for moment in moments], end, width)
    rss = _columns([(moment.time, moment.rss) for moment in moments], end, width)
    most = max(*live, *rss, 1)
    bars = ASCII_BARS if plain else BARS
    dot = "-" if plain else "·"
    labels = {
        HEIGHT - 1: size.amount(most),
        HEIGHT // 2: size.amount(most * (HEIGHT // 2 + 1) / HEIGHT),
    }
    labels[0] = size.amount(most / HEIGHT)
    lines = []
    for row in range(HEIGHT - 1, -1, -1):
        text = "".join(
            _cell(8 * HEIGHT * low / most - 8 * row, _row_of(high, most) == row, bars, dot)
            for low, high in zip(live, rss, strict=True)
        )
        lines.append(f"{labels.get(row, ''):>10} {'|' if plain else '│'}{text}".rstrip())
    corner = "+" + "-" * width if plain else "└" + "─" * width
    lines.append(f"{'':>10} {corner}")
    lines.append(f"{'':>10}  {'0 s':<{width - 12}}{unit.moment(end):>12}")
    lines += [_flag(point, end, width) for point in points[:WIDTH]]
    lines.append(f"{'':>10}  {bars[8]} live    {dot} RSS")
    return lines


def _columns(values: list[tuple[float, int]], end: float, width: int) -> list[int]:
    """The largest value in each span of time; a span without one has what was last."""
    found: list[int | None] = [None] * width
    last = values[0][1]
    for time, value in values:
        at = min(int(width * time / end), width - 1)
        found[at] = max(found[at] or 0, value)
    columns = []
    ends = {min(int(width * time / end), width - 1): value for time, value in values}
    for at, most in enumerate(found):
        columns.append(last if most is None else most)
        last = ends.get(at, last)
    return columns


def _row_of(value: int, most: int) -> int:
    return min(HEIGHT * value // most, HEIGHT - 1)


def _cell(eighths: float, is_dot: bool, bars: str, dot: str) -> str:
    filled = max(0, min(8, round(eighths)))
    return dot if is_dot and filled == 0 else bars[filled]


def _flag(point: "PointRow", end: float, width: int) -> str:
    """A point below the time at which it was marked."""
    at = min(int(width * point.time / end), width - 1)
    text = f"^ {names.shortened(names.visible(point.name), 30)} {size.amount(point.bytes)}"
    return f"{'':>12}{' ' * at}{text}" if at < width // 2 else f"{'':>12}{_mirrored(point, at)}"


def _mirrored(point: "PointRow", at: int) -> str:
    text = f"{names.shortened(names.visible(point.name), 30)} {size.amount(point.bytes)} ^"
    return f"{text:>{at + 1}}"
