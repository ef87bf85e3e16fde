# SPDX-License-Identifier: Apache-2.0
"""usage: python bench [NAME...] [--rounds N] [--only WORKLOAD] [--tiny] [-o OUT.json]

Runs the benchmarks (calls, distortion, view, startup; those named, or all), prints their tables and
writes what they measured as JSON. docs/bench.md says how to read both. The interpreter that runs
this is the one that is measured; fettle must be installed in it.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import bench_calls
import bench_distortion
import bench_startup
import bench_view
import machine
from effort import Effort
from workloads import WORKLOADS

SCHEMA = 1  # of the JSON: docs/bench.md
BENCHMARKS = {
    "calls": bench_calls,
    "distortion": bench_distortion,
    "view": bench_view,
    "startup": bench_startup,
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
    if unknown := set(found.only) - set(WORKLOADS) - set(bench_distortion.SHAPES):
        parser.error(f"there is no workload or shape {min(unknown)}: see workloads.py for them")
    if found.rounds < 1:
        parser.error("there must be a round: give --rounds 1 or more")
    return found


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
            result = report["results"][name] = BENCHMARKS[name].measure(effort)
            print("\n" + "\n".join(BENCHMARKS[name].table(result)), flush=True)
    report["load"].append(os.getloadavg())
    report["seconds"] = time.time() - report["started"]
    if asked.out:
        asked.out.parent.mkdir(parents=True, exist_ok=True)
        asked.out.write_text(json.dumps(report, indent=1) + "\n")
        print(f"\n{asked.out}: all of it, as JSON", file=sys.stderr)


if __name__ == "__main__":
    main()
