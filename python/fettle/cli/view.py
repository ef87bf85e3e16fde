# SPDX-License-Identifier: Apache-2.0
"""`fettle view`: shows recordings."""

import os
import sys

from fettle.options import Option, Parsed, help_lines, parse
from fettle.problem import USAGE, Problem
from fettle.report import order
from fettle.report.unit import Unit

TYPE_CHECKING = False
if TYPE_CHECKING:
    from fettle.recording import Recording, Summary
    from fettle.report import flat

SUMMARY = "show a recording, or several as one"

OPTIONS = [
    Option("--calls", "the table of functions"),
    Option("--lines", "the lines of each function"),
    Option("--mem", "memory by line (with none of --calls --lines --mem: what there is)"),
    Option("--objects", "what types are alive and where they were made; what __slots__ would save"),
    Option("--timeline", "live bytes and the process's memory (RSS) over time"),
    Option("--peak", "of the memory: the lines with the most at the highest point first"),
    Option("--alive", "of the memory: those with the most alive at the end"),
    Option("--total", "of the memory: those that allocated the most"),
    Option("--temporary", "of the memory: those with the most that was freed at once"),
    Option("--callers", "who called the functions that F means", "F"),
    Option("--callees", "whom the functions that F means called", "F"),
    Option("--tree", "the call tree, folded where it takes little; --mem --tree: of the memory"),
    Option("--fold", "of the tree: fold what takes less than PERCENT of all (1)", "PERCENT"),
    Option("-s --sort", "sort by KEY (cumulative); of the tree, what one function called", "KEY"),
    Option("-r --reverse", "sort the other way round"),
    Option("-n --rows", "rows or line tables (30; of a tree the 60 heaviest; 0: all)", "ROWS"),
    Option("-p --percent", "shares of all time in place of times per call"),
    Option("--in", "only functions of files or modules that GLOB matches", "GLOB"),
    Option("-u --unit", "of lines: all times in s, ms, us, ns or a number of seconds", "UNIT"),
    Option("-z --skip-zero", "of lines: leave out functions that never ran"),
    Option("-t --by-time", "of lines: the function that took the most time first"),
    Option("--summary", "of lines: one line for each function"),
    Option("--links", "on a terminal: names of functions are links to their files"),
    Option("--html", "write all of it to OUT, one HTML file for a browser; - for stdout", "OUT"),
    Option("--no-source", "of --html: leave out the text of the program's files"),
]

MEMORY = ("mem", "objects", "timeline")
REPORTS = ("calls", "lines", *MEMORY, "callers", "callees", "tree")
TABLES = {"calls", "lines", *MEMORY}  # one may have several
OF_LINES = ("unit", "skip-zero", "by-time", "summary")
OF_CALLS = ("sort", "reverse", "percent")
KINDS = ("peak", "alive", "total", "temporary")

HELP = f"""\
usage: fettle view [FILE...] [OPTIONS]

Shows the recording in FILE, several as one, or the newest one in this folder. FILE may also be what
`fettle time` saved, or cProfile or line_profiler wrote.

{help_lines(OPTIONS)}

KEY is one of {order.listing(9)};
several with commas between them. F is NAME, CLASS.NAME, FILE:NAME, MODULE:NAME, FILE:LINE, FILE or
MODULE, with * and ? in any of them, or a regular expression as in pstats.

  fettle view -s waiting
  fettle view app.fettle app.prev.fettle --in 'json.*'
  fettle view --lines -t --in 'shop/*'
  fettle view --callers decode
  fettle view --tree --fold 5
  fettle view --alive -n 10
  fettle view --mem --tree --in 'shop/*'
  fettle view --in 'src/*' -n 0
  fettle view prof.out --callers json.loads
  fettle view app.fettle --html app.html"""


def main(words: list[str]) -> int:
    parsed = parse("view", OPTIONS, words, mixed=True)
    if parsed.values.keys() & {"html", "no-source"}:
        return _write_page(parsed)
    reports = _reports(parsed)
    report = "".join(reports - TABLES)
    key = order.find(parsed.values.get("sort", "cumulative"))
    rows = parsed.number("rows", 60 if report == "tree" else 30)
    fold = _fold(parsed.values.get("fold", "1"))
    unit = Unit(parsed.values.get("unit"))

    from fettle import recording
    from fettle.report import flat

    paths = [recording.named(word) for word in parsed.words] or [recording.newest(".")]
    opened = recording.open_all(paths)
    choice = flat.Choice(
        key=key,
        rows=rows,
        within=parsed.values.get("in", ""),
        source=", ".join(paths),
        reverse="reverse" in parsed.values,
        shares="percent" in parsed.values,
        links="links" in parsed.values,
    )
    if report == "tree":
        _show_tree(opened, "mem" in reports, fold, choice, _kind(parsed))
    elif report:
        from fettle.report import neighbours

        wanted, callers = parsed.values[report], report == "callers"
        neighbours.show(opened.profile, wanted, callers, choice, sys.stdout, opened.remarks)
    else:
        _show_tables(opened, reports, parsed, choice, unit)
    return 0


def _write_page(parsed: Parsed) -> int:
    """All that there is, as one file."""
    from fettle import recording
    from fettle.html import document, payload, sources

    out, has_sources = document.wanted(parsed)
    chosen = [key for key in (*REPORTS, "in") if key in parsed.values]
    if chosen:  # orders and numbers of rows may come from the settings of the project
        raise Problem(
            USAGE, f"--html writes all of a recording, and --{chosen[0]} a part; leave one out."
        )
    paths = [recording.named(word) for word in parsed.words] or [recording.newest(".")]
    opened = recording.open_all(paths)
    if has_sources and isinstance(opened, recording.Recording):
        sources.add(opened.profile)
    found = payload.collect(
        opened.profile,
        ", ".join(map(os.path.basename, paths)),
        remarks=opened.remarks,
        has_sources=has_sources,
    )
    document.write(out, found, [opened.profile], inputs=paths)
    return 0


def _show_tree(
    opened: "Recording | Summary", of_memory: bool, fold: float, choice: "flat.Choice", kind: str
) -> None:
    """Of the calls, and of the memory where that is asked for, or is all there is."""
    from fettle.report import calltree, memory, overview, sitetree

    if of_memory or overview.held(opened.profile) == {"mem"}:
        chosen = memory.Choice(choice.rows, kind, choice.within, choice.source)
        sitetree.show(opened.profile, fold, chosen, sys.stdout, opened.remarks)
    else:
        calltree.show(opened.profile, fold, choice, sys.stdout, opened.remarks)


def _show_tables(
    opened: "Recording | Summary",
    reports: set[str],
    parsed: Parsed,
    choice: "flat.Choice",
    unit: Unit,
) -> None:
    """Those that are asked for, else those that there is something for."""
    from fettle.report import lines, memory, overview

    wanted = reports or overview.held(opened.profile)
    of_lines = lines.Choice(
        rows=choice.rows,
        within=choice.within,
        unit=unit,
        by_time="by-time" in parsed.values,
        skip_zero="skip-zero" in parsed.values,
        summary="summary" in parsed.values,
        source="" if "calls" in wanted else choice.source,
    )
    of_memory = memory.Choice(
        rows=choice.rows,
        kind=_kind(parsed),
        within=choice.within,
        source="" if wanted & {"calls", "lines"} else choice.source,
        parts=tuple(part for part in MEMORY if part in wanted),
    )
    all_of_them = overview.Choice(
        choice if "calls" in wanted else None,
        of_lines if "lines" in wanted else None,
        choice.source if reports else "",
        of_memory if wanted & {*MEMORY} else None,
        "timings" in wanted,
    )
    overview.show(opened.profile, all_of_them, sys.stdout, opened.remarks)


def _reports(parsed: Parsed) -> set[str]:
    """Those that are asked for; none: what there is."""
    asked = [report for report in REPORTS if report in parsed.values]
    reports = set(asked)
    others = [report for report in asked if report not in TABLES]
    if len(asked) > 1 and others and reports != {"mem", "tree"}:
        other = next(report for report in asked if report != others[0])
        raise Problem(USAGE, f"--{other} and --{others[0]} are two reports; ask for one.")
    if "fold" in parsed.values and "tree" not in reports:
        raise Problem(USAGE, "--fold is of the call tree; write --tree --fold PERCENT.")
    if "percent" in parsed.values and others:
        raise Problem(
            USAGE, f"-p is of the table of functions, and --{others[0]} has shares already."
        )
    return _of_lines(parsed, _of_memory(parsed, reports))


def _of_lines(parsed: Parsed, reports: set[str]) -> set[str]:
    """An option of the lines asks for them; one of the calls alone can not be of them."""
    own = [key for key in OF_LINES if key in parsed.values]
    if own and reports and "lines" not in reports:
        raise Problem(USAGE, f"--{own[0]} is of the lines; write --lines --{own[0]}.")
    for key in OF_CALLS:
        if reports == {"lines"} and key in parsed.values:
            raise Problem(
                USAGE, f"--{key} is of the table of functions; -t puts the lines' tables in order."
            )
        if "mem" in reports and reports <= {*MEMORY, "tree"} and key in parsed.values:
            raise Problem(
                USAGE,
                f"--{key} is of the table of functions; --peak, --alive, --total and --temporary"
                " put the memory in order.",
            )
    return {"lines"} if own and not reports else reports


def _of_memory(parsed: Parsed, reports: set[str]) -> set[str]:
    """One of the four orders of the memory asks for it."""
    kinds = [kind for kind in KINDS if kind in parsed.values]
    if len(kinds) > 1:
        raise Problem(USAGE, f"--{kinds[0]} and --{kinds[1]} are two orders; ask for one.")
    if not kinds or "mem" in reports:
        return reports
    if reports - {"tree", "timeline"}:
        raise Problem(USAGE, f"--{kinds[0]} is of the memory by line; write --mem --{kinds[0]}.")
    return reports | {"mem"}


def _kind(parsed: Parsed) -> str:
    return next((kind for kind in KINDS if kind in parsed.values), KINDS[0])


def _fold(text: str) -> float:
    """A share, from a percentage."""
    try:
        percent = float(text.removesuffix("%"))
    except ValueError:
        percent = -1.0
    if not 0.0 <= percent <= 100.0:
        raise Problem(USAGE, f"--fold needs a percentage from 0 to 100, not {text!r}.")
    return percent / 100.0
