# SPDX-License-Identifier: Apache-2.0
"""Console sessions in Markdown: finds them, runs them, compares what they print.

A session is a fenced block marked `console`; a line that begins with "$ " is a command, the lines
after it are what it prints. What is printed must be what is written, word for word, except that

- a line `...` stands for any number of lines, `...` inside a line for any text;
- a number with a decimal point, and a percentage, stands for any such number: they are measured;
- a number with a unit of time or of memory stands for any with such a unit: 262 ms for 1.031 s, but
  whole seconds are what they are;
- any run of blanks stands for any other: columns are as wide as their digits; in one of eight and
  more there may be a percentage: a column that is empty where nothing waited.

Integers (calls, line numbers) are compared as they stand.
"""

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

FENCE = re.compile(r"^```([^`]*?)\s*$")
TIME = r"\d+(?:\.\d+)?\s?(?:ns|us|ms)\b|\d+\.\d+\s?s\b"
SIZE = r"\d+(?:\.\d+)?\s?[kMG]?B\b"
WIDE = 8  # blanks
LOOSE = re.compile(rf"(\.\.\.|{TIME}|{SIZE}|\d+\.\d+|\d+%|\s+)")
BUSY = re.compile("fettle: the machine's load differed ")  # other programs' doing
TIMEOUT = 120  # seconds for one command: far more than any needs, so that a hang is an error


@dataclass(frozen=True)
class Block:
    """A fenced block: its language, its lines, and where the first of them is in the page."""

    language: str
    lines: tuple[str, ...]
    first_line: int


@dataclass(frozen=True)
class Command:
    """One command of a session, and what the page says it prints."""

    text: str
    expected: tuple[str, ...]
    line: int


@dataclass(frozen=True)
class Ended:
    """What a command printed on stdout and stderr together, and its exit code."""

    printed: tuple[str, ...]
    code: int


def blocks(page: str, first_line: int = 1) -> Iterator[Block]:
    """The fenced blocks of a page (or of a part of it that begins at first_line)."""
    language, start, held = None, 0, list[str]()
    for number, line in enumerate(page.splitlines(), first_line):
        fence = FENCE.match(line)
        if fence and language is None:
            language, start, held = fence[1], number + 1, []
        elif fence:
            yield Block(language or "", tuple(held), start)
            language = None
        elif language is not None:
            held.append(line)
    if language is not None:
        raise ValueError(f"the block that begins at line {start} has no end")


def commands(block: Block) -> list[Command]:
    """The commands of a console block, in order."""
    starts = [index for index, line in enumerate(block.lines) if line.startswith("$ ")]
    if not starts or starts[0] != 0:
        raise ValueError(f"the session at line {block.first_line} does not begin with a command")
    ends = [*starts[1:], len(block.lines)]
    return [
        Command(block.lines[start][2:], block.lines[start + 1 : end], block.first_line + start)
        for start, end in zip(starts, ends, strict=True)
    ]


def line_matches(written: str, printed: str) -> bool:
    """Whether one printed line is what the page says, by the rules above."""
    pattern = "".join(meaning(part) for part in LOOSE.split(written.strip()))
    return re.fullmatch(pattern, printed.strip()) is not None


def meaning(part: str) -> str:
    """The regular expression for a part of a written line: something loose, or what is between."""
    if not LOOSE.fullmatch(part):
        return re.escape(part)
    if part == "...":
        return ".*"
    for unit in (TIME, SIZE):
        if re.fullmatch(unit, part):
            return f"(?:{unit})"
    if part.isspace():
        return r"\s+(?:\d+%\s+)?" if len(part) >= WIDE else r"\s+"
    return r"\d+%" if part.endswith("%") else r"\d+\.\d+"


def mismatch(written: Sequence[str], printed: Sequence[str]) -> str | None:
    """None where the printed lines are what the page says, else a sentence that says where not.

    The run of lines before the first `...` must be at the start and that after the last one at the
    end; each other run is taken where it fits first, which leaves most room for those after it.
    """
    first, *rest = split_runs(written)
    if not rest:
        return difference(first, printed)
    here = len(first)
    if wrong := difference(first, printed[:here]):
        return wrong
    for run in rest[:-1]:
        places = range(here, len(printed) - len(run) + 1)
        fits = (place for place in places if not difference(run, printed[place:][: len(run)]))
        place = next(fits, None)
        if place is None:
            return "written, but not printed after printed line {}: {}".format(here, "\n".join(run))
        here = place + len(run)
    return difference(rest[-1], printed[max(here, len(printed) - len(rest[-1])) :])


def split_runs(written: Sequence[str]) -> list[list[str]]:
    """The runs of lines before, between and after the lines that are `...`."""
    runs: list[list[str]] = [[]]
    for line in written:
        if line.strip() == "...":
            runs.append([])
        else:
            runs[-1].append(line)
    return runs


def difference(run: Sequence[str], printed: Sequence[str]) -> str | None:
    """None where the lines fit one by one, else a sentence with the first that does not."""
    for line, other in zip(run, printed, strict=False):
        if not line_matches(line, other):
            return f"written: {line!r}, printed: {other!r}"
    if len(run) > len(printed):
        return f"written, but not printed: {run[len(printed)]!r}"
    if len(run) < len(printed):
        return f"printed, but not written: {printed[len(run)]!r}"
    return None


class Shell:
    """Runs commands one after another in a folder, where `fettle`, `python` and `ipython` are of
    the interpreter that runs the tests."""

    def __init__(self, folder: Path, tools: Path) -> None:
        self.folder = folder
        tools.mkdir()
        write_tool(tools / "python", [sys.executable])
        write_tool(tools / "fettle", [sys.executable, "-m", "fettle"])
        write_tool(tools / "ipython", [sys.executable, "-m", "IPython", "--colors=NoColor"])
        self.environment = {
            name: value for name, value in os.environ.items() if not name.startswith("FETTLE")
        }
        self.environment |= {
            "PATH": f"{tools}{os.pathsep}{os.environ['PATH']}",
            "FETTLE_CACHE_DIR": f"{tools}-cache",
            "IPYTHONDIR": f"{tools}-ipython",
            "LC_ALL": "C.UTF-8",
        }

    def run(self, text: str) -> Ended:
        ended = subprocess.run(
            ["bash", "-o", "pipefail", "-c", text],
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=TIMEOUT,
            check=False,
        )
        printed = ended.stdout.decode().splitlines()
        return Ended(tuple(line for line in printed if not BUSY.match(line)), ended.returncode)


def write_tool(path: Path, words: list[str]) -> None:
    path.write_text(f'#!/bin/sh\nexec {shlex.join(words)} "$@"\n')
    path.chmod(0o755)
