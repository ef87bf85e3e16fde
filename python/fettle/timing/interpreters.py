# SPDX-License-Identifier: Apache-2.0
"""Interpreters that can be measured: the one that runs this, and others by their paths."""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass

from fettle import properties
from fettle.problem import FETTLE_FAILED, USAGE, Problem, reason

OLDEST = [3, 8]
STARTS = 30.0  # seconds: a hang, not a speed limit
# What is measured is the interpreter, not what is installed in it.
WORDS = ("-I", "-S", "-W", "ignore")
_MARK = "fettle asks:"
# Any Python from 2.7 on understands it, and it imports nothing that a folder could hold.
_PROBE = f"""\
import sys
name = getattr(getattr(sys, "implementation", None), "name", "cpython")
print({_MARK!r} + repr((name, list(sys.version_info[:2]), sys.version, sys.executable)))
"""


@dataclass(frozen=True, slots=True)
class Interpreter:
    """A CPython that can be measured."""

    command: str  # what starts it
    path: str  # of the file itself: environments of one interpreter share it
    version: str  # with the build and the compiler, as sys.version has them

    @property
    def number(self) -> str:
        """3.12.1"""
        return self.version.split(" ", 1)[0]


def own() -> Interpreter:
    """The one that runs this.

    >>> own().version == sys.version
    True
    """
    if not sys.executable:
        raise Problem(
            FETTLE_FAILED,
            "this Python is part of another program and can not be started by itself; run fettle "
            "with a python command.",
        )
    if sys.implementation.name != "cpython":
        raise Problem(USAGE, _refused(sys.executable, sys.implementation.name))
    return Interpreter(sys.executable, os.path.realpath(sys.executable), sys.version)


def named(word: str) -> Interpreter:
    """The one that --vs names: a path, or a command."""
    command = shutil.which(word) if word else None
    if command is None:
        what = "a folder" if os.path.isdir(word) else "no program" if word else "empty"
        raise Problem(
            USAGE, f"{word or '--vs'} is {what}; --vs takes a Python, such as /usr/bin/python3.12."
        )
    name, number, version, path = _answer(command)
    text = ".".join(map(str, number))
    if name != "cpython":
        raise Problem(USAGE, _refused(word, f"{name} {text}"))
    if number < OLDEST:
        raise Problem(USAGE, f"{word} is Python {text}; fettle costs needs one from 3.8 on.")
    if "free-threading" in version:
        raise Problem(
            USAGE,
            f"{word} is a free-threaded Python {text}; fettle costs compares those with a GIL, so "
            "name another.",
        )
    return Interpreter(command, os.path.realpath(path or command), version)


def _refused(word: str, name: str) -> str:
    return f"{word} is {name}; fettle costs measures CPython, so name one."


def _answer(command: str) -> tuple[str, list[int], str, str]:
    try:
        done = subprocess.run(
            [command, "-E", "-s", "-S", "-c", _PROBE],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=STARTS,
            env=environment(),
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        why = reason(error) if isinstance(error, OSError) else f"no answer in {STARTS:.0f} s"
        raise Problem(USAGE, f"{command} does not start: {why}; name a Python.") from None
    for line in done.stdout.splitlines():
        if line.startswith(_MARK):
            return _read(line.removeprefix(_MARK), command)
    raise Problem(USAGE, f"{command} is no Python: it gave no answer to -c; name a Python.")


def _read(text: str, command: str) -> tuple[str, list[int], str, str]:
    import ast

    try:
        name, number, version, path = ast.literal_eval(text)
        return str(name), [int(each) for each in number], str(version), str(path)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        raise Problem(USAGE, f"{command} is no Python: its answer makes no sense.") from None


def environment() -> dict[str, str]:
    """Ours, less what would change how a Python runs."""
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("FETTLE", "PYTHON"))
    }


def processor() -> str:
    """What the machine calls its processor."""
    return properties.processor() or os.uname().machine


def key(interpreter: Interpreter) -> str:
    """What figures depend on besides the construct: this interpreter, on this machine."""
    machine = os.uname()
    parts = [interpreter.path, interpreter.version, processor(), machine.machine, machine.sysname]
    return json.dumps(parts)
