# SPDX-License-Identifier: Apache-2.0
"""How long `fettle view -n 30` takes with the recording of a real program that has 60 000 nodes."""

from __future__ import annotations

import statistics
import subprocess
import sys
from typing import Any

import ways
from effort import Effort

ROUNDS = 9
GOAL = 0.150  # seconds
NODES = 60_000

# ast.unparse, over modules whose functions nest in many ways: each path is a node.
PROGRAM = """
import ast, importlib, inspect
for name in {modules}:
    ast.unparse(ast.parse(inspect.getsource(importlib.import_module(name))))
"""
MODULES = ("ast", "argparse", "typing", "inspect", "doctest", "tarfile", "pickle", "_pydecimal")


def measure(effort: Effort) -> dict[str, Any]:
    from fettle import _core

    script, recording = effort.folder / "unparse.py", effort.folder / "unparse.fettle"
    script.write_text(PROGRAM.format(modules=MODULES[:1] if effort.tiny else MODULES))
    fettle = [sys.executable, "-m", "fettle"]
    subprocess.run([*fettle, "run", "-q", "-o", str(recording), str(script)], check=True)
    profile = _core.Profile.read(str(recording))
    rounds = 1 if effort.tiny else ROUNDS
    pairs = [
        (
            ways.timed([*fettle, "view", "-n", "30", str(recording)]),
            ways.timed([sys.executable, "-c", "pass"]),
        )
        for _ in range(rounds)
    ]
    return {
        "nodes": profile.totals().nodes,
        "enough_nodes": NODES,
        "functions": len(profile.functions()),
        "file_bytes": recording.stat().st_size,
        "view": [view[0] for view, _ in pairs],
        "view_cpu": [view[1] for view, _ in pairs],
        "python": [python[0] for _, python in pairs],  # an interpreter that does nothing
        "goal": GOAL,
    }


def table(result: dict[str, Any]) -> list[str]:
    view, cpu, python = (
        [each * 1000 for each in result[key]] for key in ("view", "view_cpu", "python")
    )
    return [
        f"view: `fettle view -n 30` of {result['nodes']} nodes ({result['functions']} functions,"
        f" {result['file_bytes'] / 1e6:.1f} MB)",
        f"{statistics.median(view):.0f} ms ({min(view):.0f} to {max(view):.0f}), of which"
        f" {statistics.median(cpu):.0f} ms on the CPU; an interpreter that does nothing takes"
        f" {statistics.median(python):.0f} ms",
        f"goal: at most {result['goal'] * 1000:.0f} ms",
    ]
