# SPDX-License-Identifier: Apache-2.0
"""What a program's own docstring says of its counts, reasoned by construction.

    expect NAME CALLS [PRIMITIVE]              all functions of that name in the program's file
    edge CALLER -> CALLEE CALLS [PRIMITIVE]    or C functions by cProfile's label
    expect[3.12+] ...   edge[3.11] ...         on these Pythons only ("3.12-3.14" is a range)
    needs[3.12+]                               the program only runs there
    package NAME                               ... only where that is installed
    cprofile REASON                            cProfile itself counts otherwise, and why
    status NUMBER   signal NUMBER              how the program ends (else status 0)
    yields NAME CALLS                          counted so, or a note says that our hook was taken
    processes NUMBER                           how many processes the recording holds

Where PRIMITIVE is left out every call is primitive.
"""

import ast
import re
import sys
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

import pytest

from .counts import Calls, Counts

LINE = re.compile(
    r"(expect|edge|needs|package|cprofile|status|signal|processes|yields)(?:\[(.+?)\])?(?: (.+))?"
)
NUMBERS = re.compile(r"(.+?)((?: \d+){1,2})")


def version(text: str) -> tuple[int, int]:
    major, minor = text.split(".")
    return int(major), int(minor)


def applies(versions: str | None) -> bool:
    if versions is None:
        return True
    first, separator, last = versions.partition("-")
    here = sys.version_info[:2]
    if versions.endswith("+"):
        return here >= version(versions[:-1])
    return version(first) <= here <= version(last if separator else first)


@dataclass
class Expectations:
    functions: dict[str, Calls] = field(default_factory=dict)
    edges: dict[tuple[str, str], Calls] = field(default_factory=dict)
    yields: dict[str, Calls] = field(default_factory=dict)
    runs_here: bool = True
    package: str | None = None
    cprofile_differs: str = ""
    status: int = 0
    signal: int = 0
    processes: int | None = None

    def add(self, word: str, rest: str) -> None:
        if word == "cprofile":
            self.cprofile_differs = rest
        elif word == "package":
            self.package = rest
        elif word in ("status", "signal", "processes"):
            setattr(self, word, int(rest))
        else:
            self.add_counts(word, rest)

    def add_counts(self, word: str, rest: str) -> None:
        match = NUMBERS.fullmatch(rest)
        assert match, f"no counts in: {word} {rest}"
        calls, *primitive = map(int, match[2].split())
        counts = Calls(calls, primitive[0] if primitive else calls)
        if word == "expect":
            self.functions[match[1]] = counts
        elif word == "yields":
            self.yields[match[1]] = counts
        else:
            caller, callee = match[1].split(" -> ")
            self.edges[caller, callee] = counts


def of_program(path: Path) -> Expectations:
    found = Expectations()
    text = ast.get_docstring(ast.parse(path.read_bytes())) or ""
    for line in text.splitlines():
        match = LINE.fullmatch(line.strip())
        if match is None:
            continue
        word, versions, rest = match.groups()
        if word == "needs":
            found.runs_here = applies(versions)
        elif applies(versions):
            found.add(word, rest)
    return found


def expected_of(script: Path) -> Expectations:
    """Skips the test where the program can not run."""
    said = of_program(script)
    if not said.runs_here:
        pytest.skip("this Python has not got what the program needs")
    if said.package and find_spec(said.package) is None:
        pytest.skip(f"{said.package} is not installed")
    return said


def wrong_counts(script: Path, counts: Counts, said: Expectations) -> list[str]:
    """What was counted otherwise than expected. Never empty-handed: something must be expected."""
    assert said.functions, f"{script.name} says nothing of its counts"
    file = str(script)
    rows = [(name, wanted, counts.named(name, file)) for name, wanted in said.functions.items()]
    for (caller, callee), wanted in said.edges.items():
        found = counts.edge_named(caller, callee, file)
        rows.append((f"{caller} -> {callee}", wanted, found))
    return [
        f"{what}: expected {tuple(wanted)}, counted {tuple(found)}"
        for what, wanted, found in rows
        if wanted != found
    ]
