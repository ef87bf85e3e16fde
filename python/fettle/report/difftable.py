# SPDX-License-Identifier: Apache-2.0
"""What grew and what shrank from one side to the other: by line, and by type."""

from fettle.report import columns, growth, livetypes, names, screen, sitelines, size
from fettle.report.listing import Recorded

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import TextIO

    from fettle._core import Profile
    from fettle.report.growth import Growth, Side

_WIDEST_SOURCE = 60
_LEAST_CHANGE = 0.01  # of the largest: types that changed less are left out
LEAST_SHARE = 0.0005  # from which on a change is 0.1 %
_LEAST_TYPE = 0.001  # of all that is alive: likewise


class Choice:
    """What of a comparison to show."""

    __slots__ = ("kind", "parts", "rows", "within")

    def __init__(
        self,
        rows: int = 30,
        kind: str = "peak",
        within: str = "",
        parts: "frozenset[str]" = frozenset({"mem", "objects"}),
    ) -> None:
        self.parts = parts  # "mem": the lines, "objects": the types
        self.rows = rows  # of each table (0: all)
        self.kind = kind  # of sitelines.KINDS: what the lines are ordered by
        self.within = within  # GLOB


def show(old: "Side", new: "Side", choice: Choice, stream: "TextIO") -> list[str]:
    """Prints the comparison. Gives what must be said below it."""
    is_of_points = old.points is not None or new.points is not None
    kinds = ("alive",) if is_of_points else _kinds(choice.kind)
    screen.styled([(heading(old, new, kinds), "bold")], stream)
    remarks = by_line(old, new, choice, kinds, stream) if "mem" in choice.parts else []
    if "objects" in choice.parts and not is_of_points and not choice.within:
        has_any = _by_type(old.profile, new.profile, choice.rows, stream)
        if not has_any and "mem" not in choice.parts:
            screen.styled([("no type changed", "")], stream)
    if old.is_estimate() or new.is_estimate():
        remarks.append(
            "sampled memory is an estimate: what changed by little may not have changed at all."
        )
    return remarks


def _kinds(first: str) -> tuple[str, ...]:
    """What the lines are ordered by, and peak and alive."""
    return tuple(dict.fromkeys((first, "peak", "alive")))


def heading(old: "Side", new: "Side", kinds: "Sequence[str]") -> str:
    """old.fettle -> new.fettle: peak 4.8 MB -> 7.2 MB (+2.4 MB, +50.0 %); alive ..."""
    parts = [f"{kind} {_change(old.bytes(kind), new.bytes(kind))}" for kind in kinds]
    return f"{names.visible(old.name)} -> {names.visible(new.name)}: {'; '.join(parts)}"


def _change(before: int, now: int) -> str:
    share = (
        f", {ratio(before, now)}" if before and abs(now - before) >= LEAST_SHARE * before else ""
    )
    change = size.change(now - before)
    return f"{size.amount(before)} -> {size.amount(now)} ({change}{share})"


def ratio(before: int, now: int) -> str:
    """By what part it changed, or how many times as much it is.

    >>> ratio(200, 300), ratio(200, 100), ratio(1, 3000)
    ('+50.0 %', '-50.0 %', '3 000 times')
    """
    if now > 10 * before:
        return f"{size.grouped(round(now / before))} times"
    return f"{100 * (now - before) / before:+.1f} %"


def by_line(
    old: "Side", new: "Side", choice: Choice, kinds: tuple[str, ...], stream: "TextIO"
) -> list[str]:
    """Prints the lines that changed, those that grew most first and those that shrank most last."""
    lines, remarks = growth.matched(old, new)
    files = names.Files([one.line().file for one in lines])
    if choice.within:
        lines = [one for one in lines if files.match(one.line(), choice.within)]
        if not lines:
            raise names.no_match(choice.within)
    changed = [one for one in lines if any(one.bytes(kind) for kind in kinds)]
    changed.sort(key=lambda one: [-abs(one.bytes(kind)) for kind in kinds])
    shown = changed[: choice.rows] if choice.rows else changed
    shown.sort(key=lambda one: _order(one, kinds))
    sources = Recorded(old.profile), Recorded(new.profile)

    def lay_out(kinds: tuple[str, ...]) -> "columns.Table":
        head = [word for kind in kinds for word in (kind, "now", "blocks")]
        return [*head, "", sitelines.HEAD, ""], [
            _cells(one, kinds, files, sources) for one in shown
        ]

    printed, left_out = columns.fitted(kinds, screen.room(stream), lay_out)
    styles = ["cyan", *("yellow" if one.bytes(kinds[0]) > 0 else "" for one in shown)]
    body = list(zip(printed, styles, strict=True)) if shown else [("no line changed", "")]
    note = sitelines.no_room(left_out) if shown else ""
    left = len(changed) - len(shown)
    rest = f"{size.counted(left, 'more line')} changed; -n 0 shows all" if left else ""
    screen.styled([*body, *((f" {line}", "foot") for line in (rest, note) if line)], stream)
    return remarks


def _order(one: "Growth", kinds: "Sequence[str]") -> tuple[list[int], str, int]:
    line = one.line()
    return [-one.bytes(kind) for kind in kinds], line.file, line.line


def _cells(
    one: "Growth", kinds: "Sequence[str]", files: names.Files, sources: "tuple[Recorded, Recorded]"
) -> list[str]:
    """Blank is no change, or nothing there."""
    cells: list[str] = []
    for kind in kinds:
        grew, blocks, now = one.bytes(kind), one.blocks(kind), one.now(kind)
        cells += [
            size.change(grew) if grew else "",
            size.amount(now) if now else "",
            f"{'+' * (blocks > 0)}{size.grouped(blocks)}" if blocks else "",
        ]
    line = one.line()
    text = sources[one.new is not None].line(line.file, line.line)
    news = one.news(kinds[0])
    return [*cells, news, sitelines.label(line, files), names.shortened(text, _WIDEST_SOURCE)]


def _by_type(old: "Profile", new: "Profile", most: int, stream: "TextIO") -> bool:
    """Which types grew: of what was alive at the end. False: none, or that is not known."""
    before, now = types(old), types(new)
    if not before or not now:
        return False
    changes = {
        name: [now.get(name, (0, 0))[at] - before.get(name, (0, 0))[at] for at in (0, 1)]
        for name in before | now
    }
    largest = max(abs(change[1]) for change in changes.values())
    alive = sum(each[1] for each in now.values())
    least = max(1, _LEAST_CHANGE * largest, _LEAST_TYPE * alive)
    kept = [name for name, change in changes.items() if abs(change[1]) >= least]
    kept.sort(key=lambda name: (-abs(changes[name][1]), name))
    shown = sorted(kept[:most] if most else kept, key=lambda name: (-changes[name][1], name))
    rows = [
        [
            size.change(changes[name][1]),
            size.amount(now[name][1]) if name in now else "",
            f"{'+' * (changes[name][0] > 0)}{size.grouped(changes[name][0])}",
            names.visible(name),
        ]
        for name in shown
    ]
    if rows:
        printed = columns.aligned(["alive", "now", "objects", "type"], rows, texts=1)
        screen.styled(list(zip(printed, ["cyan", *[""] * len(rows)], strict=True)), stream)
    return bool(rows)


def types(profile: "Profile") -> dict[str, tuple[int, int]]:
    """Objects and bytes of each type at the end, of those that the recording saw made."""
    found: dict[str, tuple[int, int]] = {}
    mains = livetypes.main_modules(profile)
    for row in profile.objects():
        if row.site < 0:
            continue
        type = livetypes.named(row.type, row.process, mains)
        count, amount = found.get(type, (0, 0))
        found[type] = (count + row.count, amount + row.bytes)
    return found
