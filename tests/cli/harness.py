# SPDX-License-Identifier: Apache-2.0
"""Runs the `fettle` of this environment as a user would."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

FETTLE = str(Path(sys.executable).with_name("fettle"))
# The name by which that command calls its interpreter: programs can see it.
SHEBANG = Path(FETTLE).read_text().split("\n", 1)[0].removeprefix("#!").strip()
PYTHON = SHEBANG if SHEBANG.startswith(sys.prefix) else sys.executable
TIMEOUT = 60  # seconds: a hang, not a speed limit


def environment(**extra: str) -> dict[str, str]:
    dropped = ("FETTLE", "PYTHON", "NO_COLOR", "FORCE_COLOR", "COLUMNS")
    kept = {key: value for key, value in os.environ.items() if not key.startswith(dropped)}
    return kept | extra


@dataclass
class Ended:
    """A command that ended. Death by signal n is code -n."""

    code: int
    stdout: str
    stderr: str

    def sentence(self) -> str:
        """The one sentence it said, which must be all of stderr."""
        lines = self.stderr.splitlines()
        assert len(lines) == 1, self.stderr
        assert lines[0].startswith("fettle: "), self.stderr
        assert lines[0].endswith("."), self.stderr
        return lines[0]


class Folder:
    """A folder to work in, and the commands that are run there."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def write(self, name: str, text: str) -> Path:
        file = self.path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        return file

    def execute(self, *command: str, stdin: str | None = None, **extra: str) -> Ended:
        done = subprocess.run(
            command,
            cwd=self.path,
            env=environment(**extra),
            input=stdin,
            stdin=subprocess.DEVNULL if stdin is None else None,
            capture_output=True,
            text=True,
            timeout=TIMEOUT,
            check=False,
        )
        return Ended(done.returncode, done.stdout, done.stderr)

    def fettle(self, *words: str, **extra: str) -> Ended:
        return self.execute(FETTLE, *words, **extra)

    def python(self, *words: str, **extra: str) -> Ended:
        return self.execute(PYTHON, *words, **extra)

    def start(self, *command: str, **extra: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            command,
            cwd=self.path,
            env=environment(**extra),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def names(self) -> set[str]:
        return {entry.name for entry in self.path.iterdir()}


def rows(table: str) -> dict[str, str]:
    """ncalls by filename:lineno(function), as a printed table has them."""
    found = {}
    for line in table.splitlines():
        words = line.split()
        if len(words) >= 6 and words[0].replace("/", "").isdecimal() and "." in words[1]:
            start = 6 if words[5].endswith("%") else 5
            found[" ".join(words[start:])] = words[0]
    return found


def until(condition: Callable[[], bool]) -> None:
    """Waits for what must come."""
    deadline = time.monotonic() + TIMEOUT
    while not condition():
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.02)
