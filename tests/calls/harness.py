# SPDX-License-Identifier: Apache-2.0
"""Runs a program in fresh interpreters, once under cProfile and once under `fettle run`."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from .counts import Counts, of_cprofile, of_main, of_tables

HERE = Path(__file__).parent
PROGRAMS = HERE / "programs"
TIMEOUT = 120  # seconds: a hang, not a speed limit
# A recorded program has FETTLE and FETTLE_OUT in its environment: two more to walk over.
AS_MANY_VARIABLES = {"FIRST_MORE": "", "SECOND_MORE": ""}


def environment(**extra: str) -> dict[str, str]:
    """The same for both runs. No byte code is written: a first run would compile and the second
    load what the first compiled."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("FETTLE", "PYTHON", "COV_"))}
    return kept | {"PYTHONHASHSEED": "0", "PYTHONDONTWRITEBYTECODE": "1"} | extra


@dataclass(frozen=True)
class Ended:
    """A process that ended. A death by signal n is status -n."""

    status: int
    stdout: str
    stderr: str


@dataclass(frozen=True)
class Recorded(Ended):
    """... and left a recording."""

    path: Path
    script: Path

    @cached_property
    def profile(self):
        from fettle._core import Profile

        return Profile.read(str(self.path))

    @cached_property
    def document(self) -> dict[str, Any]:
        return json.loads(self.profile.export("json"))

    @cached_property
    def counts(self) -> Counts:
        """Of all threads and processes, from begin to end."""
        return of_tables(self.document)

    @cached_property
    def main_counts(self) -> Counts:
        """Of what the main module called, itself included: what cProfile can see."""
        return of_main(self.document, str(self.script))


def execute(command: list[str], folder: Path, **extra: str) -> Ended:
    done = subprocess.run(
        command,
        cwd=folder,
        env=environment(**extra),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=TIMEOUT,
        check=False,
    )
    return Ended(done.returncode, done.stdout, done.stderr)


def plain(script: Path, folder: Path, *arguments: str) -> Ended:
    return execute([sys.executable, str(script), *arguments], folder)


def under_cprofile(
    script: Path, folder: Path, options: tuple[str, ...] = ()
) -> tuple[Ended, Counts]:
    out = folder / "reference.rows"
    runner = [str(HERE / "reference.py"), str(out), ",".join(loaded_by_probe(options))]
    command = [sys.executable, *runner, str(script)]
    ended = execute(command, folder, **AS_MANY_VARIABLES)
    assert out.exists(), f"the reference run of {script.name} left no rows:\n{ended.stderr}"
    return ended, of_cprofile(out)


def loaded_by_probe(options: tuple[str, ...]) -> list[str]:
    """The modules (in C, built in) that are loaded before a recorded program's first line."""
    from_outside = sys.version_info < (3, 12) and "--no-builtins" in options
    return ["atexit", "gc"] if from_outside else ["atexit"]


def under_fettle(
    script: Path, folder: Path, *arguments: str, options: tuple[str, ...] = ()
) -> Recorded:
    out = folder / f"{script.stem}.fettle"
    command = [sys.executable, "-m", "fettle", "run", "-q", *options, "-o", str(out)]
    ended = execute([*command, str(script), *arguments], folder)
    assert out.exists(), f"no recording of {script.name} (status {ended.status}):\n{ended.stderr}"
    return Recorded(ended.status, ended.stdout, ended.stderr, out, script)


def programs(kind: str) -> list[Path]:
    found = sorted((PROGRAMS / kind).glob("*.py"))
    assert found, f"no programs under {PROGRAMS / kind}"
    return found
