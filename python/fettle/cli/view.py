# SPDX-License-Identifier: Apache-2.0
"""`fettle view`: shows recordings."""

import sys

from fettle.options import Option, help_lines, parse
from fettle.report import order

SUMMARY = "show a recording, or several as one"

OPTIONS = [
    Option("--calls", "the table of functions (what is shown if nothing is named)"),
    Option("-s --sort", "sort the table by KEY (cumulative)", "KEY"),
    Option("-n --rows", "rows of the table (30; 0 for all)", "ROWS"),
    Option("--in", "only functions of files or modules that GLOB matches", "GLOB"),
]

HELP = f"""\
usage: fettle view [FILE...] [OPTIONS]

Shows the recording in FILE, several as one, or the newest one in this folder.

{help_lines(OPTIONS)}

KEY is one of {order.listing(9)}.

  fettle view -s waiting
  fettle view app.fettle app.prev.fettle --in 'json.*'
  fettle view --in 'src/*' -n 0"""


def main(words: list[str]) -> int:
    parsed = parse("view", OPTIONS, words, mixed=True)
    key = order.find(parsed.values.get("sort", "cumulative"))
    rows = parsed.number("rows", 30)

    from fettle import recording
    from fettle.report import flat

    paths = [recording.named(word) for word in parsed.words] or [recording.newest(".")]
    opened = recording.open_all(paths)
    shown = flat.Choice(
        key=key, rows=rows, within=parsed.values.get("in", ""), source=", ".join(paths)
    )
    flat.show(opened.profile, shown, sys.stdout, opened.remarks)
    return 0
