# SPDX-License-Identifier: Apache-2.0
"""How long candidates take, and which is faster: the table of `fettle time`, and of a Timing.

It looks at a Timing alone: times come in seconds a call, less the empty loop, and go out in the
unit that fits them. Notes are sentences of the measurement's own.
"""

import math
import os

from fettle.report import histogram, screen, size
from fettle.report.names import visible
from fettle.report.unit import Scale
from fettle.timing.series import EMPTY_STATEMENT
from fettle.timing.timing import takes_nothing

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TextIO

    from fettle._core import Compared, Description, TimingRow
    from fettle.timing.series import Series
    from fettle.timing.timing import Timing

    Lines = list[tuple[str, str]]  # texts, and the style of each

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
WIDTH = 100  # columns where nobody says how many there are
FEW_PROCESSES = 8
_LEAST_LABEL = 16
_CLOCKS = {"cpu": "CPU clock", "wall": "wall clock"}
_NEARLY = 1.05  # times the fastest: as cheap
_CHEAP = 2.0
_COSTS = ((_NEARLY, "green"), (_CHEAP, "yellow"), (math.inf, "red"))

HINTS = {
    "same": "  a smaller difference needs a finer precision to be seen",
    "unclear": "  more time or runs, or a machine that does less besides, would make it clear",
}


def show(timing: "Timing", stream: "TextIO", verbose: bool = False, target: str = "") -> None:
    """Prints the table, and the notes below. target: the file that it was saved to."""
    width = screen.room(stream) or WIDTH
    screen.styled(_lines(timing, width, verbose, target, _bar(stream)), stream)
    screen.sentences(_notes(timing), stream)


def text(timing: "Timing") -> str:
    """The same as a text, without colour."""
    lines = [line for line, _ in _lines(timing, WIDTH, False, "", "#")]
    return "\n".join([*lines, *(f"fettle: {note}" for note in _notes(timing))])


def brief(timing: "Timing") -> str:
    """In a line: sum(x) 5.95 us; or what is said of each later candidate."""
    said = [_verdict(timing, at) for at in range(1, len(timing.series))]
    return (
        "; ".join(said) or f"{one_line(timing.series[0].label, 60)} {_time(timing.descriptions[0])}"
    )


def name(at: int) -> str:
    """What candidate number `at` is called: A, B, ... Z, A2, B2, ...

    >>> name(0), name(25), name(26)
    ('A', 'Z', 'A2')
    """
    turn, letter = divmod(at, len(LETTERS))
    return LETTERS[letter] + (str(turn + 1) if turn else "")


def clock(series: "Series | TimingRow") -> str:
    """CPU clock."""
    return _CLOCKS.get(series.clock, f"{series.clock} clock")


def one_line(label: str, width: int) -> str:
    """A statement in at most width columns: its lines in one, its middle left out.

    >>> one_line("for x in y:\\n    f(x)", 40), one_line("f(1, 2, 3, 4, 5, 6)", 12)
    ('for x in y: f(x)', 'f(1, 2 ... )')
    """
    parts = [line.strip() for line in label.strip().splitlines()]
    joined = visible(_joined([part for part in parts if part])) or EMPTY_STATEMENT
    if len(joined) <= width:
        return joined
    tail = max((width - 5) // 4, 0)
    head = joined[: max(width - 5 - tail, 1)].rstrip()
    return f"{head} ... {joined[len(joined) - tail :].lstrip()}".rstrip()


def _joined(parts: list[str]) -> str:
    """Lines as Python would have them in one, as far as that goes."""
    line = ""
    for part in parts:
        if not line or line.endswith(("(", "[", "{")) or part.startswith((")", "]", "}")):
            line += part
        else:
            line += f"{' ' if line.endswith((':', ',')) else '; '}{part}"
    return line


def _notes(timing: "Timing") -> list[str]:
    """Each as it reads after "fettle: ", in a line of its own."""
    lines = [visible(" ".join(note.split())) for note in timing.notes]
    return [line[:1].lower() + line[1:] if line[1:2].islower() else line for line in lines]


# ---- the table ----


def _lines(timing: "Timing", width: int, verbose: bool, target: str, bar: str) -> "Lines":
    several = len(timing.series) > 1
    lines = _several(timing, width, target) if several else _single(timing, width, target)
    if verbose:
        for at, (series, of) in enumerate(zip(timing.series, timing.descriptions, strict=True)):
            lines += _closer(name(at) if several else "", series, of, width, bar)
    return lines


def _single(timing: "Timing", width: int, target: str) -> "Lines":
    """[0]*1000    1.42 us (95%: 1.40 to 1.45), spread 2.1%"""
    series, of = timing.series[0], timing.descriptions[0]
    spread = "" if takes_nothing(series, of) else f", spread {_percent(of.spread)}"
    numbers = f"{_interval(of)}{spread}{_arrow(target)}"
    label = one_line(series.label, max(width - len(numbers) - 4, _LEAST_LABEL))
    memory = [cell for cell in _memory(series) if cell]
    lines = [(f"{label}    {numbers}", "bold")]
    if memory:
        lines.append((f"  {', '.join(memory)} a call", ""))
    lines.append((f"  {_origin(series, each='')}, {clock(series)}{_empty(timing)}", "foot"))
    return lines


def _several(timing: "Timing", width: int, target: str) -> "Lines":
    """A line for each candidate, then a line for each that is compared with the first."""
    rows = [
        [_time(of), *_memory(series)]
        for series, of in zip(timing.series, timing.descriptions, strict=True)
    ]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    cells = [
        "  ".join(f"{cell:>{wide}}" for cell, wide in zip(row, widths, strict=True) if wide)
        for row in rows
    ]
    names = [name(at) for at in range(len(rows))]
    left = max(map(len, names)) + 2
    most = max(width - left - 4 - max(map(len, cells)), _LEAST_LABEL)
    labels = _padded([one_line(series.label, most) for series in timing.series])
    lines = [
        (f"{of:<{left}}{label}    {cell}".rstrip(), style)
        for of, label, cell, style in zip(names, labels, cells, _costs(timing), strict=True)
    ]
    arrow = _arrow(target)
    for at, comparison in enumerate(timing.comparisons, 1):
        pairs = size.counted(comparison.pairs, "interleaved pair")
        verdict = f"{_verdict(timing, at)}, {pairs}, {clock(timing.series[at])}"
        if len(verdict + arrow) <= width:  # else it stands below
            verdict, arrow = verdict + arrow, ""
        lines.append((verdict, "bold"))
        if comparison.verdict in HINTS:
            lines.append((HINTS[comparison.verdict], "dim"))
    each = " each" if len({series.count for series in timing.series}) == 1 else " of A"
    lines.append((f"  {_origin(timing.series[0], each)}{_empty(timing)}", "foot"))
    if arrow:
        lines.append((f"  {arrow.strip()}", "dim"))
    return lines


def _padded(labels: list[str]) -> list[str]:
    """As wide as the widest."""
    widths = [_columns(label) for label in labels]
    return [
        label + " " * (max(widths) - width) for label, width in zip(labels, widths, strict=True)
    ]


def _columns(label: str) -> int:
    """Of a terminal: letters of some scripts take two, and accents none."""
    if label.isascii():
        return len(label)
    from unicodedata import combining, east_asian_width

    wide = sum(east_asian_width(letter) in {"W", "F"} for letter in label)
    return len(label) + wide - sum(map(bool, map(combining, label)))


def _arrow(target: str) -> str:
    return f"    -> {target}" if target else ""


def _time(of: "Description") -> str:
    return Scale(of.median * 1e9).text(of.median * 1e9)


def _interval(of: "Description") -> str:
    """1.42 us (95%: 1.40 to 1.45)"""
    scale = Scale(of.median * 1e9)
    if not math.isfinite(of.low + of.high):  # of a single sample
        return f"{scale.text(of.median * 1e9)} (95%: unknown)"
    low, high = scale.number(of.low * 1e9), scale.number(of.high * 1e9)
    return f"{scale.text(of.median * 1e9)} (95%: {low} to {high})"


def _percent(share: float) -> str:
    """2.1%; more than that needs no tenths.

    >>> _percent(0.0213), _percent(0.1), _percent(0.0004), _percent(float("nan"))
    ('2.1%', '10%', '0.04%', 'unknown')
    """
    if not math.isfinite(share):
        return "unknown"
    value = 100 * share
    return f"{value:.{2 if value < 0.095 else 1 if value < 9.95 else 0}f}%"


def _memory(series: "Series") -> list[str]:
    """Bytes, blocks and the highest point of one call; empty where nobody looked."""
    allocated, blocks = series.memory or (0, 0)
    return [
        size.amount(allocated) if series.memory else "",
        f"in {size.counted(blocks, 'block')}" if series.memory else "",
        f"peak {size.amount(series.peak)}" if series.peak is not None else "",
    ]


def _origin(series: "Series", each: str) -> str:
    """45 samples each of 2000 calls in 5 processes"""
    samples = f"{size.counted(series.count, 'sample')}{each}"
    calls = f" of {size.counted(series.loops, 'call')}" if series.loops > 1 else ""
    if len(series.groups) > 1 and series.count == len(series.groups):
        return f"{samples}{calls}, every one a process of its own"
    return f"{samples}{calls} in {size.counted(len(series.groups), 'process', 'processes')}"


def _empty(timing: "Timing") -> str:
    empty = max(series.empty for series in timing.series)
    if empty <= 0:
        return ""
    amount = Scale(empty * 1e9)
    number = f"{empty * 1e9:.1f}".removesuffix(".0") if amount.name == "ns" else ""
    return f", empty loop {f'{number} ns' if number else amount.text(empty * 1e9)} subtracted"


def _costs(timing: "Timing") -> list[str]:
    """The style of each candidate: how it compares with the cheapest."""
    medians = [of.median for of in timing.descriptions]
    least = min(medians)
    return [
        next(style for limit, style in _COSTS if median <= limit * max(least, 0.0) or limit > 1e9)
        for median in medians
    ]


# ---- verdicts ----


def _verdict(timing: "Timing", at: int) -> str:
    """Of candidate number `at`, beside the first."""
    candidate, of = name(at), timing.comparisons[at - 1]
    against = " than A" if len(timing.series) > 2 else ""
    if not all(0 < value < math.inf for value in (of.ratio, of.low, of.high)):
        if min(timing.descriptions[0].median, timing.descriptions[at].median) > 0:
            return f"unclear: too little is known to compare {candidate} with A"
        return f"{candidate} and A can not be compared: no time that can be measured"
    if of.verdict == "faster":
        return f"{candidate} is {_times('faster', against, of.ratio, of.low, of.high)}"
    if of.verdict == "slower":
        return f"{candidate} is {_times('slower', against, 1 / of.ratio, 1 / of.high, 1 / of.low)}"
    if of.verdict == "same":
        within = max(of.high, 1 / of.low) - 1
        return f"{candidate} takes as long as A, within {_ceiling(within)} (95%)"
    low, high = _side(of.low), _side(of.high)
    if low.split()[1] == high.split()[1]:  # faster and faster
        low = low.split()[0]
    return f"unclear: {candidate} is {low} to {high}{against} (95%)"


def change(of: "Compared") -> str:
    """What became of a candidate, from the first recording to the second.

    >>> from fettle._core import Compared
    >>> print(change(Compared((0.5, 0.4, 0.625, 20, "slower"))))
    2.00x slower (95%: 1.60 to 2.50)
    >>> print(change(Compared((1.0, 0.98, 1.01, 20, "unclear"))))
    unclear: between 1.020x slower and 1.010x faster (95%)
    """
    if not (0 < of.ratio < math.inf and of.low > 0 and of.high < math.inf):
        return "unclear: too few samples, or no time that can be measured"
    if of.verdict == "faster":
        return _times("faster", "", of.ratio, of.low, of.high)
    if of.verdict == "slower":
        return _times("slower", "", 1 / of.ratio, 1 / of.high, 1 / of.low)
    if of.verdict == "same":
        return f"as before, within {_ceiling(max(of.high, 1 / of.low) - 1)} (95%)"
    ends = [_side(of.low), _side(of.high)]
    if ends[0][-6:] == ends[1][-6:]:  # faster and faster
        ends[0] = ends[0][:-7]
    return f"unclear: between {' and '.join(ends)} (95%)"


def short(words: str) -> str:
    """What change() says, for a narrow terminal.

    >>> short("2.00x slower (95%: 1.60 to 2.50)"), short("unclear: too few samples")
    ('2.00x slower', 'unclear')
    """
    return words.partition(" (")[0].partition(":")[0]


def _times(word: str, against: str, ratio: float, low: float, high: float) -> str:
    """10.1x faster (95%: 9.8 to 10.4)"""
    places = _places(ratio, low)
    ends = f"{low:.{places}f} to {high:.{places}f}"
    return f"{ratio:.{places}f}x {word}{against} (95%: {ends})"


def _places(ratio: float, low: float) -> int:
    """Decimals of a ratio: three figures, and as many more as show that it is not 1."""
    places = 0 if ratio >= 100 else 1 if ratio >= 9.995 else 2
    while places < 6 and float(f"{low:.{places}f}") <= 1.0 < low:
        places += 1
    return places


def _side(ratio: float) -> str:
    """1.05x slower, 1.02x faster."""
    word, value = ("faster", ratio) if ratio >= 1 else ("slower", 1 / ratio)
    places = 3 if value < 1.1 else 2 if value < 9.995 else 1 if value < 99.95 else 0
    return f"{value:.{places}f}x {word}"


def _ceiling(share: float) -> str:
    """In percent, rounded up: a bound.

    >>> _ceiling(0.0061), _ceiling(0.006), _ceiling(0.0)
    ('0.7%', '0.6%', '0.1%')
    """
    return f"{max(math.ceil(round(share * 1000, 6)), 1) / 10:.1f}%"


# ---- a closer look ----


def _closer(letter: str, series: "Series", of: "Description", width: int, bar: str) -> "Lines":
    """What -v adds for one candidate."""
    label = one_line(series.label, max(width - 4, _LEAST_LABEL))
    scale = Scale(of.median * 1e9)
    ends = f"{scale.number(of.least * 1e9)} to {scale.text(of.most * 1e9)}"
    lines = [
        ("", ""),
        (f"{letter}  {label}" if letter else label, "cyan"),
        (f"  {_interval(of)}, spread {_percent(of.spread)}, all from {ends}", ""),
    ]
    samples = [value for group in series.groups for value in group]
    lines += [(f"  {line}", "") for line in histogram.lines(samples, scale, bar, width - 2)]
    if 1 < len(series.groups) < series.count:
        lines.append((f"  {_processes(series, scale)}", ""))
    if series.counters:
        counts = [f"{_count(value)} {what}" for what, value in series.counters.items()]
        lines.append((f"  a call: {', '.join(counts)}", ""))
    return lines


def _processes(series: "Series", scale: Scale) -> str:
    """What one process says and another does not: each, or the ends of many."""
    medians = [histogram.middle(group) * 1e9 for group in series.groups if group]
    if len(medians) <= FEW_PROCESSES:
        each = " ".join(map(scale.number, medians))
        return f"medians of the processes: {each} {scale.name}"
    ends = f"{scale.number(min(medians))} to {scale.text(max(medians))}"
    return f"medians of the {len(medians)} processes: from {ends}"


def _count(value: float) -> str:
    return size.grouped(round(value)) if value >= 99.5 else f"{value:.1f}"


def _bar(stream: "TextIO") -> str:
    """What bars are made of: a block where the encoding has it."""
    try:
        "\u2588".encode(stream.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return "#"
    return "#" if os.environ.get("TERM") == "dumb" else "\u2588"
