# SPDX-License-Identifier: Apache-2.0
"""usage: python bench [NAME...] [--rounds N] [--only WORKLOAD] [--tiny] [-o OUT.json]

Runs the benchmarks (calls, distortion, lines, memory, cache, persist, policies, bytecode, view,
startup, timing; those named, or all), prints their tables and writes what they measured as JSON.
docs/bench.md says how to read both. The interpreter that runs this is the one that is measured;
fettle must be installed in it.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import bench_bytecode
import bench_cache
import bench_calls
import bench_distortion
import bench_lines
import bench_memory
import bench_persist
import bench_policies
import bench_startup
import bench_timing
import bench_view
import machine
from effort import Effort
from line_workloads import LINE_WORKLOADS
from memory_workloads import MEMORY_WORKLOADS
from traces import TRACES
from workloads import WORKLOADS

SCHEMA = 1  # of the JSON: docs/bench.md
BENCHMARKS = {
    "calls": bench_calls,
    "distortion": bench_distortion,
    "lines": bench_lines,
    "memory": bench_memory,
    "cache": bench_cache,
    "persist": bench_persist,
    "policies": bench_policies,
    "bytecode": bench_bytecode,
    "view": bench_view,
    "startup": bench_startup,
    "timing": bench_timing,
}
PARTS: dict[str, Iterable[str]] = {  # what --only can name of them
    "calls": WORKLOADS,
    "distortion": bench_distortion.SHAPES,
    "lines": LINE_WORKLOADS,
    "memory": MEMORY_WORKLOADS,
    "cache": bench_cache.LOADS,
    "persist": bench_persist.PARTS,
    "policies": TRACES,
    "timing": bench_timing.PARTS,
}


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python bench", description="runs the benchmarks")
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(BENCHMARKS))
    parser.add_argument("--rounds", type=int, default=5, help="of everything but yappi (5)")
    parser.add_argument("--only", action="append", default=[], help="this workload or shape")
    parser.add_argument("--tiny", action="store_true", help="one round of next to nothing")
    parser.add_argument("-o", dest="out", type=Path, help="write the JSON here")
    found = parser.parse_args()
    if unknown := set(found.names) - set(BENCHMARKS):
        parser.error(f"there is no benchmark {min(unknown)}: name some of {', '.join(BENCHMARKS)}")
    parts = set().union(*PARTS.values())
    if unknown := set(found.only) - parts:
        parser.error(f"there is no workload or shape {min(unknown)}: see workloads.py for them")
    if not any(leaves_something(name, found.only) for name in found.names or BENCHMARKS):
        parser.error(f"there is nothing of {found.only[0]} in {', '.join(found.names)}: see --help")
    if found.out and (problem := unwritable(found.out)):
        parser.error(problem)
    if found.rounds < 1:
        parser.error("there must be a round: give --rounds 1 or more")
    return found


def unwritable(out: Path) -> str:
    """Why that can not be written, said before hours are spent; nothing is made for it."""
    if out.is_dir():
        return f"{out} is a folder: name a file with -o"
    if not out.parent.is_dir():
        return f"cannot write {out}, there is no folder {out.parent}: make it, or name another file"
    if not os.access(out if out.exists() else out.parent, os.W_OK):
        return f"cannot write {out}, permission is denied: name another file with -o"
    return ""


def leaves_something(name: str, only: Sequence[str]) -> bool:
    """Whether --only leaves that benchmark anything to do; some, as view, have no parts."""
    parts = PARTS.get(name)
    return parts is None or not only or not set(parts).isdisjoint(only)


def save(report: dict[str, Any], out: Path | None) -> None:
    """What there is so far: after each benchmark, as the next may fail or be stopped."""
    if out:
        finished = {
            **report,
            "load": [*report["load"], os.getloadavg()],
            "seconds": time.time() - report["started"],
        }
        out.write_text(json.dumps(finished, indent=1) + "\n")


def heading(facts: dict[str, Any]) -> str:
    build = "" if facts["optimised"] else ", NOT OPTIMISED: judge nothing by it"
    return (
        f"fettle {facts['fettle']} ({facts['commit']}) on CPython {facts['python'].split()[0]}"
        f"{build}; {facts['processor']}, {facts['cores']} cores; load {os.getloadavg()[0]:.1f}"
    )


def main() -> None:
    asked = arguments()
    facts = machine.facts()
    print(heading(facts), flush=True)
    report: dict[str, Any] = {
        "schema": SCHEMA,
        "machine": facts,
        "rounds": 1 if asked.tiny else asked.rounds,
        "tiny": asked.tiny,
        "load": [os.getloadavg()],
        "started": time.time(),
        "results": {},
    }
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        effort = Effort(Path(folder), report["rounds"], only=tuple(asked.only), tiny=asked.tiny)
        for name in asked.names or BENCHMARKS:
            if not leaves_something(name, effort.only):
                print(f"\n{name}: skipped, --only names nothing of it", flush=True)
                continue
            result = report["results"][name] = BENCHMARKS[name].measure(effort)
            save(report, asked.out)
            print("\n" + "\n".join(BENCHMARKS[name].table(result)), flush=True)
    save(report, asked.out)
    if asked.out:
        print(f"\n{asked.out}: all of it, as JSON", file=sys.stderr)


if __name__ == "__main__":
    main()
