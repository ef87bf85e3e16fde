# SPDX-License-Identifier: Apache-2.0
"""`fettle diff`: what is called more often, takes longer, or takes more memory than before."""

import sys

from fettle import failon
from fettle.options import Option, help_lines, parse
from fettle.problem import USAGE, Problem

TYPE_CHECKING = False
if TYPE_CHECKING:
    from fettle.diffing import page
    from fettle.options import Parsed

SUMMARY = "what changed between two recordings: calls, lines, memory, objects, times"

OPTIONS = [
    Option("--calls", "functions: calls, own and cumulative time, waiting; what is new or gone"),
    Option("--lines", "lines: hits and time"),
    Option("--mem", "memory by line"),
    Option("--objects", "types: how many objects were alive at the end, and their bytes"),
    Option("--times", "what `fettle time` saved (with none of these: all that both hold)"),
    Option("--vs", "between the recordings of the old and of the new side, several of each"),
    Option("-s --sort", "order by the change of KEY, the largest first (own, time or peak)", "KEY"),
    Option("--peak", "of the memory: order by what was alive at the highest point (the default)"),
    Option("--alive", "of the memory: by what is alive at the end"),
    Option("--total", "of the memory: by all that was allocated"),
    Option("-n --rows", "rows of a table (30; 0 for all)", "ROWS"),
    Option("--in", "only functions and lines of files or modules that GLOB matches", "GLOB"),
    Option(
        "--fail-on", "exit with 1 if more grew: calls>0, hits>1%, time>5%, mem>1MB", "CONDITIONS"
    ),
    Option("--html", "write both to OUT, one HTML file for a browser; - for stdout", "OUT"),
    Option("--no-source", "of --html: leave out the text of the program's files"),
]

PARTS = ("calls", "lines", "mem", "objects", "times")
KINDS = ("peak", "alive", "total")  # of memory
SORTS = {
    "calls": "calls",
    "ncalls": "calls",
    "hits": "hits",
    "own": "own",
    "tottime": "own",
    "time": "own",
    "cumulative": "cumulative",
    "cumtime": "cumulative",
    "waiting": "waiting",
    "peak": "peak",
    "alive": "alive",
    "total": "total",
}

HELP = f"""\
usage: fettle diff [OLD NEW] [OPTIONS]
       fettle diff OLD... --vs NEW... [OPTIONS]
       fettle diff FILE

Compares two recordings: functions and lines, what was called more or less often and took longer or
shorter, what is new or gone; memory by line; types; and what `fettle time` saved. Without OLD and
NEW the newest recording here is compared with the one before. Functions are the same by file and
name, lines by their text, wherever they stand now. OLD and NEW may be what cProfile wrote.

Counts are exact. The time of one run proves nothing: record several with `fettle run --repeat 5`,
or name several recordings on each side, and each time has an interval of 95 % and a verdict.

FILE@POINT is the memory at fettle.mark("POINT"); @POINT:2 is the second of that name, @end the
end. One FILE that has points: what grew from point to point, and what grew at every one.

{help_lines(OPTIONS)}

KEY is one of {", ".join(dict.fromkeys(SORTS.values()))}.
CONDITIONS are of the sum of what is compared, with commas between them: calls>0, hits>1000, mem>5%,
objects>100, time>5%. Where runs differ, each of the new side must be above each of the old one; a
time must be longer by more than that for sure, the whole interval beyond it.

  fettle diff                              app.prev.fettle and app.fettle
  fettle diff monday.fettle tuesday.fettle --calls -s calls --in 'shop/*'
  fettle diff --fail-on 'calls>0,mem>5%'
  fettle diff a1.fettle a2.fettle --vs b1.fettle b2.fettle
  fettle diff app@loaded app@end           two points of the memory
  fettle diff app                          its points
  fettle diff --html diff.html             side by side, in a browser"""


def main(words: list[str]) -> int:
    olds, news = _parsed(words)
    parsed = olds
    if news is not None:
        for key, values in news.given.items():
            for value in values:
                parsed.take(key, value)
    _check(parsed)
    if parsed.values.keys() & {"html", "no-source"}:
        from fettle.html import comparison

        comparison.write_asked(parsed, None if news is None else news.words)
        return 0
    conditions = failon.read(parsed.values["fail-on"]) if "fail-on" in parsed.values else []

    from fettle.diffing import opening, page

    opened = opening.Opened()
    sides = opened.sides(parsed.words, None if news is None else news.words)
    if len(sides) == 1:
        page.points(sides[0], _choice(parsed), conditions, opened, sys.stdout)
    else:
        page.show(sides[0], sides[1], _choice(parsed), conditions, opened, sys.stdout)
    return 0


def _parsed(words: list[str]) -> "tuple[Parsed, Parsed | None]":
    """What stands before --vs, and what after it (None: there is none)."""
    table = [option for option in OPTIONS if option.key != "vs"]
    if "--vs" not in words:
        parsed = parse("diff", table, words, mixed=True)
        if len(parsed.words) > 2:
            raise Problem(
                USAGE,
                "fettle diff compares two; for several recordings of each write OLD... --vs NEW...",
            )
        return parsed, None
    at = words.index("--vs")
    if "--vs" in words[at + 1 :]:
        raise Problem(USAGE, "fettle diff compares two sides; write --vs once.")
    old = parse("diff", table, words[:at], mixed=True)
    new = parse("diff", table, words[at + 1 :], mixed=True)
    if not old.words or not new.words:
        raise Problem(USAGE, "--vs stands between recordings: fettle diff OLD... --vs NEW...")
    return old, new


def _check(parsed: "Parsed") -> None:
    kinds = [kind for kind in KINDS if kind in parsed.values]
    if len(kinds) > 1:
        raise Problem(USAGE, f"--{kinds[0]} and --{kinds[1]} are two orders; ask for one.")
    key = parsed.values.get("sort", "own")
    if key not in SORTS:
        raise Problem(USAGE, f"-s needs one of {', '.join(SORTS)}, not {key!r}.")
    if kinds and "sort" in parsed.values and key in KINDS and key != kinds[0]:
        raise Problem(USAGE, f"-s {key} and --{kinds[0]} are two orders; ask for one.")
    parsed.number("rows", 30)


def _choice(parsed: "Parsed") -> "page.Choice":
    from fettle.diffing import page

    key = SORTS[parsed.values["sort"]] if "sort" in parsed.values else ""
    kinds = [kind for kind in KINDS if kind in parsed.values or kind == key]
    return page.Choice(
        parts=frozenset(part for part in PARTS if part in parsed.values),
        rows=parsed.number("rows", 30),
        key=key,
        kind=kinds[0] if kinds else "peak",
        within=parsed.values.get("in", ""),
        orders_memory=bool(kinds),
    )
