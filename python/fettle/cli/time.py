# SPDX-License-Identifier: Apache-2.0
"""`fettle time`: how long it takes, and which of several is faster."""

import os
import sys
from math import isfinite

from fettle import output
from fettle.options import Option, Parsed, help_lines, parse
from fettle.problem import FETTLE_FAILED, NOT_FOUND, USAGE, Problem, reason

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from fettle.timing.commands import Command, Commands
    from fettle.timing.options import Options, Progress
    from fettle.timing.timing import Timing

SUMMARY = "how long it takes, and which of several is faster"

DEFAULT = "time.fettle"
INTERRUPTED = 130
OF_COMMANDS = 10.0  # seconds of measuring at least, unless the answer is known before
LONGEST = 60.0
ROUNDS = 10  # of commands that take so long that no more of them fit
LEAST_ROUNDS = 6  # however long they take

OPTIONS = [
    Option("-s --setup", "runs before each sample, untimed; again: one more line of it", "SETUP"),
    Option("-n --number", "calls a sample (as many as the clock needs); of commands: runs", "N"),
    Option("--clock", "auto: the CPU's, unless it waits; cpu; wall", "CLOCK"),
    Option("--precision", "stop once the answer is known to so much (1%)", "SHARE"),
    Option("--processes", "measure in so many, one after the other; 0: in this one", "N"),
    Option("--gc", "collect garbage meanwhile (off, as in timeit)"),
    Option("--mem", "what one call allocates, and its highest point"),
    Option("--timeout", "a call (of commands: a run) that takes longer is ended", "SECONDS"),
    Option("--budget", "stop after so long with what is known by then", "SECONDS"),
    Option("-v --verbose", "histograms, each process, counters of the processor"),
    Option("--json", "as JSON: times in seconds a call"),
    Option("-o --output", "keep the result in FILE (time.fettle; an older one: .prev)", "FILE"),
    Option("-q --quiet", "print no table"),
    Option("--", "whole commands; more of them after --vs", last=True),
    Option("--rev", "of a command: in a work tree of git's revision REV; two or more", "REV"),
    Option("--ignore-failure", "of commands: an exit code other than 0 is as good"),
]

# What timeit has and this has not, and what to write instead.
OF_TIMEIT = [
    (Option("-r --repeat", "", "N"), "samples are taken until the answer is known; --precision"),
    (Option("-p --process", ""), "the CPU clock is --clock cpu"),
    (Option("-c", ""), "the CPU clock is --clock cpu"),
    (Option("-t --time", ""), "the wall clock is --clock wall"),
    (Option("-u --unit", "", "UNIT"), "each time has the unit that fits it; --json has seconds"),
]
MISPLACED = Option("--vs", "", "COMMAND")

STATEMENTS_ONLY = {
    "setup": "-s",
    "processes": "--processes",
    "gc": "--gc",
    "mem": "--mem",
}
COMMANDS_ONLY = {"rev": "--rev", "ignore-failure": "--ignore-failure"}

HELP = f"""\
usage: fettle time [OPTIONS] STMT [STMT...]
       fettle time [OPTIONS] -- COMMAND [--vs COMMAND]...
       fettle time [OPTIONS] --rev REV --rev REV -- COMMAND

How long a statement or a command takes: the median, its 95% interval, and the spread of single
samples. Two or more are compared: measured in turns, in random order, and each with its neighbour.
Verdicts are faster, slower, same and unclear. (timeit joins several words to one statement; here
each is a statement of its own, and $'a\\nb' has several lines.)

{help_lines(OPTIONS)}

A statement that begins with - stands in parentheses. A COMMAND of one word with blanks is split as
a shell does, but no shell runs it; what it writes is thrown away, and it reads nothing.
SHARE is 1% or 0.01. Garbage collection is off and the empty loop is subtracted, for statements.
^C shows what is known by then, with exit code 130.

--json: {{"candidates": [{{"label", "clock", "median", "low", "high", "spread", "least", "most",
"samples": [[...] for each process], "loops", "empty", "bytes", "blocks", "peak", "counters"}}],
"comparisons": [{{"label", "ratio", "low", "high", "pairs", "verdict"}}], "notes"}}; a ratio is how
many times as fast as the first it is. docs/timing.md says more.

  fettle time '[0 for _ in range(1000)]' '[0]*1000'
  fettle time -s 'import json; d = {{"a": 1}}' 'json.dumps(d)' --mem
  fettle time -- 'python app.py' --vs 'python -O app.py'
  fettle time --rev main --rev HEAD -- python -m app"""


def main(words: list[str]) -> int:
    at = words.index("--") if "--" in words else len(words)
    hidden = [option for option, _ in OF_TIMEIT]
    parsed = parse("time", [*OPTIONS, *hidden, MISPLACED], words[:at], mixed=True)
    _check_words(parsed, at < len(words))
    options = _options(parsed)
    commands = _commands(parsed, words[at + 1 :]) if at < len(words) else []
    path, problem = _place(parsed)

    from fettle.report.progress import Line
    from fettle.timing import interruption

    with interruption.noticed() as interrupted, Line(sys.stderr) as line:
        try:
            if commands:
                timing = _time_commands(commands, parsed, options, line.show)
            else:
                timing = _time_statements(parsed, options, line.show)
        except KeyboardInterrupt:
            line.clear()
            raise Problem(INTERRUPTED, "interrupted before anything was known.") from None
    code = INTERRUPTED if interrupted.happened else 0
    if not problem:
        problem = _save(timing, path)
        code = code or (FETTLE_FAILED if problem and "output" in parsed.values else 0)
    _report(timing, parsed, "" if problem else path, problem)
    return code


# ---- what was asked ----


def _check_words(parsed: Parsed, has_commands: bool) -> None:
    values = parsed.values
    for option, sentence in OF_TIMEIT:
        if option.key in values:
            raise Problem(USAGE, f"{option.names[0]} is an option of timeit; here {sentence}.")
    if MISPLACED.key in values:
        raise Problem(USAGE, "--vs stands between commands: fettle time -- COMMAND --vs COMMAND.")
    if has_commands:
        _check_commands(parsed)
    else:
        _check_statements(parsed)


def _check_statements(parsed: Parsed) -> None:
    for key, name in COMMANDS_ONLY.items():
        if key in parsed.values:
            raise Problem(
                USAGE,
                f"{name} is of commands; write them after --: fettle time"
                f" {name}{' REV' * (key == 'rev')} ... -- COMMAND.",
            )
    if not parsed.words:
        raise Problem(
            USAGE,
            "fettle time needs a statement, or a command after --; `fettle time --help` says more.",
        )
    for word in parsed.words:
        if word.endswith(".py") and os.path.isfile(word):
            raise Problem(
                USAGE,
                f"{word} is a file and no statement; `fettle time -- python {word}` times it.",
            )


def _check_commands(parsed: Parsed) -> None:
    if parsed.words:
        raise Problem(
            USAGE,
            f"{parsed.words[0]!r} is a statement and what follows -- a command; time one or the"
            " other.",
        )
    for key, name in STATEMENTS_ONLY.items():
        if key in parsed.values:
            raise Problem(
                USAGE,
                f"{name} is of statements, and a command starts anew in each run; leave it out.",
            )


def _options(parsed: Parsed) -> "Options":
    from fettle.timing.options import CLOCKS, Options

    values = parsed.values
    given: dict[str, object] = {"gc": "gc" in values, "memory": "mem" in values}
    if "clock" in values:
        if values["clock"] not in CLOCKS:
            raise Problem(
                USAGE, f"--clock needs {', '.join(CLOCKS)} after it, not {values['clock']!r}."
            )
        given["clock"] = values["clock"]
    if "number" in values:
        number = parsed.number("number", 0)
        if not number:
            raise Problem(USAGE, "-n needs a number of 1 or more.")
        given["loops"] = number
    if "processes" in values:
        given["processes"] = parsed.number("processes", 0)
    if "precision" in values:
        given["precision"] = _share(values["precision"])
    for key in {"timeout", "budget"} & values.keys():
        given[key] = parsed.seconds(key)
    return Options(**given).check()  # type: ignore[arg-type]


def _share(text: str) -> float:
    """1% or 0.01."""
    number, sign = (text[:-1], 100.0) if text.endswith("%") else (text, 1.0)
    try:
        share = float(number) / sign
    except ValueError:
        share = 0.0
    if not 0 < share < 1:
        raise Problem(USAGE, f"--precision needs a share such as 1% or 0.01, not {text!r}.")
    return share


def _commands(parsed: Parsed, words: list[str]) -> "list[Command]":
    from fettle.timing import commands

    found = commands.read(words)
    if "rev" in parsed.values and len(found) > 1:
        raise Problem(USAGE, "--rev compares revisions by one command; leave --vs out.")
    return found


def _place(parsed: Parsed) -> tuple[str, str]:
    """Where the result is kept; and why it can not be kept there, if nobody asked for that place.
    Problem if somebody did."""
    if "output" in parsed.values and not parsed.values["output"]:
        raise Problem(USAGE, "-o needs the name of a file.")
    path = parsed.values.get("output", DEFAULT)
    try:
        try:
            path = os.path.abspath(path)
        except OSError as error:  # the current folder is no more
            raise Problem(
                USAGE, f"cannot write {path}: {reason(error)}; go to a folder that is there."
            ) from None
        output.check(path)
    except Problem as problem:
        if "output" in parsed.values:
            raise
        return path, problem.sentence
    return path, ""


# ---- measuring ----


def _time_statements(
    parsed: Parsed, options: "Options", show: "Callable[[Progress], None]"
) -> "Timing":
    from fettle.timing import interface

    setup = "\n".join(parsed.given.get("setup", [])) or "pass"
    before = sys.path[:]
    sys.path.insert(0, "")  # modules of this folder are found, as by timeit
    try:
        return interface.measure(parsed.words, setup, options, show)
    except Problem as problem:
        raise Problem(problem.code, problem.sentence + _advice(parsed.words, problem)) from None
    finally:
        sys.path[:] = before  # what fettle itself imports lies elsewhere


def _advice(words: list[str], problem: Problem) -> str:
    """For who meant a command: its words are no names."""
    import shutil

    if "raised NameError" not in problem.sentence or not shutil.which(words[0].partition(" ")[0]):
        return ""
    from fettle.invocation import quoted

    return f" A command stands after --: `fettle time -- {quoted(words)}`."


def _time_commands(
    found: "list[Command]",
    parsed: Parsed,
    options: "Options",
    show: "Callable[[Progress], None]",
) -> "Timing":
    from dataclasses import replace

    from fettle.timing import interruption
    from fettle.timing.collect import collect
    from fettle.timing.commands import Failed

    revisions = parsed.given.get("rev", [])
    timeout = options.timeout if "timeout" in parsed.values else 0.0
    with interruption.orderly(), _folders(revisions) as folders:
        if revisions:
            found = [
                replace(found[0], label=f"{revision}: {found[0].label}", folder=folder)
                for revision, folder in zip(revisions, folders, strict=True)
            ]
        try:
            source = _source(found, timeout, "ignore-failure" in parsed.values)
            took = source.warm_up()
            options = replace(options, loops=0, rounds=options.loops, counters=False)
            if "budget" not in parsed.values:
                options = replace(options, budget=1e9 if options.rounds else budget(took))
            return collect(source, [each.label for each in found], options, show)
        except Failed as failed:
            _show_last(failed.lines)
            raise


def budget(took: float) -> float:
    """Seconds for the rounds of commands, of which the first took so many.

    >>> budget(0.1), budget(3.0), budget(9.0), budget(20.0)
    (10.0, 30.0, 60.0, 120.0)
    """
    return max(OF_COMMANDS, min(ROUNDS * took, max(LONGEST, LEAST_ROUNDS * took)))


def _source(found: "list[Command]", timeout: float, ignore_failure: bool) -> "Commands":
    from fettle.timing.commands import Commands

    try:
        return Commands(found, timeout, ignore_failure)
    except Problem as problem:
        if problem.code != NOT_FOUND:
            raise
        sentence, _, _ = problem.sentence.partition(";")
        advice = "after -- stands a command, a statement stands without --"
        if any(" " in each.words[0] for each in found):
            advice = "a command of one word is split at its blanks, one of several is not"
        raise Problem(NOT_FOUND, f"{sentence}; {advice}.") from None


def _folders(revisions: list[str]) -> "AbstractContextManager[list[str]]":
    if not revisions:
        from contextlib import nullcontext

        return nullcontext([])
    from fettle.timing.revisions import checked_out

    return checked_out(revisions)


def _show_last(lines: list[str]) -> None:
    """What a command that failed said in the end."""
    from fettle.report import screen
    from fettle.report.names import plain

    screen.styled([(f"  {plain(line)}", "dim") for line in lines], sys.stderr)


# ---- keeping and showing ----


def _save(timing: "Timing", path: str) -> str:
    """Keeps it; a sentence if that could not be."""
    try:
        timing.save(path)
    except Problem as problem:
        return problem.sentence
    except OSError as error:
        return f"cannot write {path}: {reason(error)}; name another output with -o."
    except Exception as error:  # the result must be seen all the same
        if os.environ.get("FETTLE_DEBUG"):
            raise
        return f"this should not have happened: {reason(error)}; FETTLE_DEBUG=1 shows where."
    return ""


def _finite(value: object) -> object:
    """JSON has no infinity: null is what is not known."""
    if isinstance(value, dict):
        return {key: _finite(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_finite(each) for each in value]
    if isinstance(value, float) and not isfinite(value):
        return None
    return value


def _report(timing: "Timing", parsed: Parsed, path: str, problem: str) -> None:
    from fettle.cli import say
    from fettle.report import timing as report
    from fettle.report.flat import shown_path
    from fettle.report.names import visible

    if sys.stdout is None:
        pass  # nobody wants to see it
    elif "json" in parsed.values:
        import json

        print(json.dumps(_finite(timing.as_json()), indent=2, allow_nan=False))
    elif "quiet" not in parsed.values:
        target = visible(shown_path(path)) if path else ""
        report.show(timing, sys.stdout, "verbose" in parsed.values, target)
    if problem:
        say(f"the result is shown and not kept: {problem}")
