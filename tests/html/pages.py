# SPDX-License-Identifier: Apache-2.0
"""Payloads made up for tests, and the document around them."""

import random
from collections.abc import Sequence
from typing import Any

HOSTILE = [
    "</script><script>document.title='owned'</script>",
    "<img src=x onerror=document.title='owned'>",
    "\"' onfocus=document.title='owned' autofocus x='",
    "line\u2028separator\u2029paragraph",
    "\u202eright to left",
    "javascript:document.title='owned'",
    "<!--<script>",
    "]]>&amp;&lt;",
    "__proto__",
    "constructor",
]


def empty(title: str = "app.fettle") -> dict[str, Any]:
    """A payload with nothing in it."""
    absent = ["functions", "calls", "memory", "lines", "lineBytes", "timeline"]
    absent += ["objects", "classes", "timings"]
    return {
        "version": 1,
        "runs": 1,
        "title": title,
        "old": None,
        "header": [["Command", "python app.py"], ["Interpreter", "CPython 3.11.2"]],
        "remarks": [],
        "files": [],
        "places": {"file": [], "line": [], "name": [], "function": []},
        "sources": {},
        **dict.fromkeys(absent),
    }


def tree(chance: random.Random, nodes: int, frames: int, depth: int = 40) -> dict[str, list[int]]:
    """Parents before children; deep and broad at once."""
    parent, level, frame = [-1], [0], [-1]
    for node in range(1, nodes):
        above = chance.randrange(max(0, node - 60), node) if chance.random() < 0.7 else 0
        above = above if level[above] < depth else 0
        parent.append(above)
        level.append(level[above] + 1)
        frame.append(chance.randrange(frames))
    return {"parent": parent, "frame": frame}


def column(chance: random.Random, count: int, most: int, part: float = 1.0) -> list[int]:
    return [chance.randrange(1, most) if chance.random() < part else 0 for _ in range(count)]


def functions(names: Sequence[str], files: int) -> dict[str, Any]:
    """Every third one is in C. The numbers are set by add_totals."""
    of = [-1 if at % 3 == 2 else at % files for at in range(len(names))]
    return {
        "file": of,
        "line": [0 if file < 0 else 1 + at for at, file in enumerate(of)],
        "name": list(names),
        "label": [
            f"{{{name}}}" if file < 0 else f"file{file}.py:{1 + at}({name})"
            for at, (name, file) in enumerate(zip(names, of, strict=True))
        ],
        "kind": [int(file < 0) for file in of],
    }


def add_totals(payload: dict[str, Any], suffix: str = "") -> None:
    """The numbers of functions by brute force: along the path of every node."""
    calls, table = payload["calls"], payload["functions"]
    count = len(table["name"])
    made = {key: [0] * count for key in ("calls", "own", "cumulative")}
    waiting = {key: [0] * count for key in ("ownWaiting", "cumulativeWaiting")}
    for node, function in enumerate(calls["function"]):
        if function >= 0:
            made["calls"][function] += calls["calls" + suffix][node]
            made["own"][function] += calls["own" + suffix][node]
            waiting["ownWaiting"][function] += calls["waiting" + suffix][node]
        for each in {calls["function"][up] for up in path(calls["parent"], node)} - {-1}:
            made["cumulative"][each] += calls["own" + suffix][node]
            waiting["cumulativeWaiting"][each] += calls["waiting" + suffix][node]
    for key, numbers in (made | waiting | {"primitive": made["calls"]}).items():
        table[key + suffix] = list(numbers)


def path(parent: Sequence[int], node: int) -> list[int]:
    """The node and all above it."""
    found = []
    while node >= 0:
        found.append(node)
        node = parent[node]
    return found


def recording(
    seed: int, nodes: int = 400, names: Sequence[str] = (), two: bool = False
) -> dict[str, Any]:
    """A payload with something of everything."""
    chance = random.Random(seed)
    names = names or [f"function_{at}" for at in range(24)]
    payload = empty()
    payload["remarks"] = ["This is a remark."]
    payload["files"] = [f"file{at}.py" for at in range(4)]
    payload["functions"] = functions(names, 4)
    shape = tree(chance, nodes, len(names))
    payload["calls"] = {
        "parent": shape["parent"],
        "function": shape["frame"],
        "text": {"0": "recording"},
        "pruned": None,
    }
    for suffix in ["", "0"] if two else [""]:
        payload["calls"] |= {
            f"calls{suffix}": column(chance, nodes, 50),
            f"own{suffix}": column(chance, nodes, 10**8, 0.8),
            f"waiting{suffix}": column(chance, nodes, 10**7, 0.3),
        }
        add_totals(payload, suffix)
    if two:
        payload |= {"old": "app.prev.fettle", "runs0": 1}
    _add_lines(payload, chance, two)
    _add_memory(payload, chance, two)
    _add_others(payload, chance, two)
    return payload


def _add_lines(payload: dict[str, Any], chance: random.Random, two: bool) -> None:
    text = "import this\n\ndef f(x):\n    return x + 1  # one more\n" * 20
    payload["sources"] = {str(at): text for at in range(4)}
    lines = []
    for file in range(3):
        rows = [[n, *(chance.randrange(1, 10**7) for _ in range(4))] for n in range(3, 40, 2)]
        one = {"file": file, "line": 3, "label": f"file{file}.py:3 f", "calls": 7, "rows": rows}
        lines.append(one | ({"calls0": 6, "rows0": rows[:-1]} if two else {}))
    payload["lines"] = lines
    payload["lineBytes"] = [[file, 4 + 4 * file, 10**6, 10**5, 10**4] for file in range(4)]


def _add_memory(payload: dict[str, Any], chance: random.Random, two: bool) -> None:
    count = 30
    payload["places"] = {
        "file": [at % 4 for at in range(count)],
        "line": [1 + at for at in range(count)],
        "name": [f"place_{at}" for at in range(count)],
        "function": [at if at < 20 else -1 for at in range(count)],
    }
    shape = tree(chance, 200, count)
    shape["frame"][0] = 0
    memory: dict[str, Any] = {"parent": shape["parent"], "place": shape["frame"]}
    for what in ("total", "peak", "alive"):
        for suffix in ["", "0"] if two else [""]:
            memory[f"{what}Bytes{suffix}"] = column(chance, 200, 10**7, 0.7)
            memory[f"{what}Count{suffix}"] = column(chance, 200, 10**3, 0.7)
    payload["memory"] = memory


def _add_others(payload: dict[str, Any], chance: random.Random, two: bool) -> None:
    moments = [at * 10**7 for at in range(100)]
    live = [10**6 + at * 10**4 + chance.randrange(10**5) for at in range(100)]
    payload["timeline"] = {
        "moments": [
            {"process": "app", "time": moments, "live": live, "rss": [3 * at for at in live]}
        ],
        "points": [["app", 5 * 10**8, "a point"]],
        "collections": [
            ["app", at * 10**8, 10**6 * (1 + at % 3), at % 3, at * 7] for at in range(9)
        ],
        "threads": [["app", "MainThread", 0, None], ["app", "Thread-1", 10**8, 6 * 10**8]],
    }
    payload["objects"] = {"type": ["dict", "list"], "count": [3, 9], "bytes": [900, 700]}
    payload["objects"] |= {"place": [None, None]}
    if two:
        payload["objects"] |= {"count0": [2, 9], "bytes0": [600, 800]}
    payload["classes"] = {
        "type": ["app.Point", "app.Odd"],
        "instances": [1000, 5],
        "bytes": [344000, 800],
        "plain": [344, 160],
        "slotted": [56, 160],
        "why": [None, "a base class has no __slots__"],
    }
    samples = [0.9 + 0.01 * (at % 17) for at in range(40)]
    payload["timings"] = [
        {
            "label": "f()",
            "clock": "cpu",
            "median": 1.0,
            "low": 0.95,
            "high": 1.04,
            "samples": samples,
        }
    ]


def document(payload: dict[str, Any]) -> bytes:
    """The file that `fettle view --html` would write of it."""
    from fettle.html import document as made

    return made.page(payload)
