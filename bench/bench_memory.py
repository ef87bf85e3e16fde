# SPDX-License-Identifier: Apache-2.0
"""Recording allocations beside tracemalloc, and beside a hook that does nothing.

Each workload runs plain, recorded by us and by tracemalloc, with 1 frame and with 25, a fresh
process each, one after another, and again, ROUNDS times. A share is (ours - plain) /
(tracemalloc's - plain) of the CPU time of the workload, and the median of the rounds.

Sampling is compared with hooks that only call through, for less than those no recorder can cost:
what it adds to them, in parts of the plain time. The hooks are a few lines of C, compiled here.

What a million live blocks take and cost is in big_heap.py.
"""

from __future__ import annotations

import math
import statistics
import subprocess
import sysconfig
from pathlib import Path
from typing import Any

import big_heap
import shares
import ways
from effort import Effort
from memory_workloads import MEMORY_WORKLOADS

PAIRS = (  # ours, the peer's, and the goal: of its overhead
    ("fettle", "tracemalloc", 0.20),
    ("fettle 25", "tracemalloc 25", 0.06),
)
GOAL_SAMPLED = 0.03  # of the plain time, beside the hooks
SAMPLED_TIMES = 3  # as long, and as many rounds: single per cents are looked for
AT_MOST = {"tracemalloc 25": 2}  # rounds: it takes up to thirty times as long as the rest
CALIBRATIONS = 3  # the quickest of so many plain runs must be long enough

_HOOKS = """
#include <Python.h>
static PyMemAllocatorEx old[3];
static void *get(void *at, size_t size) {
    PyMemAllocatorEx *to = at; return to->malloc(to->ctx, size); }
static void *zeros(void *at, size_t count, size_t each) {
    PyMemAllocatorEx *to = at; return to->calloc(to->ctx, count, each); }
static void *resize(void *at, void *block, size_t size) {
    PyMemAllocatorEx *to = at; return to->realloc(to->ctx, block, size); }
static void release(void *at, void *block) {
    PyMemAllocatorEx *to = at; to->free(to->ctx, block); }
void install(void) {
    for (int of = 0; of < 3; of++) {
        PyMem_GetAllocator((PyMemAllocatorDomain)of, &old[of]);
        PyMemAllocatorEx hook = {&old[of], get, zeros, resize, release};
        PyMem_SetAllocator((PyMemAllocatorDomain)of, &hook);
    }
}
"""
_FETTLE = """
from fettle import _core as _fettle
_recorder = _fettle.Recorder(calls=False, mem={mem!r}, frames={frames})
_recorder.start()
"""
_TRACEMALLOC = """
import tracemalloc as _tracemalloc
_tracemalloc.start({frames})
"""
_HOOKED = """
import ctypes as _ctypes
_ctypes.PyDLL({library!r}).install()
"""
# Whether memory goes back to the system and comes again, page by page, in each work() is chance, a
# matter of what else lies beside it, and may take a third of the time. So each arena keeps one
# object, and the C library keeps what it has.
_ANCHORS = """
_anchors = [[] for _ in range(400_000)][::4_000]
"""
_KEEPING = {"MALLOC_TRIM_THRESHOLD_": str(1 << 30), "MALLOC_TOP_PAD_": str(1 << 25)}
_TIMED = """
import time as _time
_begun = _time.process_time()
for _ in range({repeats}): work()
_measured = (_time.process_time() - _begun,)
"""
# What stands between the workload and its run, by way.
_WAYS = {
    "plain": "",
    "fettle": _FETTLE.format(mem=True, frames=1),
    "tracemalloc": _TRACEMALLOC.format(frames=1),
    "fettle 25": _FETTLE.format(mem=True, frames=25),
    "tracemalloc 25": _TRACEMALLOC.format(frames=25),
    "sampled": _FETTLE.format(mem="sample", frames=1),
}
FULL = ("plain", "fettle", "tracemalloc", "fettle 25", "tracemalloc 25")


def compile_hooks(folder: Path) -> str | None:
    """The way that installs hooks which only call through; None without a compiler."""
    source, library = folder / "hooks.c", folder / "hooks.so"
    source.write_text(_HOOKS)
    compiler = (sysconfig.get_config_var("CC") or "cc").split()
    include = sysconfig.get_path("include")
    command = [*compiler, "-O2", "-fPIC", "-shared", f"-I{include}", str(source)]
    try:
        done = subprocess.run([*command, "-o", str(library)], capture_output=True)
    except OSError:
        return None
    return _HOOKED.format(library=str(library)) if done.returncode == 0 else None


def write(folder: Path, source: str, repeats: int, way: str, before: str) -> Path:
    script = folder / f"memory_{way.replace(' ', '_')}.py"
    script.write_text(source + _ANCHORS + before + _TIMED.format(repeats=repeats) + ways.TELL)
    return script


def calibrate(folder: Path, source: str, seconds: float) -> int:
    """How often work() is repeated so that plain it takes that long."""
    repeats = 1
    while True:
        script = write(folder, source, repeats, "plain", "")
        spent = min(ways.run("plain", script, _KEEPING).measured[0] for _ in range(CALIBRATIONS))
        if spent >= seconds:
            return repeats
        repeats = math.ceil(repeats * min(1.1 * seconds / max(spent, 1e-6), 30)) + 1


def interleaved(
    effort: Effort, source: str, before: dict[str, str], times: int = 1
) -> dict[str, Any]:
    """What a workload took in each of these ways."""
    repeats = calibrate(effort.folder, source, effort.seconds * times)
    scripts = {
        way: write(effort.folder, source, repeats, way, text) for way, text in before.items()
    }
    took: dict[str, dict[str, list[float]]] = {way: {"cpu": []} for way in scripts}
    for round in range(1 if effort.tiny else effort.rounds * times):
        for way, script in scripts.items():
            if round < AT_MOST.get(way, round + 1):
                took[way]["cpu"].append(ways.run("plain", script, _KEEPING).measured[0])
    return {"repeats": repeats, "ways": took}


def compare(measured: dict[str, Any], ours: str, peer: str, goal: float) -> dict[str, Any]:
    found = {
        name: shares.of_overhead(*(workload["ways"][way]["cpu"] for way in ("plain", ours, peer)))
        for name, workload in measured.items()
    }
    return {
        "ours": ours,
        "peer": peer,
        "goal": goal,
        "workloads": {name: share for name, share in found.items() if share},
        "unclear": [name for name, share in found.items() if not share],
        "geometric_mean": shares.geometric_mean(found.values()),
    }


def cost(plain: list[float], hook: list[float], sampled: list[float]) -> shares.Share:
    """What sampling adds to the hooks, as a part of the plain time; of runs side by side."""
    rounds = [(mine - bare) / quick for quick, bare, mine in zip(plain, hook, sampled, strict=True)]
    return shares.Share(value=statistics.median(rounds), lowest=min(rounds), highest=max(rounds))


def measure_full(effort: Effort) -> dict[str, Any]:
    before = {way: _WAYS[way] for way in FULL}
    return {
        name: {
            "why": MEMORY_WORKLOADS[name][0],
            **interleaved(effort, MEMORY_WORKLOADS[name][1], before),
        }
        for name in effort.chosen(MEMORY_WORKLOADS)
    }


def measure_sampled(effort: Effort) -> dict[str, Any]:
    hooks = compile_hooks(effort.folder)
    if hooks is None:
        return {"goal": GOAL_SAMPLED, "workloads": {}, "mean": None}
    before = {"plain": "", "hook": hooks, "sampled": _WAYS["sampled"]}
    measured = {}
    for name in effort.chosen(MEMORY_WORKLOADS):
        took = interleaved(effort, MEMORY_WORKLOADS[name][1], before, SAMPLED_TIMES)
        added = cost(*(took["ways"][way]["cpu"] for way in before))
        measured[name] = {**took, "cost": added}
    values = [workload["cost"]["value"] for workload in measured.values()]
    mean = statistics.fmean(values) if values else None
    return {"goal": GOAL_SAMPLED, "workloads": measured, "mean": mean}


def measure(effort: Effort) -> dict[str, Any]:
    full = measure_full(effort)
    return {
        "workloads": full,
        "shares": [compare(full, *pair) for pair in PAIRS],
        "sampled": measure_sampled(effort),
        **big_heap.measure(effort),
    }


# ---- the tables ----


def spread(share: shares.Share | None) -> str:
    if not share:
        return "unclear"
    return f"{share['value']:.1%} ({share['lowest']:.0%} -{share['highest']:4.0%})"


def full_table(result: dict[str, Any]) -> list[str]:
    heads = "".join(f" {way.replace('tracemalloc', 'tracem.'):>10}" for way in FULL[1:])
    lines = [
        "memory: times the plain CPU time, and ours of tracemalloc's overhead, 1 and 25 frames",
        f"{'':12} {'plain s':>7}{heads} {'share':>20} {'of 25':>20}",
    ]
    for name, workload in result["workloads"].items():
        median = {way: statistics.median(v["cpu"]) for way, v in workload["ways"].items()}
        times = "".join(f" {median[way] / median['plain']:9.2f}x" for way in FULL[1:])
        found = (spread(pair["workloads"].get(name)) for pair in result["shares"])
        lines.append(
            f"{name:12} {median['plain']:7.3f}{times}" + "".join(f" {cell:>20}" for cell in found)
        )
    for pair in result["shares"]:
        mean = spread(pair["geometric_mean"])
        lines.append(f"{pair['ours']} of {pair['peer']}: {mean}, goal: at most {pair['goal']:.0%}")
    return lines


def sampled_table(result: dict[str, Any]) -> list[str]:
    lines = [
        "sampled: times the plain CPU time; what it adds to hooks that call through, of the plain",
        f"{'':12} {'plain s':>7} {'hook':>8} {'sampled':>8} {'added':>20}",
    ]
    for name, workload in result["workloads"].items():
        median = {way: statistics.median(v["cpu"]) for way, v in workload["ways"].items()}
        times = "".join(f" {median[way] / median['plain']:7.3f}x" for way in ("hook", "sampled"))
        lines.append(f"{name:12} {median['plain']:7.3f}{times} {spread(workload['cost']):>20}")
    if result["mean"] is None:
        return [*lines, "without a C compiler there are no hooks to compare with"]
    return [*lines, f"mean {result['mean']:.1%}, goal: at most {result['goal']:.0%}"]


def table(result: dict[str, Any]) -> list[str]:
    return [
        *full_table(result),
        "",
        *sampled_table(result["sampled"]),
        "",
        *big_heap.table(result),
    ]
