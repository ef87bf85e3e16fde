# SPDX-License-Identifier: Apache-2.0
"""The documents: links lead somewhere, examples at a Python prompt give what they say."""

import doctest
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
FENCE = re.compile(r"^(```|~~~).*?^\1", re.DOTALL | re.MULTILINE)


def anchors(text: str) -> set[str]:
    """The names that the headings get on the usual hosts."""
    headings = re.findall(r"^#+\s+(.*)$", FENCE.sub("", text), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", each).strip().lower().replace(" ", "-") for each in headings}


def dead_links(document: Path, text: str) -> list[str]:
    """The links within the repository that lead nowhere."""
    dead = []
    for target in LINK.findall(FENCE.sub("", text)):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        file = (document.parent / path).resolve() if path else None
        exists = file is None or file.exists()
        if not exists or (anchor and anchor not in anchors(file.read_text() if file else text)):
            dead.append(target)
    return dead


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(document: Path) -> None:
    assert dead_links(document, document.read_text()) == []


def test_a_dead_link_is_found() -> None:
    here = ROOT / "README.md"
    assert dead_links(here, "[a](nowhere.md) [b](#no-such-heading)") == [
        "nowhere.md",
        "#no-such-heading",
    ]
    assert dead_links(here, "# Two words\n[a](README.md) [b](#two-words) [c](https://x.org)") == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_pictures_say_what_they_show(document: Path) -> None:
    """For whoever does not see them."""
    pictures = re.findall(r"!\[([^\]]*)\]\(([^)]*)\)", FENCE.sub("", document.read_text()))
    assert [path for said, path in pictures if len(said) < 20] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_examples_at_the_prompt(document: Path) -> None:
    assert doctest.testfile(str(document), module_relative=False, verbose=False).failed == 0
