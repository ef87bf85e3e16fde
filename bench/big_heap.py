# SPDX-License-Identifier: Apache-2.0
"""What a million live blocks take and cost: memory of our own for each, beside tracemalloc's, a
snapshot with its statistics by line of blocks from 10 000 lines, and a census of all objects.

The memory is what the process has more of than a plain one: nobody's own account of himself.
"""

from __future__ import annotations

import statistics
from typing import Any

import ways
from effort import Effort

SITES = 10_000
LINES = 100  # of each file: thousands in one would all collide in tracemalloc's hash table
BLOCKS = 1_000_000
GOAL_SNAPSHOT = 0.10  # of tracemalloc's time
GOAL_CENSUS = 20e-9  # seconds for each object
SIZES = {  # source of many blocks, how many, and the most bytes of our own for each
    "small": ("kept = [object() for _ in range({count})]", 1_000_000, 16),
    "large": ("kept = [bytes(1000) for _ in range({count})]", 200_000, 64),
}
_STARTS = {
    "plain": "",
    "fettle": """
from fettle.compat import tracemalloc
tracemalloc.start()
""",
    "tracemalloc": """
import tracemalloc
tracemalloc.start()
""",
}
_RESIDENT = """
def resident():
    return int(open("/proc/self/statm").read().split()[1]) * 4096
before = resident()
{blocks}
_measured = (resident() - before,)
"""
_SNAPSHOT = """
import gc, time
make = {{}}
exec(compile("def make(keep):\\n" + "    keep(object())\\n" * {sites}, "made.py", "exec"), make)
kept = []
for _ in range({count} // {sites}):
    make["make"](kept.append)
gc.collect()
begun = time.process_time()
rows = tracemalloc.take_snapshot().statistics("lineno")
spent = time.process_time() - begun
made = [row for row in rows if row.count >= {count} // {sites}
        and row.traceback[0].filename.startswith("made")]
_measured = (spent, len(made), sum(row.count for row in made))
"""
_CENSUS = """
import time
from fettle import _core
class Node:
    def __init__(self, number):
        self.number = number
kept = [(Node(i), [float(i)]) for i in range({count} // 4)]
begun = time.process_time()
rows = _core.census()
_measured = (time.process_time() - begun, sum(row[1] for row in rows))
"""


def run(effort: Effort, way: str, source: str) -> tuple[float, ...]:
    script = effort.folder / "big_heap.py"
    script.write_text(_STARTS[way] + source + ways.TELL)
    return ways.run("plain", script).measured


def measure_blocks(effort: Effort) -> dict[str, Any]:
    found = {}
    for name, (source, count, goal) in SIZES.items():
        count = 1000 if effort.tiny else count
        program = _RESIDENT.format(blocks=source.format(count=count))
        bytes_of = {way: run(effort, way, program)[0] for way in _STARTS}
        each = {way: (bytes_of[way] - bytes_of["plain"]) / count for way in _STARTS}
        found[name] = {
            "count": count,
            "fettle": each["fettle"],
            "tracemalloc": each["tracemalloc"],
            "goal": goal,
        }
    return found


def measure_snapshot(effort: Effort) -> dict[str, Any]:
    sites, count = (100, 1000) if effort.tiny else (SITES, BLOCKS)
    program = _SNAPSHOT.format(sites=sites, count=count, lines=10 if effort.tiny else LINES)
    took: dict[str, list[tuple[float, ...]]] = {"fettle": [], "tracemalloc": []}
    for _ in range(1 if effort.tiny else min(effort.rounds, 3)):
        for way, done in took.items():
            done.append(run(effort, way, program))
    return {
        "ways": {
            way: {
                "cpu": [each[0] for each in done],
                "lines": int(done[0][1]),
                "blocks": int(done[0][2]),
            }
            for way, done in took.items()
        },
        "goal": GOAL_SNAPSHOT,
    }


def measure_census(effort: Effort) -> dict[str, Any]:
    program = _CENSUS.format(count=1000 if effort.tiny else BLOCKS)
    done = [run(effort, "plain", program) for _ in range(effort.rounds)]
    return {"cpu": [each[0] for each in done], "objects": int(done[0][1]), "goal": GOAL_CENSUS}


def measure(effort: Effort) -> dict[str, Any]:
    return {
        "blocks": measure_blocks(effort),
        "snapshot": measure_snapshot(effort),
        "census": measure_census(effort),
    }


def table(result: dict[str, Any]) -> list[str]:
    lines = ["blocks: bytes of resident memory for each live block, beside the block itself"]
    for name, each in result["blocks"].items():
        lines.append(
            f"{name:12} {each['count']:8}  fettle {each['fettle']:6.1f}"
            f"  tracemalloc {each['tracemalloc']:6.1f}  goal: at most {each['goal']}"
        )
    snapshot = result["snapshot"]
    median = {way: statistics.median(v["cpu"]) for way, v in snapshot["ways"].items()}
    ours, census = snapshot["ways"]["fettle"], result["census"]
    each = statistics.median(census["cpu"]) / census["objects"]
    return [
        *lines,
        "",
        f"snapshot: CPU seconds, with statistics by line, of {ours['blocks']} blocks of"
        f" {ours['lines']} lines",
        f"{'':12} fettle {median['fettle']:.3f}  tracemalloc {median['tracemalloc']:.3f}"
        f"  {median['fettle'] / median['tracemalloc']:.1%}, goal: at most {snapshot['goal']:.0%}",
        "",
        f"census: {each * 1e9:.1f} ns for each of {census['objects']} objects,"
        f" goal: at most {census['goal'] * 1e9:.0f}",
    ]
