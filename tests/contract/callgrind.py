# SPDX-License-Identifier: Apache-2.0
"""The Callgrind format 1, read strictly by Valgrind's published grammar of it."""

import re
from collections import Counter, defaultdict
from typing import NamedTuple

from . import oracle
from .spelling import line, name
from .synthetic import PYTHON, Code, Recording

Function = tuple[str, str]  # file, name
HEAD = [
    "# callgrind format",
    "version: 1",
    "creator: fettle",
]
REST_OF_HEAD = [
    "positions: line",
    "event: ns : Nanoseconds",
    "events: ns",
]


class Profile(NamedTuple):
    command: str | None
    total: int
    own: Counter[Function]
    calls: Counter[tuple[Function, Function]]
    inclusive: Counter[tuple[Function, Function]]
    lines: Counter[tuple[Function, int]]  # own, by line


def key(code: Code) -> Function:
    def word(raw: bytes) -> str:
        spelled = line(raw) or "???"
        return re.sub("^ ", r"\\x20", spelled)

    suffix = f":{code.line}" if code.kind == PYTHON else ""
    return word(code.file), word(name(code)) + suffix


def is_anonymous(code: Code) -> bool:
    return code.kind == PYTHON and code.name.startswith(b"<") and code.name != b"<module>"


def own_of_lines(recording: Recording) -> dict[int, dict[int, int]]:
    """Of each line its time less its callees', and less that of the anonymous code in it."""
    functions, _ = oracle.tables(recording)
    tables: defaultdict[int, dict[int, int]] = defaultdict(dict)
    for (code, number), (_, time, _, callees) in sorted(oracle.lines(recording).items()):
        tables[code][number] = time - callees
    for code, sums in sorted(functions.items()):
        c, own = recording.codes[code], sums.own
        around = [t for t in tables if recording.codes[t].file == c.file and c.line in tables[t]]
        if not around or not is_anonymous(c) or code in tables:
            continue
        number = c.line
        while own and number in tables[around[0]]:
            part = min(own, tables[around[0]][number])
            tables[around[0]][number] -= part
            own -= part
            number += 1
    return tables


def costs(recording: Recording) -> dict[int, Counter[int]]:
    """Of each function the own time by line."""
    functions, _ = oracle.tables(recording)
    tables = own_of_lines(recording)
    made: defaultdict[int, Counter[int]] = defaultdict(Counter)
    for code in functions or tables:  # no calls: what the lines took
        lines = tables.get(code, {})
        whole = min(sum(lines.values()), oracle.LARGEST)
        own = functions[code].own if code in functions else whole
        made[code][recording.codes[code].line] += max(0, own - whole)
        so_far = given = 0
        for number, ns in sorted(lines.items()):
            so_far += ns
            until = so_far if own >= whole else own * so_far // whole
            made[code][number] += until - given
            given = until
    return made


def expected(recording: Recording) -> Profile:
    _, edges = oracle.tables(recording)
    keys = [key(code) for code in recording.codes]
    command = dict(recording.meta).get(b"command")
    own = costs(recording)
    total = sum(by_line.total() for by_line in own.values())
    said = None if command is None else line(command)
    profile = Profile(said, total, Counter(), Counter(), Counter(), Counter())
    for code, by_line in own.items():
        profile.own[keys[code]] += by_line.total()
        for number, ns in by_line.items():
            profile.lines[keys[code], number] += ns
    for (caller, callee), sums in edges.items():
        if caller and sums.calls:
            profile.calls[keys[caller], keys[callee]] += sums.calls
            profile.inclusive[keys[caller], keys[callee]] += sums.cumulative
    return Profile(said, total, *(+counter for counter in profile[2:]))


class Reader:
    def __init__(self) -> None:
        self.profile = Profile(None, 0, Counter(), Counter(), Counter(), Counter())
        # One table for all keys of files, one for all keys of functions.
        self.names: defaultdict[str, dict[int, str]] = defaultdict(dict)
        self.at = self.to = ("", "")
        self.calls = 0

    def read(self, exported: bytes) -> Profile:
        lines = exported.decode().split("\n")
        assert lines[: len(HEAD)] == HEAD
        assert lines.pop() == ""
        del lines[: len(HEAD)]
        command = re.fullmatch("cmd: (.*)", lines[0])
        del lines[: command is not None]
        assert lines[: len(REST_OF_HEAD)] == REST_OF_HEAD
        summary = re.fullmatch("summary: ([0-9]+)", lines[len(REST_OF_HEAD)])
        assert summary
        for row in lines[len(REST_OF_HEAD) + 1 :]:
            self.take(row)
        said = command and command[1]
        return Profile(said, int(summary[1]), *(+counter for counter in self.profile[2:]))

    def take(self, row: str) -> None:
        if position := re.fullmatch(r"(fl|fn|cfi|cfn)=\(([0-9]+)\)(?: (\S.*))?", row):
            self.place(position[1], self.name(position))
        elif calls := re.fullmatch("calls=([1-9][0-9]*) ([0-9]+)", row):
            self.calls = int(calls[1])
        elif cost := re.fullmatch("([0-9]+) ([0-9]+)", row):
            self.cost(int(cost[1]), int(cost[2]))
        else:
            assert row == "", row

    def name(self, position: re.Match[str]) -> str:
        table = self.names["file" if position[1] in ("fl", "cfi") else "function"]
        number = int(position[2])
        assert (position[3] is None) == (number in table), position[0]
        return table.setdefault(number, position[3])

    def place(self, kind: str, name: str) -> None:
        match kind:
            case "fl":
                self.at = name, ""
            case "fn":
                self.at = self.at[0], name
            case "cfi":
                self.to = name, ""
            case "cfn":
                self.to = self.to[0], name

    def cost(self, number: int, ns: int) -> None:
        if self.calls:
            self.profile.calls[self.at, self.to] += self.calls
            self.profile.inclusive[self.at, self.to] += ns
        else:
            self.profile.own[self.at] += ns
            self.profile.lines[self.at, number] += ns
        self.calls = 0


def read(exported: bytes) -> Profile:
    return Reader().read(exported)
