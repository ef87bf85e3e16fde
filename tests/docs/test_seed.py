# SPDX-License-Identifier: Apache-2.0
"""docs/seed.md: no block of the seed is forgotten, and every session prints what the page says."""

import re
from dataclasses import dataclass

import pytest

from .console import Block, Command, blocks, commands
from .pages import DOCS, Executed, Page

SEED_BLOCKS = 23  # code blocks of the document that the project grew from

HEADING = re.compile(r"^### (\d+)\. (.+)$", re.MULTILINE)
ROW = re.compile(r"^\| (\d+) \| (.+) \| (.+) \|$", re.MULTILINE)


@dataclass(frozen=True)
class Section:
    """One numbered block of the seed, with its answer."""

    number: int
    title: str
    blocks: tuple[Block, ...]

    def sessions(self) -> list[Command]:
        return [
            command
            for block in self.blocks
            if block.language == "console"
            for command in commands(block)
        ]


def read_sections(page: str) -> list[Section]:
    headings = list(HEADING.finditer(page))
    ends = [heading.start() for heading in headings[1:]] + [len(page)]
    sections = []
    for heading, end in zip(headings, ends, strict=True):
        text = page[heading.start() : end]
        first_line = page.count("\n", 0, heading.start()) + 1
        found = tuple(blocks(text, first_line))
        sections.append(Section(int(heading[1]), heading[2], found))
    return sections


PAGE = Page(DOCS / "seed.md")
SECTIONS = read_sections(PAGE.text)


@pytest.fixture(scope="module")
def executed(tmp_path_factory: pytest.TempPathFactory) -> Executed:
    return Executed(tmp_path_factory)


@pytest.mark.parametrize("command", PAGE.commands, ids=lambda c: f"line {c.line}: {c.text}")
def test_session_prints_what_the_page_says(command: Command, executed: Executed) -> None:
    PAGE.check(command, executed.of(PAGE, command))


def test_every_block_of_the_seed_has_its_section() -> None:
    assert [section.number for section in SECTIONS] == list(range(1, SEED_BLOCKS + 1))


@pytest.mark.parametrize("section", SECTIONS, ids=lambda s: f"{s.number}. {s.title}")
def test_a_section_quotes_the_habit_and_answers_it(section: Section) -> None:
    assert section.blocks, "there is no block at all"
    assert section.blocks[0].language in {"python", "text"}, "the old habit comes first"
    assert all(block.lines for block in section.blocks)
    assert {block.language for block in section.blocks} <= {"python", "text", "console"}
    assert section.sessions(), "there is no answer"


def test_the_table_of_contents_has_every_block() -> None:
    table = {int(number): answer for number, _, answer in ROW.findall(PAGE.text)}
    assert list(table) == [section.number for section in SECTIONS]
    assert all(answer.strip() for answer in table.values())


def test_every_console_block_stands_in_a_section() -> None:
    everywhere = [block for block in blocks(PAGE.text) if block.language == "console"]
    in_sections = [b for s in SECTIONS for b in s.blocks if b.language == "console"]
    assert everywhere == in_sections
