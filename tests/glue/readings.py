# SPDX-License-Identifier: Apache-2.0
"""What a Recorder says of a function, and the functions that tests have it record."""

import subprocess
import sys
import textwrap

from fettle._core import FunctionRow, Recorder

BY_THREAD = sys.version_info < (3, 12)  # there a thread's profile hook brings the events


def row(recorder: Recorder, name: str) -> FunctionRow | None:
    found = [each for each in recorder.profile().functions() if each.name == name]
    assert len(found) <= 1
    return found[0] if found else None


def calls(recorder: Recorder, name: str) -> int:
    found = row(recorder, name)
    return found.calls if found else 0


def notes(recorder: Recorder) -> set[str]:
    return {note.kind for note in recorder.profile().notes()}


def work() -> None:
    leaf()


def leaf() -> None:
    pass


def run_script(script: str) -> str:
    """The script's stdout; it must end well and say nothing else."""
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stdout + done.stderr
    return done.stdout
