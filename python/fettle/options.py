# SPDX-License-Identifier: Apache-2.0
"""The options of a verb: a table, read in the manner of getopt, and its help.

argparse would cost a tenth of what `fettle run` may add to a program, and abbreviates long options.
"""

from fettle.problem import USAGE, Problem


class HelpWanted(Exception):
    """Somebody wrote --help among the options."""


class Option:
    """`names` as typed ("-n --rows"); the last one, without dashes, is the key of the result.

    `value` names the value in the help; without it the option is a switch. "[=VALUE]" is one that
    may be left out: `-l app.py` and `--lines app.py` mean the switch, and `--lines=VALUE` has the
    value. What follows an option that is `last` is not fettle's to read.
    """

    __slots__ = ("help", "key", "last", "names", "optional", "value")

    def __init__(self, names: str, help: str, value: str = "", last: bool = False) -> None:
        self.names = names.split()
        self.key = self.names[-1].lstrip("-")
        self.help = help
        self.value = value
        self.optional = value.startswith("[")
        self.last = last


class Parsed:
    """Values by key (a switch that is on has ""), and the words that are no options. An option that
    is given again overrides; all its values are in `given`."""

    __slots__ = ("given", "values", "words")

    def __init__(self) -> None:
        self.values: dict[str, str] = {}
        self.given: dict[str, list[str]] = {}
        self.words: list[str] = []

    def take(self, key: str, value: str = "") -> None:
        self.values[key] = value
        self.given.setdefault(key, []).append(value)

    def number(self, key: str, default: int) -> int:
        """A count, 0 or more."""
        text = self.values.get(key, str(default))
        if not (text.isascii() and text.isdecimal()) or len(text) > 9:
            raise Problem(USAGE, f"--{key} needs a whole number up to 999999999, not {text!r}.")
        return int(text)

    def seconds(self, key: str) -> float:
        """A time that was given: 30, 30s or 5m."""
        from fettle.report import span

        text = self.values[key]
        seconds = span.read(text)
        if seconds is None:
            try:
                seconds = float(text)
            except ValueError:
                seconds = 0.0
        if not 0 < seconds <= 1e9:
            raise Problem(USAGE, f"--{key} needs seconds above 0, such as 30 or 5m, not {text!r}.")
        return seconds


def parse(
    verb: str,
    table: list[Option],
    words: list[str],
    mixed: bool = False,
    program: str = "fettle",
) -> Parsed:
    """Reads words. Unless mixed, the first word that is no option ends the options. program is what
    one types before the verb, if anything."""
    command = f"{program} {verb}".lstrip()
    by_name = {name: option for option in table for name in option.names}
    parsed = Parsed()
    rest = list(words)
    while rest:
        word = rest.pop(0)
        if word == "--" and word not in by_name:
            parsed.words += rest
            break
        if word == "-" or not word.startswith("-"):
            parsed.words.append(word)
            if mixed:
                continue
            parsed.words += rest
            break
        if _take(command, by_name, word, rest, parsed):
            parsed.words += rest
            break
    return parsed


def _take(
    command: str, by_name: dict[str, Option], word: str, rest: list[str], parsed: Parsed
) -> bool:
    """Takes one word of options, and its value from rest. True if it was the last."""
    while word:
        if word.startswith("--"):
            name, has_value, value = word.partition("=")
            word = ""
        else:
            name, value = word[:2], word[2:]
            has_value, word = value, value and "-" + value
        option = by_name.get(name)
        if option is None and name in {"-h", "--help"}:
            raise HelpWanted
        if option is None:
            raise Problem(USAGE, f"{command} has no option {name}; `{command} --help` lists them.")
        if option.value and not option.optional:
            if not has_value and not rest:
                raise Problem(USAGE, f"{name} needs a value: {name} {option.value}.")
            parsed.take(option.key, value if has_value else rest.pop(0))
            return option.last
        if has_value and name.startswith("--"):
            if not option.optional:
                raise Problem(USAGE, f"{name} takes no value; write {name}.")
            if not value:
                raise Problem(USAGE, f"{name}= needs a value: {name}{option.value[1:-1]}.")
            parsed.take(option.key, value)
            return option.last
        parsed.take(option.key)
        if option.last:
            return True
    return False


def help_lines(table: list[Option]) -> str:
    """The table as the help shows it."""
    lines = []
    for option in table:
        names = ", ".join(option.names)
        if option.value:
            names += option.value if option.optional else f" {option.value}"
        lines.append(f"  {names:<22} {option.help}")
    return "\n".join(lines)
