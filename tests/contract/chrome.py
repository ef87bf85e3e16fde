# SPDX-License-Identifier: Apache-2.0
"""Trace events, read by the document that describes them ("Trace Event Format")."""

import json
from collections import Counter
from decimal import Decimal
from typing import Any

from .oracle import LARGEST, path_to
from .spelling import name, text
from .synthetic import PYTHON, C, Code, Recording

Frame = tuple[str, str, str, int]  # name, category, file and line of a Python function
Process = tuple[int, str]  # number and label
Seen = Counter[tuple[Any, ...]]
CATEGORIES = {PYTHON: "python", C: "c"}


def frame(code: Code) -> Frame:
    place = (text(code.file), code.line) if code.kind == PYTHON else ("", 0)
    return (text(name(code)), CATEGORIES.get(code.kind, "other"), *place)


def label(recording: Recording, process: int) -> Process:
    of = recording.processes[process]
    command = text(of.command.replace(b"\0", b" "))
    return process + 1, f"pid {of.pid} {command}"


def expected(recording: Recording) -> Seen:
    """Each node of each thread with its path, or with its function alone where it takes no time,
    for then nothing says in which of those that end there it is; readings of memory; points."""
    seen: Seen = Counter()
    frames = [frame(code) for code in recording.codes]
    for number, thread in enumerate(recording.threads, 1):
        whose = (*label(recording, thread.process), number, text(thread.name))
        whole = [node.own for node in thread.nodes]
        for at in range(len(whole) - 1, 0, -1):
            whole[thread.nodes[at].parent] += whole[at]
        for at, node in enumerate(thread.nodes[1:], 1):
            path = [frames[thread.nodes[id].code] for id in path_to(thread, at)]
            numbers = node.calls, node.own, node.waiting
            seen["call", whose, tuple(path if whole[at] else path[-1:]), numbers] += 1
    for process in range(len(recording.processes)):
        seen["process", *label(recording, process)] += 1
    for process, time, live, rss in recording.memory.moments:
        seen["counter", "live memory", *label(recording, process), time, live] += 1
        seen["counter", "resident memory", *label(recording, process), time, rss] += 1
    for process, point, time, *numbers in recording.memory.points:
        assert isinstance(process, int) and isinstance(point, bytes)
        seen["point", *label(recording, process), text(point), time, *numbers] += 1
    for process, generation, start, duration, *numbers in recording.collections:
        lasted = min(duration, LARGEST - start)
        called = f"generation {generation}"
        seen["collection", *label(recording, process), called, start, lasted, *numbers] += 1
    for at, uses, start, lasted in recording.spans:
        thread = recording.threads[at]
        elapsed = recording.processes[thread.process].elapsed
        end = start + lasted - 1 if lasted else max(start, elapsed)
        called = f"lifetime of {text(thread.name)}"
        seen["begin", *label(recording, thread.process), at + 1, called, start, uses] += 1
        seen["end", *label(recording, thread.process), at + 1, called, end, uses] += 1
    return seen


def nanoseconds(micros: Decimal | int) -> int:
    whole = Decimal(micros) * 1000
    assert whole == int(whole)
    return int(whole)


def read(exported: bytes) -> Seen:
    document = json.loads(exported, parse_float=Decimal)
    assert document.keys() == {"traceEvents", "displayTimeUnit", "otherData"}
    assert document["displayTimeUnit"] == "ns"
    assert all(isinstance(value, str) for value in document["otherData"].values())
    seen: Seen = Counter()
    processes: dict[int, Process] = {}
    threads: dict[int, Reader] = {}
    for event in document["traceEvents"]:
        pid = event["pid"]
        match event["ph"], event["name"]:
            case "M", "process_name":
                processes[pid] = pid, event["args"]["name"]
                seen["process", *processes[pid]] += 1
            case "M", "thread_name":
                threads[event["tid"]] = Reader(
                    (*processes[pid], event["tid"], event["args"]["name"])
                )
            case "X", generation if event["cat"] == "gc":
                assert threads[event["tid"]].whose[-1] == "garbage collections"
                times = nanoseconds(event["ts"]), nanoseconds(event["dur"])
                numbers = tuple(event["args"].values())
                seen["collection", *processes[pid], generation, *times, *numbers] += 1
            case "b" | "e", called:
                assert event["id2"] == {"local": str(event["tid"])} and event["cat"] == "thread"
                half = "begin" if event["ph"] == "b" else "end"
                rest = nanoseconds(event["ts"]), event["args"]["uses"]
                seen[half, *processes[pid], event["tid"], called, *rest] += 1
            case "X", _:
                seen[threads[event["tid"]].node(event)] += 1
            case "C", counter:
                time, value = nanoseconds(event["ts"]), event["args"]["bytes"]
                seen["counter", counter, *processes[pid], time, value] += 1
            case "i", point:
                assert event["s"] == "p"
                time, numbers = nanoseconds(event["ts"]), tuple(event["args"].values())
                seen["point", *processes[pid], point, time, *numbers] += 1
            case other:
                raise AssertionError(other)
    return seen


class Reader:
    """The events of one thread, nested by their times."""

    def __init__(self, whose: tuple[Any, ...]) -> None:
        self.whose = whose
        self.open: list[tuple[Frame, int]] = []  # with the end
        self.now = 0

    def node(self, event: dict[str, Any]) -> tuple[Any, ...]:
        start, length = nanoseconds(event["ts"]), nanoseconds(event["dur"])
        assert self.now <= start and start + length <= LARGEST
        self.now = start
        while self.open and self.open[-1][1] <= start:
            self.open.pop()
        assert not self.open or start + length <= self.open[-1][1]
        args = event["args"]
        at = event["name"], event["cat"], args.get("file", ""), args.get("line", 0)
        path = (*(frame for frame, _ in self.open), at) if length else (at,)
        if length:
            self.open.append((at, start + length))
        return "call", self.whose, path, (args["calls"], args["own_ns"], args["waiting_ns"])
