# SPDX-License-Identifier: Apache-2.0
"""`fettle costs`: the price list of Python's constructs, on this machine and this interpreter."""

import sys

from fettle.cli import say
from fettle.options import Option, Parsed, help_lines, parse
from fettle.problem import USAGE, Problem

TYPE_CHECKING = False
if TYPE_CHECKING:
    from fettle.timing.costs import Costs
    from fettle.timing.interpreters import Interpreter

SUMMARY = "what the common constructs cost on this machine and this interpreter"

OPTIONS = [
    Option(
        "--vs", "beside the figures of another CPython, from 3.8 on; again for a third", "PYTHON"
    ),
    Option("--json", "a list of {group, name, nanoseconds, low, high}"),
    Option("--again", "measure anew, whatever is kept"),
    Option("--budget", "measure for so long at most (up to 12, by what is asked for)", "SECONDS"),
]

HELP = f"""\
usage: fettle costs [PATTERN] [OPTIONS]

What look-ups, calls, loops, strings, exceptions and the rest cost: the nanoseconds of each, how
many times the first of its group that is, and the spread of its samples where it is 10% or more.
PATTERN, a glob or a part of the names or groups, shows fewer.

Each price is of the whole statement, on the CPU clock, in a loop on local variables that has run
for a while; the empty loop is subtracted. They are the medians of several processes, kept in the
user's cache folder (FETTLE_CACHE_DIR) for this interpreter on this machine.

{help_lines(OPTIONS)}

  fettle costs
  fettle costs dict
  fettle costs 'str*' --vs /usr/bin/python3.13"""

LONGEST = 600.0  # seconds


def main(words: list[str]) -> int:
    parsed = parse("costs", OPTIONS, words, mixed=True)
    if len(parsed.words) > 1:
        raise Problem(
            USAGE, f"fettle costs takes one PATTERN, not {len(parsed.words)}; a glob means several."
        )
    pattern = parsed.words[0] if parsed.words else ""
    if parsed.words and not pattern:
        raise Problem(USAGE, "the PATTERN is empty; write one, or nothing for the whole table.")
    from fettle.report import costs as report

    several = _priced(pattern, parsed)
    _say_notes(several)
    if "json" in parsed.values:
        print(report.as_json(several))
    else:
        report.show(several, sys.stdout)
    return 0


def _priced(pattern: str, parsed: Parsed) -> "list[Costs]":
    from fettle.timing.constructs import constructs
    from fettle.timing.costs import priced, selected
    from fettle.timing.interpreters import named, own

    seconds = _budget(parsed)
    selected(constructs(), pattern)  # before anything is started
    interpreters = [own(), *map(named, parsed.given.get("vs", []))]
    again = "again" in parsed.values
    found = []
    for each in interpreters:
        watch = Watch(each)
        try:
            found.append(priced(each, pattern, again, seconds, watch.show))
        except KeyboardInterrupt:
            watch.clear()
            say(
                f"interrupted: Python {each.number} was not measured to the end, so that nothing "
                "of it is kept or shown; the same again begins anew."
            )
            raise
        finally:
            watch.clear()
    return found


def _budget(parsed: Parsed) -> float | None:
    text = parsed.values.get("budget")
    if text is None:
        return None
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0.0 < seconds <= LONGEST:
        raise Problem(
            USAGE, f"--budget needs seconds, more than 0 and up to {LONGEST:.0f}, not {text!r}."
        )
    return seconds


def _say_notes(several: "list[Costs]") -> None:
    for sentence in dict.fromkeys(note for costs in several for note in costs.notes):
        say(sentence)


class Watch:
    """The share that is measured, on a terminal and nowhere else."""

    def __init__(self, interpreter: "Interpreter") -> None:
        self._number = interpreter.number
        self._shown = ""

    def show(self, share: float) -> None:
        if sys.stderr is None or not sys.stderr.isatty():
            return
        line = f"measuring on Python {self._number}: {100 * share:.0f}%"
        if line != self._shown:
            self._shown = line
            print(f"\r{line}", end="", file=sys.stderr, flush=True)

    def clear(self) -> None:
        if self._shown:
            print(f"\r{' ' * len(self._shown)}\r", end="", file=sys.stderr, flush=True)
            self._shown = ""
