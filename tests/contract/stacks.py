# SPDX-License-Identifier: Apache-2.0
"""The formats made of stacks, read by what their authors published about them."""

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

from .oracle import LARGEST, path_to
from .spelling import frame, name, text
from .synthetic import PYTHON, Code, Node, Recording

Stack = tuple[str, ...]


def nodes(recording: Recording, spell: Callable[[Code], str]) -> Iterator[tuple[Stack, Node]]:
    """Every node but the roots, with the path of what is called there, outermost first."""
    spelled = [spell(code) for code in recording.codes]
    for thread in recording.threads:
        for at in range(1, len(thread.nodes)):
            codes = [thread.nodes[id].code for id in path_to(thread, at)]
            yield tuple(spelled[code] for code in codes), thread.nodes[at]


def in_lines(recording: Recording) -> Counter[Stack]:
    """The own time of every stack."""
    times: Counter[Stack] = Counter()
    for stack, node in nodes(recording, frame):
        times[stack] += node.own
    return +times


def read_collapsed(exported: bytes) -> Counter[Stack]:
    """Frames divided by semicolons, a blank, a number: by the head comment of flamegraph.pl."""
    times: Counter[Stack] = Counter()
    lines = exported.decode().splitlines(keepends=True)
    for line in lines:
        match = re.fullmatch(r"(?P<stack>[^\n]+) (?P<value>[1-9][0-9]*)\n", line)
        assert match, line
        stack = tuple(match["stack"].split(";"))
        assert all(stack), line
        times[stack] += int(match["value"])
    return times


Thread = tuple[str, int, Counter[Stack]]  # name, total, times
SCHEMA = "https://www.speedscope.app/file-format-schema.json"


def described(code: Code) -> str:
    fields = {"name": text(name(code))}
    place = {"file": text(code.file), "line": code.line} if code.kind == PYTHON else {}
    return json.dumps(fields | place)


def by_thread(recording: Recording) -> list[Thread]:
    threads = []
    for thread in recording.threads:
        alone = Recording(codes=recording.codes, threads=[thread])
        times: Counter[Stack] = Counter()
        for stack, node in nodes(alone, described):
            times[stack] += node.own
        pid = recording.processes[thread.process].pid
        total = min(sum(times.values()), LARGEST)
        threads.append((f"{text(thread.name)} (pid {pid})", total, +times))
    return threads


def read_speedscope(exported: bytes) -> list[Thread]:
    """By the types in speedscope's file-format-spec.ts: no member too many, none too few."""
    document = json.loads(exported)
    assert document.keys() == {"$schema", "exporter", "shared", "profiles"}
    assert document["$schema"] == SCHEMA
    assert document["shared"].keys() == {"frames"}
    frames = document["shared"]["frames"]
    for each in frames:
        assert each.keys() in ({"name"}, {"name", "file", "line"})
        assert each["name"]
    spelled = [json.dumps(each) for each in frames]
    return [read_evented(profile, spelled) for profile in document["profiles"]]


def read_evented(profile: dict[str, Any], frames: list[str]) -> Thread:
    assert profile.keys() == {"type", "name", "unit", "startValue", "endValue", "events"}
    assert (profile["type"], profile["unit"], profile["startValue"]) == (
        "evented",
        "nanoseconds",
        0,
    )
    return profile["name"], profile["endValue"], times_of(profile, frames)


def times_of(profile: dict[str, Any], frames: list[str]) -> Counter[Stack]:
    """The time between events, by what is open then."""
    times: Counter[Stack] = Counter()
    stack: list[str] = []
    now = 0
    for event in profile["events"]:
        assert event.keys() == {"type", "frame", "at"}
        assert now <= event["at"] <= profile["endValue"]
        times[tuple(stack)] += event["at"] - now
        now = event["at"]
        if event["type"] == "O":
            stack.append(frames[event["frame"]])
        else:
            assert event["type"] == "C"
            assert stack.pop() == frames[event["frame"]]
    assert not stack
    assert now == profile["endValue"]
    return +times
