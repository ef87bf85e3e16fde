# SPDX-License-Identifier: Apache-2.0
"""What makes the site: docstrings come out as they were written, docutils being the judge."""

import importlib.util
import inspect
import io
import re
from pathlib import Path
from types import ModuleType

import fettle
import pytest

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.once


def load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, ROOT / "tools" / "site" / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def markup(text: str) -> list[str]:
    lines = inspect.cleandoc(text).split("\n")
    load("docstrings").as_restructured_text(None, "function", "f", None, None, lines)
    return lines


def read(lines: list[str]) -> tuple[str, str]:
    """The text that docutils reads, and what it complains of."""
    core = pytest.importorskip("docutils.core")
    complaints = io.StringIO()
    settings = {"warning_stream": complaints, "report_level": 1}
    document = core.publish_doctree("\n".join(lines), settings_overrides=settings)
    return document.astext(), complaints.getvalue()


def words(text: str) -> list[str]:
    return text.replace("`", "").split()


PUBLIC = {
    f"{name}.{member}".rstrip("."): found.__doc__
    for name in fettle.__all__
    for thing in [getattr(fettle, name)]
    for member, found in [("", thing), *(vars(thing).items() if isinstance(thing, type) else [])]
    if not member.startswith("_") and getattr(found, "__doc__", None)
}


@pytest.mark.parametrize("name", PUBLIC)
def test_a_docstring_is_shown_word_for_word(name: str) -> None:
    text, complaints = read(markup(PUBLIC[name]))
    assert complaints == ""
    assert words(text) == words(inspect.cleandoc(PUBLIC[name]))


def test_what_a_paragraph_is() -> None:
    core = pytest.importorskip("docutils.core")
    text = """Takes *args, and x_ or |y|; deep=True is `code`.

    one: the first
        of them
    two: f(x), and __slots__

        as it stands

    >>> 1 + 1
    2
    """
    document = core.publish_doctree("\n".join(markup(text)))
    assert [child.tagname for child in document.children] == [
        "paragraph",
        "bullet_list",
        "literal_block",
        "doctest_block",
    ]
    code = [node.astext() for node in document.findall() if node.tagname == "literal"]
    assert code == ["deep=True", "code", "one", "two", "f(x)", "__slots__"]


def test_the_contents_name_pages_that_are_there() -> None:
    text = (ROOT / "tools" / "site" / "conf.py").read_text(encoding="utf-8")
    named = re.findall(r'"((?:docs/)?[\w/-]+)",?', text.partition("CONTENTS")[2])
    pages = [page for page in named if page.startswith("docs/") and page != "docs/adr/"]
    assert pages
    assert [page for page in pages if not (ROOT / f"{page}.md").is_file()] == []
