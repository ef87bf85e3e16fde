# SPDX-License-Identifier: Apache-2.0
"""A profile of the Firefox Profiler, read by the types of its processed format (version 60)."""

import json
from collections import Counter
from decimal import Decimal
from itertools import accumulate
from typing import Any

from .oracle import LARGEST, path_to
from .spelling import name, text
from .synthetic import PYTHON, C, Code, Recording

Frame = tuple[str, str, str | None, int | None, int | None]  # name, category, file, def, line
Seen = Counter[tuple[Any, ...]]
CATEGORIES = {PYTHON: "Python", C: "C"}


def frame(code: Code, line: int | None = None) -> Frame:
    place = (text(code.file), code.line) if code.kind == PYTHON else (None, None)
    return (text(name(code)), CATEGORIES.get(code.kind, "Other"), *place, line)


def pid(recording: Recording, process: int) -> str:
    number = recording.processes[process].pid
    return f"{number}-{process + 1}" if process else str(number)


def last_reading(recording: Recording, process: int) -> int:
    return max((time for of, time, *_ in recording.memory.moments if of == process), default=0)


def expected(recording: Recording) -> Seen:
    seen: Seen = Counter()
    with_threads: set[int] = set()
    for thread in recording.threads:
        command = text(recording.processes[thread.process].command.replace(b"\0", b" "))
        whose = text(thread.name), pid(recording, thread.process), command
        seen["thread", *whose] += 1
        for at, node in enumerate(thread.nodes[1:], 1):
            codes = [thread.nodes[id].code for id in path_to(thread, at)]
            if node.own or node.calls:
                path = tuple(frame(recording.codes[code]) for code in codes)
                seen["sample", *whose, path, node.own] += 1
        is_first = thread.process not in with_threads
        with_threads.add(thread.process)
        whole = sum(node.own for node in thread.nodes)
        seen["end", *whose, max(whole, is_first * last_reading(recording, thread.process))] += 1
    for process, of in enumerate(recording.processes):
        if process not in with_threads:
            command = text(of.command.replace(b"\0", b" "))
            whose = "[no thread]", pid(recording, process), command
            seen["thread", *whose] += 1
            seen["end", *whose, last_reading(recording, process)] += 1
    if not recording.threads and not recording.processes:
        seen["thread", "[no thread]", "0", ""] += 1
        seen["end", "[no thread]", "0", "", 0] += 1
    add_memory(recording, seen)
    return seen


def add_memory(recording: Recording, seen: Seen) -> None:
    frames: list[Frame] = [("", "", None, None, None)]
    parents = [0]
    for code, line, parent, *_ in recording.memory.sites:
        known = frame(recording.codes[code], line or None)
        frames.append(known if code else ("[unknown]", "Other", None, None, None))
        parents.append(parent)
    for at, (*_, total, _, _, _, alive, _, _) in enumerate(recording.memory.sites, 1):
        path, id = [], at
        while id:
            path.append(frames[id])
            id = parents[id]
        if max(total, alive):
            seen["allocated", tuple(path[::-1]), max(total, alive), alive] += 1
    for process, time, live, rss in recording.memory.moments:
        seen["counter", "live memory", pid(recording, process), time, live] += 1
        seen["counter", "resident memory", pid(recording, process), time, rss] += 1
    for process, point, time, *numbers in recording.memory.points:
        assert isinstance(process, int) and isinstance(point, bytes)
        seen["point", pid(recording, process), text(point), time, *numbers] += 1
    for process, generation, start, duration, *numbers in recording.collections:
        times = start, min(start + duration, LARGEST)
        seen["collection", pid(recording, process), *times, generation, *numbers] += 1
    for at, uses, start, lasted in recording.spans:
        thread = recording.threads[at]
        elapsed = recording.processes[thread.process].elapsed
        end = start + lasted - 1 if lasted else max(start, elapsed)
        whose = text(thread.name), pid(recording, thread.process)
        seen["lifetime", *whose, start, end, uses] += 1


def nanoseconds(millis: Decimal | int) -> int:
    whole = Decimal(millis) * 1_000_000
    assert whole == int(whole)
    return int(whole)


def rows(table: dict[str, Any]) -> list[dict[str, Any]]:
    """The rows of a table of columns, all of which have its length."""
    columns = {name: column for name, column in table.items() if isinstance(column, list)}
    assert all(len(column) == table["length"] for column in columns.values())
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def read(exported: bytes) -> Seen:
    document = json.loads(exported, parse_float=Decimal)
    meta, threads = document["meta"], document["threads"]
    assert meta["preprocessedProfileVersion"] == 60
    assert sum(category["color"] == "grey" for category in meta["categories"]) == 1
    assert threads
    paths = read_stacks(document["shared"], [category["name"] for category in meta["categories"]])
    strings = document["shared"]["stringArray"]
    seen: Seen = Counter()
    for number, thread in enumerate(threads):
        assert thread["tid"] == number
        assert thread["isMainThread"] == all(
            before["pid"] != thread["pid"] for before in threads[:number]
        )
        read_thread(thread, paths, strings, seen)
    for counter in document["counters"]:
        main = threads[counter["mainThreadIndex"]]
        assert main["isMainThread"] and main["pid"] == counter["pid"]
        samples = counter["samples"]
        for time, value in zip(samples["time"], accumulate(samples["count"]), strict=True):
            seen["counter", counter["name"], counter["pid"], nanoseconds(time), value] += 1
    return seen


def read_stacks(shared: dict[str, Any], categories: list[str]) -> list[tuple[Frame, ...]]:
    strings = shared["stringArray"]
    files = [strings[row["filename"]] for row in rows(shared["sources"])]
    assert len(set(shared["sources"]["filename"])) == len(files)
    functions = []
    for row in rows(shared["funcTable"]):
        assert row["isJS"] == (row["source"] is not None)
        file = files[row["source"]] if row["isJS"] else None
        functions.append((strings[row["name"]], file, row["lineNumber"]))
    frames = []
    for row in rows(shared["frameTable"]):
        called, file, line = functions[row["func"]]
        frames.append((called, categories[row["category"]], file, line, row["line"]))
    paths: list[tuple[Frame, ...]] = []
    for row in rows(shared["stackTable"]):
        above = () if row["prefix"] is None else paths[row["prefix"]]
        paths.append((*above, frames[row["frame"]]))
    return paths


def read_thread(
    thread: dict[str, Any], paths: list[tuple[Frame, ...]], strings: list[str], seen: Seen
) -> None:
    whose = thread["name"], thread["pid"], thread["processName"]
    seen["thread", *whose] += 1
    samples = rows(thread["samples"])
    assert thread["samples"]["weightType"] == "tracing-ms"
    stacks = [row for row in samples if row["stack"] is not None]
    ends = samples[len(stacks) :]
    assert all((row["stack"], row["weight"]) == (None, 0) for row in ends)
    weights = [0, *(row["weight"] for row in stacks)]
    assert [row["timeDeltas"] for row in [*stacks, ends[0]]] == weights
    for row in stacks:
        seen["sample", *whose, paths[row["stack"]], nanoseconds(row["weight"])] += 1
    seen["end", *whose, sum(nanoseconds(row["timeDeltas"]) for row in samples)] += 1
    for row in rows(thread["markers"]):
        data, time, called = row["data"], nanoseconds(row["startTime"]), strings[row["name"]]
        kind = data.pop("type")
        if kind == "point":
            assert (row["endTime"], row["phase"]) == (None, 0)
            seen["point", thread["pid"], called, time, *data.values()] += 1
        elif kind == "lifetime":
            assert (called, row["phase"]) == (kind, 1)
            end = nanoseconds(row["endTime"])
            seen["lifetime", *whose[:2], time, end, *data.values()] += 1
        else:
            assert (kind, called, row["phase"]) == ("collection", "garbage collection", 1)
            end = nanoseconds(row["endTime"])
            seen["collection", thread["pid"], time, end, *data.values()] += 1
    read_allocations(thread, paths, seen)


def read_allocations(thread: dict[str, Any], paths: list[tuple[Frame, ...]], seen: Seen) -> None:
    allocated: Counter[int] = Counter()
    alive: dict[int, tuple[int, int]] = {}
    for row in rows(thread.get("nativeAllocations", {"length": 0})):
        stack, weight, address = row["stack"], row["weight"], row["memoryAddress"]
        if weight > 0:
            allocated[stack] += weight
            alive[address] = stack, weight
        else:
            assert alive.pop(address) == (stack, -weight)
    left = dict(alive.values())
    for stack, total in allocated.items():
        seen["allocated", paths[stack], total, left.get(stack, 0)] += 1
