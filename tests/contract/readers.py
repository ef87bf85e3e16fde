# SPDX-License-Identifier: Apache-2.0
"""Each format read back by someone else's reader, beside what the recording says by definition.

What is compared is the format's own: tables for one that holds tables, stacks for one of paths.
Functions that a format can not tell apart are summed.
"""

import json
import marshal
from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from . import callgrind, chrome, firefox, lprof, pprof, stacks
from .oracle import Sums, tables
from .spelling import text
from .synthetic import Recording

Key = tuple[str, int, str]
Numbers = tuple[int, int, float, float]  # calls, primitive, own and cumulative in seconds
Tables = tuple[dict[Key, Numbers], dict[tuple[Key, Key], Numbers]]


def summed(
    codes: list[Key],
    functions: Iterable[tuple[int, Sums]],
    edges: Iterable[tuple[tuple[int, int], Sums]],
) -> Tables:
    by_key: defaultdict[Key, Sums] = defaultdict(Sums)
    by_pair: defaultdict[tuple[Key, Key], Sums] = defaultdict(Sums)
    for code, sums in functions:
        by_key[codes[code]] += sums
    for (caller, callee), sums in edges:
        if caller != 0:
            by_pair[codes[caller], codes[callee]] += sums
    return (
        {key: numbers(sums) for key, sums in by_key.items()},
        {pair: numbers(sums) for pair, sums in by_pair.items()},
    )


def numbers(sums: Sums) -> Numbers:
    return sums.calls, sums.primitive, sums.own / 1e9, sums.cumulative / 1e9


def expected(recording: Recording) -> Tables:
    functions, edges = tables(recording)
    codes = [(text(c.file), c.line, text(c.name)) for c in recording.codes]
    return summed(codes, functions.items(), edges.items())


def read_json(exported: bytes) -> Tables:
    document = json.loads(exported)
    codes = [(c["file"], c["line"], c["name"]) for c in document["codes"]]
    return summed(
        codes,
        ((row["code"], sums_of(row)) for row in document["functions"]),
        (((row["caller"], row["callee"]), sums_of(row)) for row in document["edges"]),
    )


def sums_of(row: dict[str, Any]) -> Sums:
    return Sums(row["calls"], row["primitive"], row["own_ns"], row["cumulative_ns"])


def read_pstats(exported: bytes) -> Tables:
    functions, edges = {}, {}
    for key, (primitive, calls, own, cumulative, callers) in marshal.loads(exported).items():
        functions[key] = calls, primitive, own, cumulative
        for caller, numbers in callers.items():
            edges[caller, key] = numbers
    return functions, edges


class Format(NamedTuple):
    read: Callable[[bytes], Any]  # by nothing of the engine's code
    expected: Callable[[Recording], Any]  # the same from the recording, node by node


# To add a format: what a reader of it sees, and what it ought to see.
FORMATS = {
    "callgrind": Format(callgrind.read, callgrind.expected),
    "chrome": Format(chrome.read, chrome.expected),
    "collapsed": Format(stacks.read_collapsed, stacks.in_lines),
    "firefox": Format(firefox.read, firefox.expected),
    "json": Format(read_json, expected),
    "lprof": Format(lprof.read, lprof.expected),
    "pprof": Format(pprof.read, pprof.expected),
    "pstats": Format(read_pstats, expected),
    "speedscope": Format(stacks.read_speedscope, stacks.by_thread),
}
