# SPDX-License-Identifier: Apache-2.0
"""`fettle view`: shows recordings."""

import sys

from fettle.options import Option, Parsed, help_lines, parse
from fettle.problem import USAGE, Problem
from fettle.report import order

SUMMARY = "show a recording, or several as one"

OPTIONS = [
    Option("--calls", "the table of functions (what is shown if nothing is named)"),
    Option("--callers", "who called the functions that F means", "F"),
    Option("--callees", "whom the functions that F means called", "F"),
    Option("--tree", "the call tree, folded where it takes little time"),
    Option("--fold", "of the tree: fold what takes less than PERCENT of all time (1)", "PERCENT"),
    Option("-s --sort", "sort by KEY (cumulative); of the tree, what one function called", "KEY"),
    Option("-r --reverse", "sort the other way round"),
    Option("-n --rows", "rows (30; of the tree the 60 heaviest; 0 for all)", "ROWS"),
    Option("-p --percent", "shares of all time in place of times per call"),
    Option("--in", "only functions of files or modules that GLOB matches", "GLOB"),
]

REPORTS = ("calls", "callers", "callees", "tree")

HELP = f"""\
usage: fettle view [FILE...] [OPTIONS]

Shows the recording in FILE, several as one, or the newest one in this folder. FILE may also be what
cProfile or line_profiler wrote.

{help_lines(OPTIONS)}

KEY is one of {order.listing(9)};
several with commas between them. F is NAME, CLASS.NAME, FILE:NAME, MODULE:NAME, FILE:LINE, FILE or
MODULE, with * and ? in any of them, or a regular expression as in pstats.

  fettle view -s waiting
  fettle view app.fettle app.prev.fettle --in 'json.*'
  fettle view --callers decode
  fettle view --tree --fold 5
  fettle view --in 'src/*' -n 0
  fettle view prof.out --callers json.loads"""


def main(words: list[str]) -> int:
    parsed = parse("view", OPTIONS, words, mixed=True)
    report = _report(parsed)
    key = order.find(parsed.values.get("sort", "cumulative"))
    rows = parsed.number("rows", 60 if report == "tree" else 30)
    fold = _fold(parsed.values.get("fold", "1"))

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
    )
    if report == "tree":
        from fettle.report import calltree

        calltree.show(opened.profile, fold, choice, sys.stdout, opened.remarks)
    elif report in {"callers", "callees"}:
        from fettle.report import neighbours

        wanted, callers = parsed.values[report], report == "callers"
        neighbours.show(opened.profile, wanted, callers, choice, sys.stdout, opened.remarks)
    else:
        flat.show(opened.profile, choice, sys.stdout, opened.remarks)
    return 0


def _report(parsed: Parsed) -> str:
    """Which one is asked for."""
    asked = [report for report in REPORTS if report in parsed.values]
    if len(asked) > 1:
        raise Problem(USAGE, f"--{asked[0]} and --{asked[1]} are two reports; ask for one.")
    report = asked[0] if asked else "calls"
    if "fold" in parsed.values and report != "tree":
        raise Problem(USAGE, "--fold is of the call tree; write --tree --fold PERCENT.")
    if "percent" in parsed.values and report != "calls":
        raise Problem(USAGE, f"-p is of the table of functions, and --{report} has shares already.")
    return report


def _fold(text: str) -> float:
    """A share, from a percentage."""
    try:
        percent = float(text.removesuffix("%"))
    except ValueError:
        percent = -1.0
    if not 0.0 <= percent <= 100.0:
        raise Problem(USAGE, f"--fold needs a percentage from 0 to 100, not {text!r}.")
    return percent / 100.0
