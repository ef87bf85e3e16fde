# SPDX-License-Identifier: Apache-2.0
"""What `fettle run` adds to a program that does nothing: wall time and memory. And what a tree of a
million contexts takes while it is recorded."""

from __future__ import annotations

import statistics
import sys
from pathlib import Path
from typing import Any

import ways
from effort import Effort

PEAK = "print(open('/proc/self/status').read().split('VmHWM:')[1].split()[0])"
# Every path of up to DEPTH of ten functions.
DEPTH = 6
TREE = """
exec("".join(
    f"def f{{i}}(depth):\\n if depth:\\n  "
    + ";".join(f"f{{j}}(depth - 1)" for j in range(10)) + "\\n"
    for i in range(10)))
f0({depth})
"""


def run(script: Path, *launcher: str) -> tuple[float, float, int]:
    """Wall and CPU seconds, and what the script printed."""
    wall, cpu, said = ways.timed([*launcher, str(script)])
    return wall, cpu, int(said)


def measure(effort: Effort) -> dict[str, Any]:
    rounds, depth = (1, 2) if effort.tiny else (25, DEPTH)
    plain = (sys.executable,)
    out = str(effort.folder / "out.fettle")
    recorded = (sys.executable, "-m", "fettle", "run", "-q", "-o", out)
    small, tree = effort.folder / "small.py", effort.folder / "tree.py"
    small.write_text(PEAK)
    tree.write_text(TREE.format(depth=depth) + PEAK)
    pairs = [(run(small, *plain), run(small, *recorded)) for _ in range(rounds)]
    grown = run(tree, *recorded)[2] - run(tree, *plain)[2]
    contexts = sum(10**level for level in range(depth + 1))
    return {
        "added_seconds": [ours[0] - bare[0] for bare, ours in pairs],
        "added_cpu": [ours[1] - bare[1] for bare, ours in pairs],
        "added_bytes": [(ours[2] - bare[2]) * 1024 for bare, ours in pairs],
        "contexts": contexts,
        "bytes_per_context": grown * 1024 / contexts,
    }


def table(result: dict[str, Any]) -> list[str]:
    added, cpu = ([each * 1000 for each in result[key]] for key in ("added_seconds", "added_cpu"))
    return [
        f"startup: fettle run adds {statistics.median(added):.1f} ms ({min(added):.1f} to"
        f" {max(added):.1f}), of which {statistics.median(cpu):.1f} ms on the CPU, and",
        f"{statistics.median(result['added_bytes']) / 1e6:.1f} MB to a program that does nothing",
        f"a context takes {result['bytes_per_context']:.0f} bytes of the program's memory, in a"
        f" tree of {result['contexts']}",
    ]
