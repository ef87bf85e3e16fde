# SPDX-License-Identifier: Apache-2.0
"""Pages whose sessions are executed: what each command prints is held beside what the page says.

The commands of a page run once, in order, in a folder that holds a copy of examples/ and nothing
else, so that a session can look at the recording of an earlier one on the same page. A block marked
`diff` is an edit of a file there, made when the commands before it have run.
"""

import re
import shutil
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from pathlib import Path

import pytest

from .console import Block, Command, Ended, Shell, blocks, commands, mismatch

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"


@dataclass(frozen=True)
class Page:
    """A page of docs/."""

    path: Path

    @property
    def name(self) -> str:
        return self.path.relative_to(ROOT).as_posix()

    @cached_property
    def text(self) -> str:
        return self.path.read_text(encoding="utf-8")

    @cached_property
    def blocks(self) -> list[Block]:
        return list(blocks(self.text))

    @cached_property
    def commands(self) -> list[Command]:
        consoles = (block for block in self.blocks if block.language == "console")
        return [command for block in consoles for command in commands(block)]

    def execute(self, folder: Path) -> dict[int, Ended]:
        """What each command printed, by its line."""
        examples = folder / "examples"
        shutil.copytree(
            ROOT / "examples",
            examples,
            ignore=shutil.ignore_patterns("*.fettle*", "__pycache__", ".cache*"),
        )
        shell = Shell(examples, folder / "tools")
        ended = {}
        for block in self.blocks:
            if block.language == "diff":
                edit(examples, block)
            elif block.language == "console":
                ended |= {command.line: shell.run(command.text) for command in commands(block)}
        return ended

    def check(self, command: Command, ended: Ended) -> None:
        """Fails where the command did not print what the page says, or did not end with 0."""
        if command.text.startswith("ipython "):
            pytest.importorskip("IPython")
        where = f"{self.name}:{command.line}"
        printed = "\n".join(ended.printed)
        wrong = mismatch(command.expected, ended.printed)
        assert wrong is None, f"{where}: {wrong}\nAll it printed:\n{printed}"
        assert ended.code == 0, f"{where}: exit code {ended.code}\n{printed}"


def edit(folder: Path, block: Block) -> None:
    """Makes the change that a block shows: "+++ FILE", then lines that begin with a blank, - or +;
    what begins with @@ stands between two places of the file."""
    first, *lines = block.lines
    if not first.startswith("+++ "):
        raise ValueError(f"the change at line {block.first_line} does not begin with +++ FILE")
    path = folder / first[4:]
    text = path.read_text(encoding="utf-8")
    for between, group in groupby(lines, key=lambda line: line.startswith("@@")):
        if between:
            continue
        hunk = list(group)
        old = "".join(f"{line[1:]}\n" for line in hunk if not line.startswith("+"))
        new = "".join(f"{line[1:]}\n" for line in hunk if not line.startswith("-"))
        if text.count(old) != 1:
            raise ValueError(f"line {block.first_line}: {text.count(old)} places of {path} fit")
        text = text.replace(old, new)
    path.write_text(text, encoding="utf-8")


class Executed:
    """Executes a page when something of it is first asked for."""

    def __init__(self, factory: pytest.TempPathFactory) -> None:
        self.factory = factory
        self.ended: dict[Page, dict[int, Ended]] = {}

    def of(self, page: Page, command: Command) -> Ended:
        if page not in self.ended:
            folder = self.factory.mktemp(re.sub(r"\W", "-", page.name))
            self.ended[page] = page.execute(folder)
        return self.ended[page][command.line]
