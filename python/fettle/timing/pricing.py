# SPDX-License-Identifier: Apache-2.0
"""Measures constructs, each in several short processes of an interpreter: they differ in hash seed,
addresses, specialisation and company, so that no price is one process's luck.

An interrupted measurement gives nothing: what it has is of fewer processes than an interval needs.
"""

import json
import os
import random
import subprocess
import tempfile
import time
from array import array
from contextlib import suppress
from dataclasses import asdict
from threading import Timer
from typing import Any

from fettle._core import describe
from fettle.problem import FETTLE_FAILED, Problem, reason
from fettle.report.names import visible
from fettle.timing.construct import Construct
from fettle.timing.figures import Figure
from fettle.timing.interpreters import WORDS, Interpreter, environment

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    Progress = Callable[[float], None]  # the share that is done

WORKER = os.path.join(os.path.dirname(__file__), "costs_worker.py")
PROCESSES = 5  # for each construct
TOGETHER = 100  # constructs in a process
EACH = 0.045  # seconds for a construct, in all processes together
LEAST = 1.5
MOST = 12.5  # the whole table
HANGS = 120.0  # seconds after which a process that should have ended is ended
INTERRUPTED = (-2, 130)  # what a process ends with after ^C


def budget(count: int) -> float:
    """Seconds to measure so many constructs.

    >>> budget(10), budget(10_000)
    (1.5, 12.5)
    """
    return min(max(EACH * count, LEAST), MOST)


def measure(
    interpreter: Interpreter,
    constructs: "Sequence[Construct]",
    seconds: float | None = None,
    progress: "Progress" = lambda share: None,
) -> dict[Construct, Figure]:
    """A figure for each; one that the interpreter lacks has `skipped` in it."""
    whole = budget(len(constructs)) if seconds is None else seconds
    samples: dict[str, list[array[float]]] = {}
    skipped: dict[str, str] = {}
    done = 0.0
    for _ in range(PROCESSES):
        for part in _parts(constructs):
            share = len(part) / len(constructs) / PROCESSES
            for line in _lines(interpreter, part, whole * share):
                if "done" in line:
                    progress(done + share * line["done"])
                    continue
                skipped.update(line["skipped"])
                for name, values in line["samples"].items():
                    samples.setdefault(name, []).append(array("d", values))
            done += share
    now = time.time()
    return {c: _figure(samples.get(c.name, []), skipped.get(c.name, ""), now) for c in constructs}


def _parts(constructs: "Sequence[Construct]") -> list[list[Construct]]:
    """What is measured in one process: whole groups, whose ratios are asked for, and each time
    others beside them. All in one process would stand in each other's way: its memory is full of
    holes, its caches of others' code."""
    groups: dict[str, list[Construct]] = {}
    for each in constructs:
        groups.setdefault(each.group, []).append(each)
    parts: list[list[Construct]] = [[] for _ in range(-(-len(constructs) // TOGETHER))]
    for group in random.sample(list(groups.values()), len(groups)):
        min(parts, key=len).extend(group)
    return [part for part in parts if part]


def _lines(
    interpreter: Interpreter, part: list[Construct], seconds: float
) -> "Iterator[dict[str, Any]]":
    """What one process says, to its end."""
    order = json.dumps({"constructs": [asdict(each) for each in part], "seconds": seconds})
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as errors:
        try:
            process = subprocess.Popen(
                [interpreter.command, *WORDS, WORKER],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                env=environment(),
            )
        except OSError as error:
            raise _failed(interpreter, reason(error)) from None
        assert process.stdin is not None and process.stdout is not None
        hangs = Timer(HANGS + 2 * seconds, process.kill)
        hangs.start()
        last: dict[str, Any] = {}
        try:
            with suppress(BrokenPipeError):
                process.stdin.write(order)
                process.stdin.close()
            for line in process.stdout:
                last = json.loads(line)
                yield last
            code = process.wait()
        finally:
            hangs.cancel()
            process.kill()
            process.wait()
            for pipe in (process.stdin, process.stdout):
                with suppress(OSError):
                    pipe.close()
        if code in INTERRUPTED:
            raise KeyboardInterrupt
        if code or "samples" not in last:
            errors.seek(0)
            said = (errors.read().strip().splitlines() or [f"it ended with {code}"])[-1]
            raise _failed(interpreter, visible(said))


def _failed(interpreter: Interpreter, why: str) -> Problem:
    return Problem(
        FETTLE_FAILED,
        f"the constructs could not be measured on Python {interpreter.number} "
        f"({interpreter.path}): {why}; the same again, or another Python, may do better.",
    )


def _figure(groups: "list[array[float]]", skipped: str, now: float) -> Figure:
    if not groups:
        return Figure(0.0, 0.0, 0.0, 0.0, now, skipped or "it was not measured")
    found = describe(groups)
    median = max(found.median, 0.0)  # of nothing but loading and forgetting, less the loop
    low, high = max(min(found.low, median), 0.0), max(found.high, median)
    return Figure(median, low, high, max(found.spread, 0.0), now)
