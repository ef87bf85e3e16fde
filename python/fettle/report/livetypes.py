# SPDX-License-Identifier: Apache-2.0
"""What types are alive at the end, by the line that made them, and what __slots__ would save."""

from fettle import invocation
from fettle.report import columns, names, screen, sitelines, size

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TextIO

    from fettle._core import ClassRow, Profile, SiteRow
    from fettle.report.memory import Choice

OLDER = "(before the recording)"
NO_OBJECTS = (
    "no objects were recorded: the program was killed, or a fettle without this wrote the recording"
    "; record a run that ends by itself."
)

LEAST_SAVED = 0.001  # of all live objects: classes that would save less are counted only
LEAST_TOLD = 0.01  # likewise of classes that can not have slots: what they hold

Key = tuple[str, "sitelines.Key | None"]


def show(
    profile: "Profile",
    sites: "list[SiteRow]",
    choice: "Choice",
    files: names.Files,
    stream: "TextIO",
) -> list[str]:
    """Prints both tables. Gives what must be said below them."""
    found = profile.objects()
    if not found:
        return [NO_OBJECTS]
    groups = _groups(profile, sites, choice.within, files)
    ordered = sorted(groups.values(), key=_order)
    shown = ordered[: choice.rows] if choice.rows else ordered
    rows = [[size.amount(one.bytes), size.grouped(one.count), one.type, one.place] for one in shown]
    head, *lines = columns.aligned(["alive", "objects", "type", sitelines.HEAD], rows)
    left = len(ordered) - len(shown)
    rest = f" {size.counted(left, 'more row')}; -n 0 shows all" if left else ""
    body = [(head, "cyan"), *((line, "") for line in lines), *[(rest, "foot")] * bool(rest)]
    advice = [] if choice.within else _advice(profile, choice.rows)
    screen.styled([*body, *((line, style) for line, style in advice)], stream)
    return _missing(profile)


def _order(one: "_Group") -> tuple[bool, int, int, str, str]:
    """The largest first, and below them what no recorded line made: of that there is much."""
    return one.place == OLDER, -one.bytes, -one.count, one.type, one.place


def _missing(profile: "Profile") -> list[str]:
    """Objects are counted when a process ends: one that is killed has none."""
    recorded = {heap.process for heap in profile.heaps()}
    told = {row.process for row in profile.objects()} | {row.process for row in profile.classes()}
    left = len(recorded - told)
    if left == 0:
        return []
    return [
        f"{size.counted(left, 'process', 'processes')} of {len(recorded)} left no objects: killed,"
        " or ended by os._exit as multiprocessing's workers are; end them otherwise to see theirs."
    ]


class _Group:
    """The live objects of one type that one line made."""

    __slots__ = ("bytes", "count", "place", "type")

    def __init__(self, type: str, place: str) -> None:
        self.type = names.visible(type)
        self.place = place
        self.count = self.bytes = 0


def main_modules(profile: "Profile") -> list[str]:
    """What each process's `__main__` is, as somebody would import it; "" where it is no file."""
    names_of = []
    for process in profile.processes():
        found = invocation.parse(list(process.command))
        is_named = found.kind in {"script", "module"}
        names_of.append(found.name() if is_named else "")
    return names_of


def named(type: str, process: int, mains: list[str]) -> str:
    """build.P for __main__.P of build.py."""
    module, dot, rest = type.partition(".")
    main = mains[process] if process < len(mains) else ""
    return f"{main}.{rest}" if dot and main and module == "__main__" else type


def _groups(
    profile: "Profile", sites: "list[SiteRow]", within: str, files: names.Files
) -> dict[Key, _Group]:
    """All processes together. Problem if nothing is within."""
    groups: dict[Key, _Group] = {}
    mains = main_modules(profile)
    for row in profile.objects():
        site = sites[row.site] if row.site >= 0 else None
        if within and (site is None or not files.match(site, within)):
            continue
        type = named(row.type, row.process, mains)
        key = (type, sitelines.key_of(site) if site else None)
        group = groups.get(key)
        if group is None:
            place = sitelines.label(site, files) if site else OLDER
            group = groups[key] = _Group(type, place)
        group.count += row.count
        group.bytes += row.bytes
    if within and not groups:
        raise names.no_match(within)
    return groups


class _Class:
    """A class over all processes."""

    __slots__ = ("bytes", "instances", "plain", "slotted", "type", "why")

    def __init__(self, type: str, row: "ClassRow") -> None:
        self.type, self.why = type, row.why
        self.plain, self.slotted = row.plain, row.slotted
        self.instances = self.bytes = 0

    def saved(self) -> int:
        return self.instances * max(self.plain - self.slotted, 0) if self.slotted else 0

    def matters(self, whole: int) -> bool:
        """Is it a part worth a line of the bytes of all objects?"""
        saved = self.saved()
        return saved >= LEAST_SAVED * whole if saved else self.bytes >= LEAST_TOLD * whole

    def sentence(self) -> str:
        """build.P: 50 000 instances, 80 B each; with __slots__ 40 B each: saves 2.0 MB"""
        start = (
            f"{names.visible(self.type)}: {size.counted(self.instances, 'instance')},"
            f" {size.amount(self.plain)} each"
        )
        if not self.slotted:
            return f"{start}; no __slots__: {names.visible(self.why)}"
        saved = size.amount(self.saved())
        return f"{start}; with __slots__ {size.amount(self.slotted)} each: saves {saved}"


def _advice(profile: "Profile", most: int) -> list[tuple[str, str]]:
    """What would save the most comes first, then the largest of those that can not; with most = 0
    all of them, else what matters. Nothing is said of a class that has its slots already."""
    found: dict[tuple[str, int, int, str], _Class] = {}
    mains = main_modules(profile)
    for row in profile.classes():
        type = named(row.type, row.process, mains)
        one = found.setdefault((type, row.plain, row.slotted, row.why), _Class(type, row))
        one.instances += row.instances
        one.bytes += row.bytes
    classes = [one for one in found.values() if one.saved() or (one.why and not one.slotted)]
    classes.sort(key=lambda one: (-one.saved(), -one.bytes, one.type))
    whole = sum(row.bytes for row in profile.objects())
    shown = [one for one in classes if not most or one.matters(whole)][: most or None]
    left = len(classes) - len(shown)
    rest = f" {size.counted(left, 'more class', 'more classes')}; -n 0 shows all" if left else ""
    lines = [(one.sentence(), "yellow" if one.saved() else "dim") for one in shown]
    return [*lines, *[(rest, "foot")] * bool(rest)]
