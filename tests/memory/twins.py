# SPDX-License-Identifier: Apache-2.0
"""A program run twice, in processes of its own: once heard by tracemalloc, once by a Recorder.

It finds `measure()` in its namespace, which notes bytes alive and at the peak, and `reset()`, which
begins the peak anew. What both heard is given back as {stack: [bytes, blocks]}, a stack being
(file, line), outermost first. What the harness itself allocates is left out.
"""

import functools
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from .meddling import library

Stack = tuple[tuple[str, int], ...]
TIMEOUT = 300  # seconds: a hang, not a speed limit

CHILD = r"""
import array, ast, ctypes, gc, json, operator, sys, tracemalloc
from fettle import _core
who, path, frames = sys.argv[1], sys.argv[2], int(sys.argv[3])
clear_cache = sys._clear_type_cache
measured, at = array.array("q", bytes(1600)), [0]
with open(path) as file:
    tree = ast.parse(file.read(), path)
imports = [node for node in tree.body if isinstance(node, (ast.Import, ast.ImportFrom))]
exec(compile(ast.Module(imports, []), path, "exec"), {})
code = compile(tree, path, "exec")
del tree, imports
recorder = _core.Recorder(calls=False, mem=True, frames=frames)
if who == "tracemalloc":
    start, stop, traced = tracemalloc.start, tracemalloc.stop, tracemalloc.get_traced_memory
    reset, arguments = tracemalloc.reset_peak, (frames,)
else:
    start, stop, traced = recorder.start, recorder.stop, recorder.traced
    reset, arguments = recorder.reset_peak, ()
def hide(flag):
    pass
library = len(sys.argv) > 4 and ctypes.PyDLL(sys.argv[4])
if library:  # tracemalloc is to hear of no objects that are made in blocks of a freelist
    hide = library.meddler_set_tracing if who == "tracemalloc" else library.meddler_ignore
    hide(hide(1))
def take_kept():  # nor does what looks make any while it may
    return [drain(4) if library else []]
def measure():
    clear_cache()  # of types: by addresses, it keeps the names of attributes alive
    held = take_kept()
    hide(1)
    measured[at[0]], measured[at[0] + 1] = traced()
    hide(0)
    at[0] += 2
def begin_peak():
    hide(1)
    reset()
    hide(0)
def drain(most):
    few, many = range(200), range(2100)
    return [
        [[] for _ in few], [{} for _ in few], [{1: 1} for _ in few],
        [float(i) for i in few], [slice(i) for i in few],
        [tuple(range(n)) for n in range(most - 1, 0, -1) for _ in many],
    ]
namespace = {"__name__": "program", "measure": measure, "reset": begin_peak}
sys.argv[1:] = []
gc.callbacks.append(operator.is_)  # ours is one: for any, the interpreter makes a dictionary
gc.collect()
gc.disable()
empty = drain(22)  # what freelists hold from before is nobody's: they begin empty
start(*arguments)
hide(0)
exec(code, namespace)
clear_cache()
held = drain(4)  # what looks takes none of the program's blocks off a freelist
hide(1)
if who == "tracemalloc":
    rows = [(stack, size, 1) for _, size, stack, _ in tracemalloc._get_traces()]
else:
    rows = [(stack, size, count) for (_, size, stack, _), count in recorder.traces()]
stop()
sums = {}
for stack, size, count in rows:
    row = sums.setdefault(tuple(map(tuple, stack))[::-1], [0, 0])
    row[0] += size * count
    row[1] += count
kept = [(stack, row) for stack, row in sums.items() if stack[-1][0] != "harness"]
sys.stdout.write("\n@" + json.dumps({"rows": kept, "measured": list(measured[:at[0]])}))
"""
STARTS = f"exec(compile({CHILD!r}, 'harness', 'exec'))"


def oracle() -> list[str]:
    """What makes tracemalloc keep to the rule that a block belongs to where it was allocated."""
    return [library()] if sys.version_info < (3, 13) else []


@functools.cache
def same_addresses() -> list[str]:
    """Where blocks lie decides how large a few others are: an int that is an address has digits."""
    tool = shutil.which("setarch")
    works = tool and subprocess.run([tool, "-R", "true"], check=False).returncode == 0
    return [tool, "-R"] if tool and works else []


@dataclass(frozen=True)
class Heard:
    rows: dict[Stack, list[int]]  # bytes and blocks
    measured: list[int]  # bytes alive and at the peak, in turn

    @property
    def bytes(self) -> int:
        return sum(row[0] for row in self.rows.values())


def hear(who: str, path: Path, frames: int, extra: Mapping[str, str] | None = None) -> Heard:
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("FETTLE", "COV_", "PYTHON"))}
    kept |= {"PYTHONHASHSEED": "0", "PYTHONDONTWRITEBYTECODE": "1"} | dict(extra or {})
    done = subprocess.run(
        [*same_addresses(), sys.executable, "-c", STARTS, who, str(path), str(frames), *oracle()],
        capture_output=True,
        text=True,
        env=kept,
        stdin=subprocess.DEVNULL,
        timeout=TIMEOUT,
        check=False,
    )
    assert done.returncode == 0, f"{who}: {done.returncode} {done.stderr[-2000:]}"
    said = json.loads(done.stdout.rpartition("\n@")[2])
    rows = {tuple((f, n) for f, n in stack): row for stack, row in said["rows"]}
    return Heard(rows, said["measured"])


def both(
    path: Path, frames: int = 1, extra: Mapping[str, str] | None = None
) -> tuple[Heard, Heard]:
    """What tracemalloc heard, and what we did."""
    return hear("tracemalloc", path, frames, extra), hear("ours", path, frames, extra)


def differences(theirs: Heard, ours: Heard) -> dict[Stack, tuple[list[int], list[int]]]:
    none = [0, 0]
    return {
        stack: (theirs.rows.get(stack, none), ours.rows.get(stack, none))
        for stack in sorted(theirs.rows.keys() | ours.rows.keys())
        if theirs.rows.get(stack) != ours.rows.get(stack)
    }
