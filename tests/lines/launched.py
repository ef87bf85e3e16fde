# SPDX-License-Identifier: Apache-2.0
"""Programs recorded from outside, as `fettle run` does it: into parts, whatever they end like."""

import os
import subprocess
import sys
import textwrap
from dataclasses import dataclass
from pathlib import Path

from fettle._core import Profile
from fettle.guest import JOINED

from .tables import Table, tables_of

TIMEOUT = 120  # seconds: a hang, not a speed limit


@dataclass(frozen=True)
class Ended:
    status: int
    stdout: str
    stderr: str
    profile: Profile
    path: Path

    @property
    def tables(self) -> dict[str, Table]:
        return tables_of(self.profile)


def environment(**extra: str) -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("FETTLE", "COV_"))}
    return kept | {"PYTHONDONTWRITEBYTECODE": "1"} | extra


def launch(folder: Path, text: str, *arguments: str, words: str = "lines") -> Ended:
    """Runs text as app.py of the folder and reads what it left."""
    script, parts = folder / "app.py", folder / "out.parts"
    script.write_text(textwrap.dedent(text))
    parts.mkdir()
    process = subprocess.Popen(
        [sys.executable, *arguments, str(script)],
        env=environment(FETTLE=f"{JOINED} {words}", FETTLE_OUT=str(folder / "out")),
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        stdout, stderr = process.communicate(timeout=TIMEOUT)
    finally:
        process.kill()
    profile = Profile()
    profile.harvest(str(parts), process.pid)
    return Ended(process.returncode, stdout, stderr, profile, script)
