# SPDX-License-Identifier: Apache-2.0
"""`fettle dis`: the bytecode of a file, module, class or function."""

import sys

from fettle.options import Option, Parsed, help_lines, parse
from fettle.problem import USAGE, Problem

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from fettle.bytecode.find import Target
    from fettle.report.bytecode import Choice

TIMEOUT = 60.0  # seconds for what --run runs

SUMMARY = "bytecode with its source, how often it ran and what it took"

OPTIONS = [
    Option("-c", "the text to compile, in place of SEL", "CODE"),
    Option("-C --show-caches", "with the inline caches"),
    Option("-O --show-offsets", "with the offset of each instruction"),
    Option("-P --show-positions", "with lines and columns"),
    Option("-S --adaptive", "as the interpreter has specialised it; needs --run"),
    Option("--run", "first import MODULE and run CODE in it, in a process of its own", "CODE"),
    Option("--timeout", "what --run runs is ended after so long (60)", "SECONDS"),
    Option("--source", "each line of source above its instructions"),
    Option("--counts", "how often each line ran and its time, from a recording", "FILE"),
    Option("--vs", "beside another SEL, or the same of another Python", "SEL|PYTHON"),
    Option("--json", 'the instructions as a list, for programs; of --vs {"old", "new"}'),
]

HELP = f"""\
usage: fettle dis SEL [OPTIONS]
       fettle dis -c CODE [OPTIONS]

Prints bytecode as dis.dis() does. SEL is FILE, FILE:NAME, FILE:LINE, MODULE, MODULE:NAME or
MODULE.NAME; FILE may be a glob, NAME is as in CLASS.METHOD or FUNCTION.INNER, and of a class all
methods are shown. A line is the way to a lambda or a comprehension.

A file or module is compiled, never run or imported; only --run does that. A .pyc file is read as an
import would read it: name none that you would not import.

{help_lines(OPTIONS)}

--run runs CODE a hundred times, or for a second, with the names of MODULE: until the interpreter
has specialised what it does; stopped by --timeout, it is shown as it is by then. --counts wants
lines: `fettle run --lines=SEL app.py`. On a terminal of less than 72 columns --vs prints one side
below the other, with - and + before what differs.

  fettle dis examples/login.py:fetch_user_password
  fettle dis json.decoder:JSONDecoder.decode --source
  fettle dis app.py:main_app --counts app.fettle
  fettle dis statistics:mean --run 'mean([1, 2, 3])'
  fettle dis app.py:slow --vs app.py:fast
  fettle dis app.py:main_app --vs python3.14
  fettle dis -c 'x = [i for i in y]'"""


def main(words: list[str]) -> int:
    parsed = parse("dis", OPTIONS, words, mixed=True)
    _check(parsed)
    if "run" in parsed.values:
        from fettle.bytecode import ran

        timeout = parsed.seconds("timeout") if "timeout" in parsed.values else TIMEOUT
        if not ran.is_child:
            return ran.in_child(words, timeout)
        found, said = ran.targets(parsed.words[0], parsed.values["run"], timeout)
        return show(parsed, found, adaptive=True, said=said)
    return show(parsed, targets(parsed), adaptive=False)


def show(parsed: Parsed, found: "list[Target]", adaptive: bool, said: "Sequence[str]" = ()) -> int:
    """Prints what was found, as the options say; said: what must be known of it."""
    from fettle.report import bytecode, screen

    if "vs" in parsed.values:
        remarks = _show_two(parsed, found, adaptive)
    else:
        choice, remarks = _choice(parsed, found, adaptive)
        if "json" in parsed.values:
            import json

            print(json.dumps(bytecode.rows(found, choice)))
        else:
            bytecode.show(found, choice, sys.stdout)
    screen.sentences([*said, *remarks], sys.stderr)
    return 0


def _show_two(parsed: Parsed, found: "list[Target]", adaptive: bool) -> list[str]:
    """Beside what --vs names. Gives what must be known of it."""
    from fettle.bytecode import pairs

    word = parsed.values["vs"]
    python = pairs.interpreter(word)
    other = [] if python else pairs.named(word, adaptive)
    choice, remarks = _choice(parsed, [*found, *other], adaptive)
    if "json" in parsed.values:
        import json

        from fettle.report import bytecode

        old = bytecode.rows(found, choice)
        new = pairs.rows(found, python, choice) if python else bytecode.rows(other, choice)
        print(json.dumps({"old": old, "new": new}))
        return remarks
    from fettle.report import bytecodepair

    if python:
        both = pairs.with_python(found, python, choice)
    else:
        both = pairs.matched(found, other, choice)
    bytecodepair.show(both, sys.stdout)
    return remarks


def targets(parsed: Parsed) -> "list[Target]":
    """What the words mean."""
    from fettle.bytecode import find, unit

    if "c" in parsed.values:
        whole = unit.of_text(parsed.values["c"])
        return [find.Target(whole.code, whole)]
    return find.find(parsed.words[0])


def _check(parsed: Parsed) -> None:
    values = parsed.values
    if len(parsed.words) > 1:
        raise Problem(USAGE, f"one SEL at a time, not {' '.join(parsed.words)}; --vs compares two.")
    if "c" in values and parsed.words:
        raise Problem(USAGE, "-c has the code already; leave the other words out.")
    if "c" not in values and not parsed.words:
        raise Problem(USAGE, "fettle dis needs SEL or -c CODE; `fettle dis --help` says more.")
    if "adaptive" in values and "run" not in values:
        raise Problem(
            USAGE,
            "nothing is specialised before it has run; add --run CODE, which calls it.",
        )
    if "run" in values and "c" in values:
        raise Problem(USAGE, "--run needs a module: fettle dis MODULE:NAME --run CODE.")
    if "timeout" in values and "run" not in values:
        raise Problem(USAGE, "--timeout ends what --run runs; add --run CODE.")
    for other in ("source", "show-positions"):
        if "vs" in values and other in values:
            raise Problem(
                USAGE,
                f"--vs and --{other} do not go together: two sides leave no room; leave one out.",
            )


def _choice(parsed: Parsed, found: "list[Target]", adaptive: bool) -> "tuple[Choice, list[str]]":
    from fettle.report.bytecode import Choice, takes

    values, remarks = parsed.values, []
    counts = None
    if "counts" in values:
        from fettle import recording
        from fettle.bytecode.counts import Counts

        path = recording.named(values["counts"])
        opened = recording.open_one(path)
        counts = Counts(opened.profile, path)
        remarks = [*opened.remarks, *counts.check(found)]
    has_source = "source" in values or counts is not None
    if "show-positions" in values and not (
        has_source or "json" in values or takes("show_positions")
    ):
        raise Problem(
            USAGE, "-P shows positions as dis does since Python 3.14; add --source, or use --json."
        )
    choice = Choice(
        caches="show-caches" in values,
        offsets="show-offsets" in values,
        positions="show-positions" in values,
        adaptive=adaptive,
        source="source" in values,
        counts=counts,
    )
    return choice, remarks
