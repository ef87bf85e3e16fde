# SPDX-License-Identifier: Apache-2.0
"""What the documents name is there: files, numbers of invariants, pages in the index."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = sorted(DOCS.glob("*.md"))
FOLDERS = "engine|glue|python|tests|fuzz|bench|tools|examples|viewer|docs"
PLACE = re.compile(rf"`((?:{FOLDERS})/[\w./-]*)`")  # a path of the tree, in full
NUMBERED = re.compile(r"^(\d+)\. ", re.MULTILINE)
REFERENCE = re.compile(r"\binvariants? (\d+)(?:(?: to | and )(\d+))?")


def is_placeholder(path: str) -> bool:
    """NAME stands for what the reader adds."""
    return "NAME" in path


def numbers(text: str) -> list[int]:
    return [int(number) for pair in REFERENCE.findall(text) for number in pair if number]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_places_named_are_there(page: Path) -> None:
    places = PLACE.findall(page.read_text(encoding="utf-8"))
    assert [p for p in places if not is_placeholder(p) and not (ROOT / p).exists()] == []


def test_every_page_is_in_the_index() -> None:
    index = (DOCS / "README.md").read_text(encoding="utf-8")
    assert [page.name for page in PAGES if f"]({page.name})" not in index] == ["README.md"]


def test_the_invariants_are_numbered_without_gaps() -> None:
    found = [int(n) for n in NUMBERED.findall((DOCS / "invariants.md").read_text(encoding="utf-8"))]
    assert sorted(found) == list(range(1, len(found) + 1))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_invariants_referred_to_are_there(page: Path) -> None:
    last = max(map(int, NUMBERED.findall((DOCS / "invariants.md").read_text(encoding="utf-8"))))
    assert [n for n in numbers(page.read_text(encoding="utf-8")) if not 1 <= n <= last] == []


def test_the_patterns_find_what_they_are_for() -> None:
    text = "see `engine/no/such.c`, `glue/x.h`, `ft_mem` and (invariant 8), invariants 24 to 28"
    assert PLACE.findall(text) == ["engine/no/such.c", "glue/x.h"]
    assert numbers(text) == [8, 24, 28]
    assert is_placeholder("engine/export/NAME.c")
