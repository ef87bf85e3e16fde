# SPDX-License-Identifier: Apache-2.0
"""kernprof's command line, over the settings in a file (line_profiler.toml_config)."""

from __future__ import annotations

import os
import sys
from argparse import PARSER, ArgumentParser
from typing import Any, NamedTuple

from fettle.compat.line_profiler import __version__
from fettle.compat.line_profiler.cli_utils import (
    add_argument,
    get_cli_config,
    positive_float,
    short_string_path,
)

__all__ = ["Options", "parse"]

SETTINGS = "kernprof"  # the table of the settings
WHAT = '{path/to/script | -m path.to.module | -c "literal code"}'


class Opt(NamedTuple):
    flags: str
    help: str
    how: dict[str, Any] = {}  # noqa: RUF012, never changed


YES = {"action": "store_true"}
PROFILING = [
    Opt("-l --line-by-line", "record the lines of what is marked, not all calls; as -b", YES),
    Opt(
        "-b --builtin",
        "make `profile` a builtin: mark functions with @profile, parts of the program with `with "
        "profile:`, or call profile.enable() and disable(); nothing else is recorded",
        YES,
    ),
    Opt("-s --setup", "run this script first, unrecorded", {"metavar": "SCRIPT"}),
    Opt(
        "-p --prof-mod",
        "with -l, mark these: scripts, modules, packages with all in them (PACKAGE.__init__: "
        "itself alone), functions and classes by their dotted names, with commas between or in "
        "options of their own; the script itself for all functions in it; '' forgets those before",
        {"action": "append", "metavar": "TARGETS"},
    ),
    Opt("--preimports", "import what -p names before the program starts, not when it does", YES),
    Opt("--prof-imports", "if -p names the script, mark all that it imports, too", YES),
]
OUTPUT = [
    Opt("-o --outfile", "write the profile to this file, else to PROGRAM.lprof or PROGRAM.prof"),
    Opt(
        "-v --verbose --view",
        "print the table when the program ended; twice: say what is done, too",
        {"action": "count", "default": 0},
    ),
    Opt(
        "-q --quiet",
        "say nothing of one's own; twice: let the program print nothing; three times: nor write "
        "to stderr",
        {"action": "count", "default": 0},
    ),
    Opt("-r --rich", "print the table in colour", YES),
    Opt("-u --unit", "the unit of times in the table, in seconds", {"type": positive_float}),
    Opt("-z --skip-zero", "leave out functions that never ran", YES),
    Opt("--summarize", "print the total time of each function below the table", YES),
    Opt(
        "-i --output-interval",
        "write the file every SECONDS while the program runs, at most every second",
        {"type": int, "const": 1, "nargs": "?", "metavar": "SECONDS"},
    ),
]


class Options:
    """What is to be done. Each option is an attribute: what the command line says, else a file of
    settings; `config` is that file."""

    line_by_line: bool
    builtin: bool
    setup: str
    prof_mod: list[str]
    preimports: bool
    prof_imports: bool
    outfile: str
    verbose: int
    rich: bool
    unit: float
    skip_zero: bool
    summarize: bool
    output_interval: int
    config: Any

    def __init__(self, given: dict[str, Any], settings: dict[str, Any], program: Program) -> None:
        counted = int(settings["verbose"]) + given.pop("verbose") - given.pop("quiet")
        said = {name: value for name, value in given.items() if value is not None}
        vars(self).update({**settings, **said, "verbose": counted})
        self.program = program

    @property
    def ending(self) -> str:
        return "lprof" if self.line_by_line else "prof"


class Program(NamedTuple):
    """kind: script, module, command or stdin; what: its path, its name, or its text."""

    kind: str
    what: str
    arguments: list[str]


def parse(words: list[str]) -> Options:
    """SystemExit, and a sentence, if words cannot be obeyed, and when help was asked for."""
    parser = _parser()
    at = _program_flag(parser, words)
    before = words if at is None else words[:at]
    given = vars(parser.parse_args(before))
    program = _program(parser, given.pop("words"), [] if at is None else words[at:])
    try:
        source = get_cli_config(SETTINGS, given["config"])
        _check(source.conf_dict)
        return Options({**given, "config": source.path}, dict(source.conf_dict), program)
    except (OSError, TypeError, ValueError) as error:
        parser.error(str(error))


def _check(settings: dict[str, Any]) -> None:
    """ValueError if a value is not of the kind of the default."""
    for name, default in get_cli_config(SETTINGS, False).conf_dict.items():
        value = settings[name]
        kinds = (int, float) if isinstance(default, int | float) else type(default)
        if not isinstance(value, kinds) or (name == "unit" and value <= 0):
            key = name.replace("_", "-")
            raise ValueError(f"{key} = {value!r}: expected something like {default!r}")


def _parser() -> ArgumentParser:
    default = get_cli_config(SETTINGS)
    parser = ArgumentParser(
        prog=_name(),
        usage=f"%(prog)s [OPTIONS] {WHAT} ...",
        description="Runs a program and records its calls, or the lines of what is marked in it.",
    )
    add_argument(parser, "-V", "--version", action="version", version=__version__)
    path = short_string_path(default.path)
    add_argument(parser, "--config", help=f"read the settings from this file (default: {path})")
    add_argument(
        parser,
        "--no-config",
        action="store_const",
        dest="config",
        const=False,
        help="read the settings from no file",
    )
    for title, options in {"profiling options": PROFILING, "output options": OUTPUT}.items():
        group = parser.add_argument_group(title)
        for option in options:
            flags = option.flags.split()
            value = default.conf_dict.get(flags[1 % len(flags)].strip("-").replace("-", "_"))
            help = option.help if value in ("", [], None) else f"{option.help} (default: {value})"
            add_argument(group, *flags, help=help.replace("%", "%%"), **option.how)
    words = parser.add_argument("words", nargs=PARSER, metavar=WHAT, help="and its own arguments")
    words.required = False  # after -m and -c, which end the options, there are none left
    return parser


def _name() -> str:
    name = os.path.basename(sys.argv[0])
    return "python -m fettle.compat.kernprof" if name == "__main__.py" else name


def _program_flag(parser: ArgumentParser, words: list[str]) -> int | None:
    """Where the -m or -c is that ends the options, unless a script did so before."""
    end = words.index("--") if "--" in words else len(words)
    for at in range(end):
        if words[at] in ("-m", "-c"):
            if parser.parse_args(words[:at]).words:
                return None
            if at + 1 == end:
                parser.error(f"argument expected for the {words[at]} option")
            return at
    return None


def _program(parser: ArgumentParser, script: list[str] | None, rest: list[str]) -> Program:
    if rest:
        return Program("module" if rest[0] == "-m" else "command", rest[1], rest[2:])
    if script and script[0] == "--":
        script = script[1:]
    if not script:
        parser.error(f"the following arguments are required: {WHAT}")
    arguments = script[2:] if script[1:2] == ["--"] else script[1:]
    if script[0] == "-":
        return Program("stdin", sys.stdin.read(), arguments)
    return Program("script", script[0], arguments)
