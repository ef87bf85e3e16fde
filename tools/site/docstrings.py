# SPDX-License-Identifier: Apache-2.0
"""Docstrings as reStructuredText.

fettle's docstrings are plain text, for `help()`: nothing in them is marked up but `code`. So that
Sphinx finds no markup where none is meant, this says what each paragraph is:

- it begins with >>>: an example, left as it is;
- it is indented: text that stands as it is written;
- its lines begin with `word: ` (or are the indented rest of one that does): a list;
- anything else: sentences, in which what looks like code is set as code.
"""

import re
from collections.abc import Iterator
from itertools import groupby

ITEM = re.compile(r"([a-z_]\w*(?:, \w+)*): (.*)")
CODE = re.compile(
    r"`([^`]+)`"  # marked as code
    r"|(?<![\w.])((?:@?\w+\.)*_*\w+\([^()\s]*\)(?:\.\w+)*)"  # a call, as in cache_forget(*args)
    r"|(?<![\w.])((?:\w+\.)*__\w+__)"  # a special name
    r"|(?<![\w.])(\w+=(?:\w+|\"[^\"]*\")?)"  # an argument, as in deep=True
)
SPECIAL = re.compile(r"([\\*`|_])")


def as_restructured_text(
    app: object, what: str, name: str, thing: object, options: object, lines: list[str]
) -> None:
    """Changes the lines of one docstring, as autodoc's event wants it."""
    lines[:] = [line for paragraph in paragraphs(lines) for line in [*convert(paragraph), ""]]


def paragraphs(lines: list[str]) -> Iterator[list[str]]:
    for blank, group in groupby(lines, key=lambda line: not line.strip()):
        if not blank:
            yield list(group)


def convert(paragraph: list[str]) -> list[str]:
    """One paragraph."""
    if paragraph[0].lstrip().startswith(">>>"):
        return paragraph
    if paragraph[0].startswith(" "):
        return ["::", "", *paragraph]
    return [line for part in parts(paragraph) for line in part]


def parts(paragraph: list[str]) -> Iterator[list[str]]:
    """The runs of sentences and the items of a paragraph, each with what separates it."""
    held: list[str] = []
    item = False
    for line in paragraph:
        found = ITEM.fullmatch(line)
        if found or (item and not line.startswith(" ")):
            yield finished(held, item)
            held, item = [], bool(found)
        held.append(line)
    yield finished(held, item)


def finished(held: list[str], item: bool) -> list[str]:
    text = " ".join(line.strip() for line in held)
    found = ITEM.fullmatch(text) if item else None
    if found:
        names = ", ".join(f"``{name}``" for name in found[1].split(", "))
        return [f"- {names}: {inline(found[2])}", ""]
    return [inline(text), ""] if text else []


def inline(text: str) -> str:
    """A sentence: code as code, and nothing else that reStructuredText would take for markup."""
    made, end = [], 0
    for found in CODE.finditer(text):
        made.append(SPECIAL.sub(r"\\\1", text[end : found.start()]))
        code = next(group for group in found.groups() if group)
        before = (
            r"\ " if made[-1] and not made[-1][-1].isspace() and made[-1][-1] not in "([" else ""
        )
        made.append(f"{before}``{code}``")
        end = found.end()
        if text[end : end + 1].isalnum():
            made.append(r"\ ")
    made.append(SPECIAL.sub(r"\\\1", text[end:]))
    return "".join(made)
