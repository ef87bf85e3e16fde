# SPDX-License-Identifier: Apache-2.0
"""Programs that may crash or hang: each in a fresh interpreter, by itself or recorded from
outside."""

import os
import subprocess
import sys
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from fettle._core import Profile
from fettle.guest import JOINED

TIMEOUT = 60  # seconds: a hang, not a speed limit
PRELUDE = """
import ctypes, gc, os, sys, threading, tracemalloc
from fettle import _core
def Recorder(**options):
    return _core.Recorder(calls=False, mem=options.pop("mem", True), **options)
def alive_by(recorder, but=0):
    \"\"\"{line: [blocks, bytes]} of what is alive, but for blocks of one size.\"\"\"
    found = {}
    for (_, size, stack, _), count in recorder.traces():
        if stack[0][0] == "<string>" and size != but:
            row = found.setdefault(stack[0][1], [0, 0])
            row[0] += count
            row[1] += count * size
    return found
def total(recorder):
    \"\"\"Blocks and bytes that are alive, by the rows.\"\"\"
    gc.collect()
    gc.disable()  # nothing ends between the two
    rows = recorder.traces()
    traced = recorder.traced()[0]
    blocks, size = sum(count for _, count in rows), sum(row[1] * count for row, count in rows)
    gc.enable()
    assert size == traced, (size, traced)
    return blocks, size
"""


def environment(**extra: str) -> dict[str, str]:
    ours = ("FETTLE", "COV_", "PYTHON")
    return {k: v for k, v in os.environ.items() if not k.startswith(ours)} | extra


def run(
    *texts: str, arguments: Sequence[str] = (), options: Sequence[str] = (), **extra: str
) -> str:
    """What the program printed; it must end well and quietly. Its parts, arguments of it and of
    Python, environment."""
    program = PRELUDE + "".join(map(textwrap.dedent, texts))
    done = subprocess.run(
        [sys.executable, *options, "-c", program, *arguments],
        capture_output=True,
        text=True,
        env=environment(**extra),
        stdin=subprocess.DEVNULL,
        timeout=TIMEOUT,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, ""), f"{done.returncode}\n{done.stderr[-3000:]}"
    return done.stdout


@dataclass(frozen=True)
class Ended:
    status: int
    stdout: str
    stderr: str
    profile: Profile
    path: Path


def launch(folder: Path, text: str, *options: str, words: str) -> Ended:
    """Runs text as app.py of the folder, recorded as `fettle run` does it."""
    script, parts = folder / "app.py", folder / "out.parts"
    script.write_text(text)
    parts.mkdir()
    recorded = environment(FETTLE=f"{JOINED} {words}", FETTLE_OUT=str(folder / "out"))
    with subprocess.Popen(
        [sys.executable, *options, str(script)],
        env=recorded,
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            stdout, stderr = process.communicate(timeout=TIMEOUT)
        finally:
            process.kill()
    profile = Profile()
    profile.harvest(str(parts), process.pid)
    return Ended(process.returncode, stdout, stderr, profile, script)
