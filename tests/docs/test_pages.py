# SPDX-License-Identifier: Apache-2.0
"""The documents: every session prints what its page says, and the page of a verb ends with its
help."""

from pathlib import Path

import pytest
from fettle.cli import _load, verbs

from .console import Block, Command
from .pages import DOCS, ROOT, Executed, Page, edit

ELSEWHERE = {"seed"}  # in test_seed.py
PAGES = [Page(path) for path in sorted(DOCS.rglob("*.md")) if path.stem not in ELSEWHERE]
# The tutorial holds on every Python; the others say much the same, and take their time.
SESSIONS = [
    pytest.param(
        page,
        command,
        id=f"{page.path.stem}:{command.line}: {command.text}",
        marks=[] if page.path.stem == "tutorial" else pytest.mark.once,
    )
    for page in PAGES
    for command in page.commands
]


@pytest.fixture(scope="module")
def executed(tmp_path_factory: pytest.TempPathFactory) -> Executed:
    return Executed(tmp_path_factory)


@pytest.mark.parametrize(("page", "command"), SESSIONS)
def test_session_prints_what_the_page_says(
    page: Page, command: Command, executed: Executed
) -> None:
    page.check(command, executed.of(page, command))


def help_on(page: str) -> str:
    """The text between the last fence of `text` and its end: what the page says --help prints."""
    return page.rpartition("```text\n")[2].partition("\n```")[0]


@pytest.mark.once
def test_every_verb_has_its_page() -> None:
    assert sorted(path.stem for path in (DOCS / "verbs").glob("*.md")) == verbs()


@pytest.mark.once
@pytest.mark.parametrize("verb", verbs())
def test_the_page_of_a_verb_ends_with_its_help(verb: str) -> None:
    """`python tools/verb_pages.py` writes it there."""
    page = (DOCS / "verbs" / f"{verb}.md").read_text(encoding="utf-8")
    assert help_on(page) == _load(verb).HELP.strip("\n")


@pytest.mark.once
def test_the_help_of_a_page_is_its_last_block() -> None:
    assert help_on("a\n```text\nx\n```\nb\n```text\nusage: y\n\n  -z\n```\n") == "usage: y\n\n  -z"
    assert help_on("nothing") != "usage"


@pytest.mark.once
def test_a_page_that_is_wrong_is_found(tmp_path: Path) -> None:
    file = ROOT / "docs" / "wrong.md"
    page = Page(file)
    page.__dict__["text"] = "```console\n$ echo one\none\n$ echo two\nthree\n$ exit 3\n```\n"
    ended = page.execute(tmp_path)
    good, bad, failing = page.commands
    page.check(good, ended[good.line])
    with pytest.raises(AssertionError, match=r"docs/wrong.md:4: written: 'three'"):
        page.check(bad, ended[bad.line])
    with pytest.raises(AssertionError, match="exit code 3"):
        page.check(failing, ended[failing.line])


@pytest.mark.once
def test_an_edit_changes_what_it_shows(tmp_path: Path) -> None:
    file = tmp_path / "a.py"
    file.write_text("one\ntwo\nthree\n\nfour\n")
    edit(tmp_path, Block("diff", ("+++ a.py", " one", "-two", "+2", "@@", "-four", "+4", "+5"), 1))
    assert file.read_text() == "one\n2\nthree\n\n4\n5\n"
    with pytest.raises(ValueError, match="0 places"):
        edit(tmp_path, Block("diff", ("+++ a.py", "-two", "+2"), 1))
    with pytest.raises(ValueError, match="begin with"):
        edit(tmp_path, Block("diff", ("-two", "+2"), 1))
