# SPDX-License-Identifier: Apache-2.0
"""The same code in another interpreter: it runs a small program of ours, which compiles the source
and writes its instructions as JSON. Nothing of the source is run there either.
"""

import json
import os
import subprocess

from fettle.bytecode.codes import plain
from fettle.problem import USAGE, Problem
from fettle.report.names import shortened, visible

TYPE_CHECKING = False
if TYPE_CHECKING:
    from fettle.bytecode.find import Target
    from fettle.bytecode.pairs import Operation

    Found = dict[tuple[str, int], tuple[Operation, ...]]  # by name and first line

_SECONDS = 60


def ask(python: str, target: "Target") -> "tuple[str, Found]":
    """Its version, and what it makes of the target and of what that holds. Problem."""
    from fettle.bytecode.pairs import Operation

    question = {
        "source": target.unit.source,
        "file": target.unit.file,
        "is_text": target.unit.name == "-c",
        "name": plain(target.code.co_qualname),
        "line": target.code.co_firstlineno,
    }
    answer = _answer(python, json.dumps(question))
    try:
        told = json.loads(answer)
        if "error" in told:
            raise Problem(USAGE, f"{visible(python)}: {visible(str(told['error']))}.")
        found: Found = {}
        for name, line, rows in told["found"]:
            found[str(name), int(line)] = tuple(Operation(*row) for row in rows)
        return str(told["version"]), found
    except (ValueError, KeyError, TypeError):
        raise _no_python(python, "it did not answer") from None


def _answer(python: str, question: str) -> str:
    script = os.path.join(os.path.dirname(__file__), "stranger.py")
    try:
        done = subprocess.run(
            [python, "-I", script],
            input=question.encode("ascii"),
            capture_output=True,
            timeout=_SECONDS,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise _no_python(python, getattr(error, "strerror", "") or "it took too long") from None
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip().split("\n")[-1]
        raise _no_python(python, shortened(said) or f"it ended with {done.returncode}")
    return done.stdout.decode("utf-8", "replace")


def _no_python(python: str, why: str) -> Problem:
    return Problem(
        USAGE,
        f"{visible(python)} is no Python 3.6 or newer that can be asked: {visible(why)}; name"
        " another, or a second SEL.",
    )
