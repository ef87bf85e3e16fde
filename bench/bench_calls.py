# SPDX-License-Identifier: Apache-2.0
"""Overhead of the calls probe beside cProfile, interleaved, on the CPU clock.

usage: python bench/bench_calls.py [ROUNDS] [OUT.json]

Each workload runs plain, under cProfile, under `fettle run` and under `fettle run --no-builtins`, a
fresh process each, one after another, ROUNDS times (default 5). The share is
(ours - plain) / (cProfile - plain), of the medians.
"""

from __future__ import annotations

import json
import math
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from workloads import WORKLOADS

SECONDS = 0.1  # how long the plain workload is made to run
TIMED = """
import sys as _sys, time as _time
work()
_begun = _time.process_time()
for _ in range({repeats}): work()
_sys.stdout.write(repr(_time.process_time() - _begun))
"""
FETTLE = [sys.executable, "-m", "fettle", "run", "-q", "-o", "{out}"]
COMMANDS = {
    "plain": [sys.executable],
    "cProfile": [sys.executable, "-m", "cProfile", "-o", "{out}"],
    "fettle": FETTLE,
    "fettle --no-builtins": [*FETTLE, "--no-builtins"],
}


def seconds(command: list[str], script: Path) -> float:
    out = str(script.parent / "out.fettle") if "fettle" in command else "/dev/null"
    words = [out if word == "{out}" else word for word in command]
    done = subprocess.run([*words, str(script)], stdout=subprocess.PIPE, check=True, text=True)
    return float(done.stdout)


def measure(source: str, rounds: int, folder: Path) -> dict[str, float]:
    """The median CPU time of the workload by way of recording, in seconds."""
    script = folder / "workload.py"
    script.write_text(source + TIMED.format(repeats=1))
    repeats = max(1, round(SECONDS / max(seconds(COMMANDS["plain"], script), 1e-4)))
    script.write_text(source + TIMED.format(repeats=repeats))
    times: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for _ in range(rounds):
        for name, command in COMMANDS.items():
            times[name].append(seconds(command, script))
    return {name: statistics.median(values) for name, values in times.items()}


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    table, shares = {}, {name: [] for name in COMMANDS if name.startswith("fettle")}
    with tempfile.TemporaryDirectory() as folder:
        for workload, source in WORKLOADS.items():
            medians = table[workload] = measure(source, rounds, Path(folder))
            plain, cprofile = medians["plain"], medians["cProfile"] - medians["plain"]
            line = (
                f"{workload:12} plain {plain:.3f} s  cProfile {medians['cProfile'] / plain:5.2f}x"
            )
            for name, values in shares.items():
                values.append((medians[name] - plain) / cprofile)
                line += f"  {name} {medians[name] / plain:5.2f}x ({values[-1]:4.0%})"
            print(line, flush=True)
    for name, values in shares.items():
        mean = math.exp(statistics.fmean(math.log(max(value, 0.001)) for value in values))
        print(
            f"{name}: {mean:.0%} of cProfile's overhead on {sys.version.split()[0]}, geometric mean"
        )
    if len(sys.argv) > 2:
        Path(sys.argv[2]).write_text(json.dumps(table, indent=1))


if __name__ == "__main__":
    main()
