# SPDX-License-Identifier: Apache-2.0
"""Decoding the bytecode of the standard library: every field of every instruction as an object,
beside dis.get_instructions, which makes the same fields."""

from __future__ import annotations

import dis
import statistics
import sysconfig
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from types import CodeType
from typing import Any

from effort import Effort
from fettle import _core

GOAL = 10.0  # times as fast


def _inside(code: CodeType) -> Iterator[CodeType]:
    yield code
    for const in code.co_consts:
        if isinstance(const, CodeType):
            yield from _inside(const)


def _library(every: int) -> list[CodeType]:
    """Every code object of each so-manieth module."""
    folder = Path(sysconfig.get_path("stdlib"))
    sources = sorted(p for p in folder.rglob("*.py") if "-packages" not in str(p))
    codes: list[CodeType] = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for source in sources[::every]:
            try:
                codes += _inside(compile(source.read_bytes(), str(source), "exec"))
            except (SyntaxError, ValueError):  # data of tests
                continue
    return codes


def _rows(codes: list[CodeType]) -> int:
    return sum(len(list(_core.Bytecode(code))) for code in codes)


def _decoded(codes: list[CodeType]) -> int:
    return sum(len(_core.Bytecode(code)) for code in codes)


def _peer(codes: list[CodeType]) -> int:
    return sum(len(list(dis.get_instructions(code))) for code in codes)


WAYS: dict[str, Callable[[list[CodeType]], int]] = {
    "fettle": _rows,
    "dis": _peer,
    "decoded": _decoded,  # without rows
}


def measure(effort: Effort) -> dict[str, Any]:
    codes = _library(200 if effort.tiny else 1)
    seconds: dict[str, list[float]] = {way: [] for way in WAYS}
    counts = set()
    for _ in range(effort.rounds):
        for way, work in WAYS.items():
            start = time.process_time()
            counts.add(work(codes))
            seconds[way].append(time.process_time() - start)
    (instructions,) = counts
    ratios = [theirs / ours for theirs, ours in zip(seconds["dis"], seconds["fettle"], strict=True)]
    return {
        "codes": len(codes),
        "instructions": instructions,
        "seconds": seconds,
        "ratio": {
            "value": statistics.median(ratios),
            "lowest": min(ratios),
            "highest": max(ratios),
        },
        "goal": GOAL,
    }


def table(result: dict[str, Any]) -> list[str]:
    each = {
        way: statistics.median(seconds) / result["instructions"] * 1e9
        for way, seconds in result["seconds"].items()
    }
    ratio = result["ratio"]
    return [
        f"bytecode: {result['instructions']} instructions of {result['codes']} code objects:"
        f" {each['fettle']:.0f} ns each as rows ({each['decoded']:.0f} ns without),"
        f" dis.get_instructions {each['dis']:.0f} ns:",
        f"{ratio['value']:.1f} times as fast ({ratio['lowest']:.1f} to {ratio['highest']:.1f});"
        f" goal: {result['goal']:.0f}",
    ]
