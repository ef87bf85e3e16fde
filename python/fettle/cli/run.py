# SPDX-License-Identifier: Apache-2.0
"""`fettle run`: records a program and prints its tables."""

import os
import sys

from fettle import executable, frames, launch, repeat, selectors
from fettle.invocation import parse as parse_invocation
from fettle.invocation import script_name
from fettle.options import Option, Parsed, help_lines, parse
from fettle.problem import USAGE, Problem
from fettle.report import order

TYPE_CHECKING = False
if TYPE_CHECKING:
    from fettle._core import Profile
    from fettle.report import overview

SUMMARY = "record a program: calls, lines, times and memory, in one .fettle file"

OPTIONS = [
    Option("-C --calls", "exact calls, per call path (what is recorded if nothing is named)"),
    Option("-l --lines", "lines of what @profile marks, or of SEL; may be repeated", "[=SEL]"),
    Option("-M --mem", "allocations, by line: every one, or samples", "[=all|sample]"),
    Option("--frames", "of --mem: keep call paths of N lines (1; with -C 32)", "N"),
    Option("--no-builtins", "leave functions written in C out: less overhead"),
    Option("--max-nodes", "cap of the call tree, per process (2000000)", "N"),
    Option("-o --output", "the recording (SCRIPT.fettle; an older one becomes .prev)", "FILE"),
    Option("-s --sort", "sort the table by KEY (cumulative)", "KEY"),
    Option("-n --rows", "rows of the table (30; 0 for all)", "ROWS"),
    Option("--no-source", "keep no source of what --lines and --mem recorded"),
    Option("--repeat", "run the program N times into one recording, for `fettle diff`", "N"),
    Option("-q --quiet", "print no table"),
    Option("-m", "run a module, as `python -m` does", "MODULE", last=True),
    Option("-c", "run CODE, as `python -c` does", "CODE", last=True),
    Option("--", "run any COMMAND; every Python in it that has fettle is recorded", last=True),
]

MOST_RUNS = 1000
OPTIONAL = {"lines": "a selector", "mem": "what to record"}  # options with or without a value

HELP = f"""\
usage: fettle run [OPTIONS] (SCRIPT | -m MODULE | -c CODE | -- COMMAND) [ARGS...]

Runs a program just as Python does, records it, and prints tables when it ended.
The exit code is the program's own (128+n if signal n killed it); of several runs a failing one is
the last, and its code counts.

{help_lines(OPTIONS)}

KEY is one of {order.listing(9)}.
SEL is a FILE or a glob of files, FILE:NAME, MODULE (with what is in it) or MODULE:NAME; NAME is a
function or a class. @fettle.lines marks as @profile does. -n is also the number of line tables.

  fettle run app.py --port 80        options after the script are the script's
  fettle run -s tottime -m pytest -q
  fettle run -l app.py
  fettle run -M --frames 16 app.py
  fettle run -C --lines=shop.cart:Cart --lines='src/*.py' app.py
  fettle run --repeat 5 app.py       then change it, run again, and `fettle diff`
  fettle view app                    shows the table again"""


NOTHING_MARKED = (
    "no function is marked, so no lines were recorded: write @profile above one, or name what you"
    " mean with --lines=FILE, --lines=FILE:NAME or --lines=MODULE:NAME."
)


def main(words: list[str]) -> int:
    parsed = parse("run", OPTIONS, words)
    key = order.find(parsed.values.get("sort", "cumulative"))
    rows = parsed.number("rows", 30)
    program, name = _program(parsed)
    path = os.path.abspath(parsed.values.get("output") or name + ".fettle")
    if "output" in parsed.values and not parsed.values["output"]:
        raise Problem(USAGE, "-o needs the name of a file.")
    program.has_source = "no-source" not in parsed.values
    ended, said = repeat.launched(program, path, _times(parsed))
    remarks = [said] * bool(said)
    _report(ended, _choice(parsed, path, key, rows), remarks, _selectors(parsed), _script(parsed))
    return ended.code


def _times(parsed: Parsed) -> int:
    times = parsed.number("repeat", 1)
    if not 1 <= times <= MOST_RUNS:
        raise Problem(USAGE, f"--repeat needs a number from 1 to {MOST_RUNS}, not {times}.")
    if times > 1 and parsed.words[:1] == ["-"]:
        raise Problem(USAGE, "--repeat needs a program that can be read again; name a SCRIPT.")
    return times


def _choice(parsed: Parsed, path: str, key: str, rows: int) -> "overview.Choice":
    """The tables of what was recorded."""
    from fettle.report import flat, lines, memory, overview

    choice = overview.Choice(None, None)
    if "quiet" in parsed.values:
        return choice
    target = flat.shown_path(path)  # it stands in the first heading
    if _has_calls(parsed):
        choice.calls, target = flat.Choice(key=key, rows=rows, target=target), ""
    if "lines" in parsed.values:
        choice.lines, target = lines.Choice(rows=rows, target=target), ""
    if "mem" in parsed.values:
        choice.mem = memory.Choice(rows=rows, target=target)
    return choice


def _report(
    ended: launch.Ended,
    choice: "overview.Choice",
    remarks: list[str],
    wanted: list[str] | None,
    script: str,
) -> None:
    """Never changes the exit code: that is the program's own."""
    from fettle.cli import abandon, say

    if ended.profile is None:
        say(ended.problem)
        return
    try:
        from fettle.report import overview

        if wanted is not None:
            remarks = [*_unmatched(ended.profile, wanted, script), *remarks]
        overview.show(ended.profile, choice, sys.stderr, remarks)
    except OSError:
        abandon(sys.stderr)
    except KeyboardInterrupt:
        pass  # nobody wants to read it


def _unmatched(profile: "Profile", wanted: list[str], script: str) -> list[str]:
    """What was asked for by --lines and did not come."""
    if not profile.processes() or any(note.kind == "never started" for note in profile.notes()):
        return []  # that nothing was recorded at all is said already
    if not wanted and not profile.lines():
        return [NOTHING_MARKED]
    return selectors.unmatched(profile, wanted, script)


def _has_calls(parsed: Parsed) -> bool:
    """Calls are recorded when asked for, or when nothing is."""
    return "calls" in parsed.values or not parsed.values.keys() & {"lines", "mem"}


def _selectors(parsed: Parsed) -> list[str] | None:
    """Those of --lines=SEL, as they were typed; None without --lines."""
    if "lines" not in parsed.values:
        return None
    return [selector for selector in parsed.given["lines"] if selector]


def _script(parsed: Parsed) -> str:
    is_other = parsed.values.keys() & {"m", "c", "-", ""}
    return "" if is_other or not parsed.words else parsed.words[0]


def _program(parsed: Parsed) -> tuple[launch.Launch, str]:
    """What to start, and what its recording is called."""
    values, words = parsed.values, parsed.words
    options = _options(parsed)
    if "-" in values or "" in values:
        return _command(words, options)
    python = [sys.executable, *_own_flags()]
    if "m" in values:
        return launch.Launch(sys.executable, [*python, "-m", values["m"], *words], options), (
            os.path.basename(values["m"]) or "module"
        )
    if "c" in values:
        return launch.Launch(sys.executable, [*python, "-c", values["c"], *words], options), "code"
    if not words:
        raise Problem(
            USAGE,
            "fettle run needs a program: a SCRIPT, -m MODULE, -c CODE or -- COMMAND; `fettle run"
            " --help` says more.",
        )
    name = "stdin" if words[0] == "-" else script_name(words[0])
    if words[0] != "-":
        _check_script(words[0], [key for key in OPTIONAL if "" in parsed.given.get(key, [])])
    return launch.Launch(sys.executable, [*python, *words], options), name


def _options(parsed: Parsed) -> str:
    """The words the guest gets."""
    words = ["calls"] * _has_calls(parsed)
    for selector in parsed.given.get("lines", []):
        found = selectors.words(selector) if selector else []
        words += [f"lines={word}" for word in found] or ["lines"]
    for key in {"no-builtins", "max-nodes"} & parsed.values.keys():
        if not _has_calls(parsed):
            raise Problem(USAGE, f"--{key} is about calls, which are not recorded here; add -C.")
    words += _of_memory(parsed)
    if "no-builtins" in parsed.values:
        words.append("no-builtins")
    if "max-nodes" in parsed.values:
        nodes = parsed.number("max-nodes", 0)
        if not nodes:
            raise Problem(USAGE, "--max-nodes needs a number of 1 or more.")
        words.append(f"max-nodes={nodes}")
    return " ".join(words)


def _of_memory(parsed: Parsed) -> list[str]:
    """The guest's words for -M and --frames."""
    values = parsed.values
    if "mem" not in values:
        if "frames" in values:
            raise Problem(USAGE, "--frames is about allocations, which are not recorded; add -M.")
        return []
    if values["mem"] not in {"", "all", "sample"}:
        raise Problem(USAGE, f"--mem= needs all or sample, not {values['mem']!r}.")
    words = ["mem=sample" if values["mem"] == "sample" else "mem"]
    if "frames" in values:
        words.append(f"frames={frames.read(values['frames'])}")
    elif _has_calls(parsed):
        words.append(f"frames={frames.WITH_CALLS}")
    return words


def _own_flags() -> list[str]:
    """`python -X dev -m fettle run` means the flag for the program."""
    invocation = parse_invocation(sys.orig_argv)
    return invocation.flags if invocation.kind == "module" else []


def _command(words: list[str], options: str) -> tuple[launch.Launch, str]:
    if not words:
        raise Problem(USAGE, "-- needs a COMMAND after it.")
    return launch.Launch(executable.find(words[0]), words, options), script_name(words[0])


def _check_script(path: str, switches: list[str]) -> None:
    """Says what Python would find out only after the output was made. switches: options before it
    whose value it may have been meant to be."""
    if path.endswith(".fettle"):
        raise Problem(USAGE, f"{path} is a recording; `fettle view {path}` shows it.")
    if not os.path.exists(path):
        hint = " (options of fettle come before the script)" if path.startswith("-") else ""
        if switches and not hint and not path.endswith(".py"):
            key = "mem" if "mem" in switches and path in {"all", "sample"} else switches[0]
            hint = f" ({OPTIONAL[key]} stands after =: --{key}={path})"
        raise Problem(USAGE, f"there is no script {path}{hint}; check the name and the folder.")
    if os.path.isdir(path):
        mains = (os.path.join(path, "__main__" + suffix) for suffix in (".py", ".pyc"))
        if not any(map(os.path.isfile, mains)):
            raise Problem(USAGE, f"{path} is a folder without a __main__.py; name a script in it.")
    elif os.path.isfile(path) and not path.endswith(".py"):
        _check_archive(path)


def _check_archive(path: str) -> None:
    from zipimport import ZipImportError, zipimporter

    try:
        archive = zipimporter(path)
    except (ZipImportError, OSError):
        return  # not a zip: a script with another name
    if archive.find_spec("__main__") is None:
        raise Problem(USAGE, f"{path} is a zip file without a __main__.py; name another script.")
