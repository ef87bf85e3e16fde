# SPDX-License-Identifier: Apache-2.0
"""The ways in which a benchmark's script is run: plain, by us and by the peers, each in a process
of its own. What a run took is read on the CPU clock, which other programs disturb least."""

from __future__ import annotations

import ast
import importlib.util
import os
import resource
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

# yappi's own command runs a script among its own global names; this gives it a module of its own.
YAPPI = """
import runpy, sys, yappi
out, clock, builtins, script = sys.argv[1:]
yappi.set_clock_type(clock)
yappi.start(builtins=builtins == "builtins")
runpy.run_path(script, run_name="__main__")
yappi.stop()
yappi.get_func_stats().save(out, "pstat")
"""

PYTHON = [sys.executable]
FETTLE = [*PYTHON, "-m", "fettle", "run", "-q", "-o", "{out}"]
_COMMANDS = {
    "plain": PYTHON,
    "cProfile": [*PYTHON, "-m", "cProfile", "-o", "{out}"],
    "fettle": FETTLE,
    "fettle --no-builtins": [*FETTLE, "--no-builtins"],
    # yappi's documented default is the CPU clock, without builtins: that is the last one. The
    # other two record what cProfile and fettle record; the wall clock is what those use.
    "yappi": [*PYTHON, "-c", YAPPI, "{out}", "cpu", "builtins"],
    "yappi wall": [*PYTHON, "-c", YAPPI, "{out}", "wall", "builtins"],
    "yappi --no-builtins": [*PYTHON, "-c", YAPPI, "{out}", "cpu", "no-builtins"],
}

# The end of every script: what it measured itself, the process's peak of memory (kB), and the
# bytes of the arenas that fettle is recording into.
TELL = """
import os as _os
_parts = _os.environ["BENCH_PARTS"]
_arenas = [_os.stat(_os.path.join(_parts, _name)) for _name in _os.listdir(_parts)] \\
    if _os.path.isdir(_parts) else []
_peak = int(open("/proc/self/status").read().split("VmHWM:")[1].split()[0])
print("\\n" + repr((_measured, _peak, sum(_one.st_blocks * 512 for _one in _arenas))))
"""


@dataclass(frozen=True)
class Run:
    """One run of a script."""

    measured: tuple[float, ...]  # what the script measured, in CPU seconds
    whole: float  # CPU seconds of the launcher and everything below it, from start to exit
    peak: int  # bytes: the script's process, when it was done
    arenas: int  # bytes


def available() -> list[str]:
    """The names of the ways, without yappi's where it is not installed."""
    there = importlib.util.find_spec("yappi") is not None
    return [name for name in _COMMANDS if there or not name.startswith("yappi")]


def rounds_of(way: str, rounds: int) -> int:
    """How often that way is run. yappi takes up to forty times as long as the rest, on its default
    clock above all."""
    at_most = {"yappi": 1, "yappi --no-builtins": 1, "yappi wall": 2}
    return min(rounds, at_most.get(way, rounds))


def recording(way: str, folder: Path) -> Path:
    """What the run of that way leaves in the folder."""
    return folder / f"{way.replace(' ', '')}.{'fettle' if way.startswith('fettle') else 'pstats'}"


def as_pstats(recording: Path) -> Path:
    """The recording as a file that pstats reads; the peers write nothing else."""
    if recording.suffix != ".fettle":
        return recording
    exported = recording.with_suffix(".exported")
    command = [*PYTHON, "-m", "fettle", "export", str(recording), "-f", "pstats"]
    subprocess.run([*command, "-o", str(exported)], check=True, stdout=subprocess.DEVNULL)
    return exported


def timed(command: list[str]) -> tuple[float, float, str]:
    """Runs a command: its wall time, its CPU time with that of what it started, and its output."""
    before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True)
    wall, after = time.perf_counter() - begun, resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
    return wall, cpu, done.stdout


def run(way: str, script: Path, environment: Mapping[str, str] | None = None) -> Run:
    """Runs the script, which has set `_measured` (a tuple) and ends with TELL."""
    out = recording(way, script.parent)
    command = [str(out) if word == "{out}" else word for word in _COMMANDS[way]]
    process = subprocess.Popen(
        [*command, str(script)],
        stdout=subprocess.PIPE,
        text=True,
        env={
            **os.environ,
            **(environment or {}),
            "BENCH_PARTS": f"{out}.parts",
            "PYTHONHASHSEED": "0",
        },
    )
    assert process.stdout is not None
    with process.stdout:
        said = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise SystemExit(f"bench: the {way} run of {script.name} ended with {process.returncode}.")
    measured, peak, arenas = ast.literal_eval(said.splitlines()[-1])
    return Run(measured, usage.ru_utime + usage.ru_stime, peak * 1024, arenas)
