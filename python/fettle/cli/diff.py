# SPDX-License-Identifier: Apache-2.0
"""`fettle diff`: what grew between two recordings, or two points of one; what became slower."""

import os
import sys

from fettle import failon
from fettle.options import Option, help_lines, parse
from fettle.problem import CHECK_FAILED, UNREADABLE, USAGE, Problem

TYPE_CHECKING = False
if TYPE_CHECKING:
    from fettle._core import Profile
    from fettle.failon import Condition
    from fettle.options import Parsed
    from fettle.report.difftable import Choice
    from fettle.report.growth import Side

SUMMARY = "what grew, or became slower, between two recordings or two points of one"

OPTIONS = [
    Option("--peak", "order by the growth of what was alive at the highest point (the default)"),
    Option("--alive", "order by the growth of what is alive at the end"),
    Option("--total", "order by the growth of all that was allocated"),
    Option("-n --rows", "rows of a table (30; 0 for all)", "ROWS"),
    Option("--in", "only lines of files or modules that GLOB matches", "GLOB"),
    Option(
        "--fail-on",
        "exit with 1 if the memory grew by more: mem>1MB, mem>5%; time>5%",
        "CONDITIONS",
    ),
    Option("--html", "write both to OUT, one HTML file for a browser; - for stdout", "OUT"),
    Option("--no-source", "of --html: leave out the text of the program's files"),
]

KINDS = ("peak", "alive", "total")
MEMORY = ("mem", "memory")  # the word of --fail-on, and what it is
TIMES = ("time", "times")

HELP = f"""\
usage: fettle diff [OLD NEW] [OPTIONS]
       fettle diff FILE

Compares the memory of two recordings line by line: what grew, what shrank, what is new or gone.
Each may be FILE or FILE@POINT, where the program called fettle.mark("POINT"); @POINT:2 is the
second of that name, @end the end. Without OLD and NEW the newest recording here is compared with
the one before. One FILE that has points: what grew from point to point, and what grew at every one.

Of what `fettle time` saved: which statements, functions or commands became slower or faster, by how
much and how surely. time>5% fails where one is slower by more than 5 % for sure: the whole 95 %
interval is beyond it.

{help_lines(OPTIONS)}

  fettle diff                              app.prev.fettle and app.fettle
  fettle diff monday.fettle tuesday.fettle --fail-on 'mem>1MB,mem>5%'
  fettle diff app@loaded app@end
  fettle diff --fail-on 'time>5%'          time.prev.fettle and time.fettle
  fettle diff app                          its points
  fettle diff --html diff.html             side by side, in a browser"""


def main(words: list[str]) -> int:
    parsed = parse("diff", OPTIONS, words, mixed=True)
    kinds = [kind for kind in KINDS if kind in parsed.values]
    if len(kinds) > 1:
        raise Problem(USAGE, f"--{kinds[0]} and --{kinds[1]} are two orders; ask for one.")
    if len(parsed.words) > 2:
        raise Problem(USAGE, "fettle diff compares two; `fettle diff --help` says more.")
    if parsed.values.keys() & {"html", "no-source"}:
        from fettle.html import comparison

        comparison.write_asked(parsed)
        return 0
    rows = parsed.number("rows", 30)
    conditions = failon.read(parsed.values["fail-on"]) if "fail-on" in parsed.values else []

    from fettle.report import difftable

    choice = difftable.Choice(rows, kinds[0] if kinds else "peak", parsed.values.get("in", ""))
    opened = _Opened()
    sides = _sides(opened, parsed.words)
    kind = _kind([side.name for side in sides], [side.profile for side in sides])
    failon.need(conditions, *kind)
    if kind == TIMES:
        _compare_times(opened, sides, parsed, conditions)
    elif len(sides) == 1:
        _points(opened, sides[0], choice, conditions)
    else:
        old, new = sides
        remarks = difftable.show(old, new, choice, sys.stdout)
        opened.say(remarks)
        check(conditions, old, new)
    return 0


class _Opened:
    """Recordings by path, each read once: points of one are points of one."""

    def __init__(self) -> None:
        self._profiles: dict[str, Profile] = {}
        self._remarks: list[str] = []

    def profile(self, path: str) -> "Profile":
        """Problem if there is neither memory nor a timing in it."""
        from fettle import recording
        from fettle.report.names import visible

        if path not in self._profiles:
            found = recording.open_one(path)
            self._remarks += found.remarks
            if not found.profile.heaps() and not found.profile.timings():
                raise Problem(
                    CHECK_FAILED,
                    f"fettle diff compares memory or timings, and {visible(path)} has neither;"
                    " record it with `fettle run -M` or `fettle time`.",
                )
            self._profiles[path] = found.profile
        return self._profiles[path]

    def say(self, remarks: list[str]) -> None:
        """What must be known to read the tables right."""
        from fettle.report import notes, screen

        said = [sentence for each in self._profiles.values() for sentence in notes.sentences(each)]
        screen.sentences(list(dict.fromkeys([*self._remarks, *remarks, *said])), sys.stdout)


def _kind(names: list[str], profiles: "list[Profile]") -> tuple[str, str]:
    """What all of them hold: memory, else timings. Problem if they hold different things."""
    from fettle.report.names import visible

    if all(profile.heaps() for profile in profiles):
        return MEMORY
    if all(profile.timings() for profile in profiles):
        return TIMES
    held = [
        f"{visible(name)} holds {'memory' if profile.heaps() else 'timings'}"
        for name, profile in zip(names, profiles, strict=True)
    ]
    raise Problem(USAGE, f"{' and '.join(held)}, which can not be compared; name two of one kind.")


def _compare_times(
    opened: _Opened, sides: "list[Side]", parsed: "Parsed", conditions: "list[Condition]"
) -> None:
    from fettle.report import timingdiff

    for key in [*KINDS, "in"]:
        if key in parsed.values:
            raise Problem(USAGE, f"--{key} is of the memory, and these are timings; leave it out.")
    old, new = sides
    changes = timingdiff.matched(old.profile, new.profile)
    both = [(side.name, side.profile) for side in (old, new)]
    timingdiff.show(changes, both, parsed.number("rows", 30), sys.stdout)
    opened.say([])
    timingdiff.check(conditions, changes)


def _sides(opened: _Opened, words: list[str]) -> "list[Side]":
    """Two to compare; or one whose points are asked for."""
    from fettle import output, recording
    from fettle.report import pointtable
    from fettle.report.growth import Side

    if len(words) == 2:
        return [_side(opened, word) for word in words]
    path, point = _parted(words[0]) if words else (recording.newest("."), "")
    profile = opened.profile(path)
    if point:
        if pointtable.find(profile, point, path) is None:
            raise Problem(USAGE, f"{words[0]} is the end of {path}; name a point before it too.")
        return [_side(opened, words[0]), Side(f"{path}@{pointtable.END}", profile)]
    has_points = profile.heaps() and profile.points()
    if words and has_points:
        return [Side(path, profile)]
    before = output.previous(path)
    if os.path.isfile(before):
        return [Side(before, opened.profile(before)), Side(path, profile)]
    if has_points:
        return [Side(path, profile)]
    hint = " or put fettle.mark('NAME') into the program"
    if profile.timings():
        hint = " or run `fettle time` again"
    raise Problem(
        UNREADABLE,
        f"there is no {before} to compare {path} with, and it has no points; name two recordings,"
        f"{hint}.",
    )


def _side(opened: _Opened, word: str) -> "Side":
    """What FILE or FILE@POINT means."""
    from fettle.report import pointtable
    from fettle.report.growth import Side

    path, point = _parted(word)
    profile = opened.profile(path)
    if not point:
        return Side(path, profile)
    return Side(f"{path}@{point}", profile, pointtable.find(profile, point, path))


def _parted(word: str) -> tuple[str, str]:
    """The path of a recording, and a point of it or "". Both may have an @ in them: the first part
    that is a file is the file."""
    from fettle import recording

    ends = [at for at, letter in enumerate(word) if letter == "@"]
    for end in [*ends, len(word)]:
        path = recording.named(word[:end])
        if path and os.path.isfile(path) and (end == len(word) or word[end + 1 :]):
            return path, word[end + 1 :]
    if ends and (ends[0] == 0 or ends[-1] == len(word) - 1):
        raise Problem(USAGE, f"{word!r} needs a recording and a point: FILE@POINT.")
    end = ends[-1] if ends else len(word)
    return recording.named(word[:end]), word[end + 1 :]


def _points(opened: _Opened, side: "Side", choice: "Choice", conditions: "list[Condition]") -> None:
    from fettle.report import pointtable
    from fettle.report.growth import Side

    opened.say(pointtable.show(side.profile, side.name, choice, sys.stdout))
    first = side.profile.points()[0].name
    check(conditions, Side(first, side.profile, pointtable.find(side.profile, first, "")), side)


def check(conditions: "list[Condition]", old: "Side", new: "Side") -> None:
    """Problem with exit code 1 for those that are met."""
    from fettle.report import difftable, size

    is_of_points = old.points is not None or new.points is not None
    what = "alive" if is_of_points else "peak"
    before, now = old.bytes(what), new.bytes(what)
    failed = [condition.text for condition in conditions if condition.failed(before, now)]
    if failed:
        share = f" ({difftable.ratio(before, now)})" if before else ""
        word = "what was alive" if is_of_points else "the peak"
        raise Problem(
            CHECK_FAILED,
            f"{word} grew by {size.amount(now - before)}{share}: {', '.join(failed)} was asked to"
            " fail; the first lines of the table grew most.",
        )
