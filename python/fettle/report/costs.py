# SPDX-License-Identifier: Apache-2.0
"""The price list of constructs: a table of one interpreter or of several, and JSON."""

import json
import time

from fettle.report import screen, size, span
from fettle.report.columns import no_room
from fettle.report.names import shortened, visible

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import TextIO

    from fettle.timing.costs import Cost, Costs

    Lines = list[tuple[str, str]]  # each with its style

WIDE = 0.1  # from this spread on it is said
MUCH = 10.0  # times the base of the group: stands out
JUST_NOW = 60.0  # seconds
_LEAST = 24  # columns for names
_SHORTEST = 8  # of a name that is cut
_PRICE = 10
_NUMBERS = 22  # columns: price and ratio
_SPREAD = 7
_NARROW = 60  # columns of a terminal without room for the spread


def show(several: "Sequence[Costs]", stream: "TextIO") -> None:
    """One interpreter, or the first beside the others."""
    screen.styled(_lines(several, screen.room(stream)), stream)


def text(several: "Sequence[Costs]") -> str:
    return "\n".join(line for line, _ in _lines(several))


def _lines(several: "Sequence[Costs]", room: int | None = None) -> "Lines":
    body = _alone(several[0], room) if len(several) == 1 else _beside(several, room)
    return [*body, *((_foot(each), "foot") for each in several)]


def _foot(costs: "Costs") -> str:
    from fettle.timing.interpreters import processor

    ago = time.time() - costs.measured
    when = f"{span.said(ago)} ago" if ago >= JUST_NOW else "just now"
    lacks = f", which lacks {size.counted(len(costs.skipped), 'construct')}" * bool(costs.skipped)
    return (
        f"Python {costs.interpreter.number}{lacks}, {visible(processor())}: "
        f"measured {when}; --again measures anew"
    )


def _alone(costs: "Costs", room: int | None) -> "Lines":
    lines: Lines = []
    is_narrow = room is not None and room < _NARROW
    group, numbers = "", _NUMBERS if is_narrow else _NUMBERS + _SPREAD
    width = _width([cost.name for cost in costs], room, numbers)
    for cost in costs:
        if cost.group != group:
            group = cost.group
            lines.append((group, "bold"))
        name, ratio = shortened(cost.name, width), times(cost.ratio)
        wide = "" if is_narrow or cost.spread < WIDE else f"+-{100 * cost.spread:.0f}%"
        line = f" {name:<{width}} {nanoseconds(cost.nanoseconds):>9} ns {ratio:>8}  {wide}"
        lines.append((line.rstrip(), "yellow" if (cost.ratio or 0.0) >= MUCH else ""))
    return [*lines, (f" {no_room(['the spread'])}", "foot")] if is_narrow else lines


def _beside(several: "Sequence[Costs]", room: int | None) -> "Lines":
    """A column for each; after each but the first, how many times the first's price it is."""
    heads = labels(several)
    widths = [max(_PRICE, len(head)) for head in heads]
    cells = [f"{head:>{width}}" for head, width in zip(heads, widths, strict=True)]
    names = dict.fromkeys((cost.group, cost.name) for costs in several for cost in costs)
    left = _width([name for _, name in names], room, sum(widths) + 9 * len(widths) - 7)
    lines = [(f" {'':<{left}} {_joined(cells, ['  ratio'] * len(cells))}", "cyan")]
    group = ""
    for each, name in names:
        if each != group:
            group = each
            lines.append((group, "bold"))
        row = [costs.get(name) for costs in several]
        cells = [f"{_price(cost):>{width}}" for cost, width in zip(row, widths, strict=True)]
        ratios = [f"{times(_to_first(row[0], cost)):>7}" for cost in row]
        lines.append(
            (f" {shortened(name, left):<{left}} {_joined(cells, ratios)}".rstrip(), _style(row))
        )
    return lines


def _width(names: list[str], room: int | None, numbers: int) -> int:
    """Of names beside so many columns of numbers; a terminal cuts names rather than prices."""
    widest = max(_LEAST, *map(len, names), 0)
    return widest if room is None else min(widest, max(room - numbers - 2, _SHORTEST))


def labels(several: "Sequence[Costs]") -> list[str]:
    """Versions; with the path where two are the same."""
    numbers = [costs.interpreter.number for costs in several]
    return [
        number if numbers.count(number) == 1 else f"{number} {visible(costs.interpreter.path)}"
        for number, costs in zip(numbers, several, strict=True)
    ]


def _joined(cells: list[str], ratios: list[str]) -> str:
    return " ".join([cells[0], *(f"{a} {b}" for a, b in zip(cells[1:], ratios[1:], strict=True))])


def _price(cost: "Cost | None") -> str:
    return f"{nanoseconds(cost.nanoseconds)} ns" if cost else "-"


def _to_first(first: "Cost | None", cost: "Cost | None") -> float | None:
    if first is None or cost is None or first.nanoseconds <= 0:
        return None
    return cost.nanoseconds / first.nanoseconds


def _style(row: "Sequence[Cost | None]") -> str:
    """Slower than the first stands out, and faster: where the intervals are apart."""
    first = row[0]
    if first is not None and any(cost and cost.low > first.high for cost in row):
        return "yellow"
    return "cyan" if first is not None and any(c and c.high < first.low for c in row) else ""


def as_json(several: "Sequence[Costs]") -> str:
    """A list of {group, name, nanoseconds, low, high}; of several, each with its interpreter."""
    rows = [_row(cost, costs, len(several) > 1) for costs in several for cost in costs]
    return json.dumps(rows, indent=2)


def _row(cost: "Cost", costs: "Costs", several: bool) -> "dict[str, str | float]":
    row: dict[str, str | float] = {
        "group": cost.group,
        "name": cost.name,
        "nanoseconds": round(cost.nanoseconds, 3),
        "low": round(cost.low, 3),
        "high": round(cost.high, 3),
    }
    if several:
        row["interpreter"] = f"{costs.interpreter.number} {costs.interpreter.path}"
    return row


def nanoseconds(value: float) -> str:
    """With the digits that make sense.

    >>> nanoseconds(2.34), nanoseconds(23.4), nanoseconds(310.2), nanoseconds(14437.0)
    ('2.3', '23', '310', '14 400')
    """
    if value < 9.95:
        return f"{value:.1f}"
    return size.grouped(round(float(f"{value:.3g}")))


def times(ratio: float | None) -> str:
    """
    >>> times(1.0), times(0.52), times(0.021), times(14.4), times(None)
    ('1.0x', '0.5x', '0.02x', '14x', '')
    """
    if ratio is None:
        return ""
    digits = 0 if ratio >= 9.95 else 1 if ratio >= 0.095 else 2
    return f"{ratio:.{digits}f}x"
