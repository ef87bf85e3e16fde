# SPDX-License-Identifier: Apache-2.0
"""The command `fettle`. A verb is a module of this folder, found by its name, with

SUMMARY                one line for `fettle --help`
HELP                   what `fettle VERB --help` prints
OPTIONS                its options: a list, if pyproject.toml may have some of them
main(words) -> int     does it: the exit code, or a Problem
"""

import os
import sys

from fettle.options import HelpWanted
from fettle.problem import FETTLE_FAILED, USAGE, Problem, reason

TYPE_CHECKING = False  # importing typing would cost more than all the rest
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Protocol, TextIO

    class Verb(Protocol):
        SUMMARY: str
        HELP: str

        def main(self, words: list[str]) -> int: ...


def verbs() -> list[str]:
    names = (entry.rpartition(".") for entry in os.listdir(os.path.dirname(__file__)))
    return sorted(stem for stem, _, suffix in names if suffix == "py" and not stem.startswith("_"))


def main(words: list[str] | None = None) -> int:
    """Runs `fettle WORDS`; gives the exit code."""
    try:
        code = _dispatch(sys.argv[1:] if words is None else words)
        if sys.stdout is not None:
            sys.stdout.flush()
        return code
    except Problem as problem:
        say(problem.sentence)
        return problem.code
    except BrokenPipeError:  # `| head` has seen enough
        abandon(sys.stdout)
        return 0
    except OSError as error:
        abandon(sys.stdout)
        say(f"the output could not be written: {reason(error)}; make room, or write it elsewhere.")
        return FETTLE_FAILED
    except KeyboardInterrupt:
        return 130
    except Exception as error:
        if os.environ.get("FETTLE_DEBUG"):
            raise
        say(f"this should not have happened: {reason(error)}; FETTLE_DEBUG=1 shows where.")
        return FETTLE_FAILED


def say(sentence: str) -> None:
    """One sentence to the user, on stderr. It may name a file, whose name may be anything."""
    if sys.stderr is not None:
        from fettle.report.names import plain

        try:
            print(f"fettle: {plain(sentence)}", file=sys.stderr, flush=True)
        except OSError:
            abandon(sys.stderr)


def stand_in(command: "Callable[[], int | str | None]") -> None:
    """Runs the command line of a module that has another's interface. That nobody reads its output
    any more (`| head`) is no failure; SystemExit with the code, if it has one."""
    code = None
    try:
        code = command()
        if sys.stdout is not None:
            sys.stdout.flush()
    except BrokenPipeError:
        abandon(sys.stdout)
    if code is not None:
        sys.exit(code)


def abandon(stream: "TextIO | None") -> None:
    """Nobody can read stream any more: what it still holds goes nowhere, without a word."""
    if stream is not None:
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _dispatch(words: list[str]) -> int:
    word = words[0] if words else "--help"
    if word == "help" and len(words) > 1:
        word, words = words[1], [words[1], "--help"]
    if word in {"-h", "--help", "help"}:
        print(_help())
        return 0 if words else USAGE
    if word in {"-V", "--version"}:
        from fettle import __version__

        print(f"fettle {__version__} (Python {'.'.join(map(str, sys.version_info[:3]))})")
        return 0
    if not word.isidentifier() or word not in verbs():
        raise Problem(USAGE, _unknown(word))
    verb = _load(word)
    if word != "run":  # whose program has the streams as they are
        _open_closed_streams()
    try:
        return verb.main([*_settings(word, verb, words[1:]), *words[1:]])
    except HelpWanted:
        print(verb.HELP)
        return 0


def _settings(name: str, verb: "Verb", words: list[str]) -> list[str]:
    """Options that the project always means. Who asks for help gets it whatever stands there."""
    options = getattr(verb, "OPTIONS", None)
    if not isinstance(options, list) or words[:1] in (["-h"], ["--help"]):
        return []
    from fettle import settings

    return settings.words(name, options)


def _open_closed_streams() -> None:
    """What is closed leads nowhere: else its place is taken by the next file that is opened."""
    for place in range(3):
        try:
            os.fstat(place)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the first place that is free
    if sys.stdout is None:
        sys.stdout = open(1, "w", closefd=False)  # noqa: SIM115


def _load(name: str) -> "Verb":
    full = f"{__name__}.{name}"
    __import__(full)
    module: Verb = sys.modules[full]
    return module


def _unknown(word: str) -> str:
    if os.path.exists(word):
        verb = "view" if word.endswith(".fettle") else "run"
        return f"{word} is not a verb; write `fettle {verb} {word}`."
    return f"there is no verb {word!r}; the verbs are {', '.join(verbs())}."


def _help() -> str:
    lines = [
        "fettle: measure, find, fix, prove. Performance of Python programs.",
        "",
        "  fettle run app.py          record a program and show where its time went",
        "  fettle view                show the newest recording in this folder again",
        "",
        "Verbs (`fettle VERB --help` says more):",
        *(f"  {name:<8} {_load(name).SUMMARY}" for name in verbs()),
    ]
    return "\n".join(lines)
