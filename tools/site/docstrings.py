# SPDX-License-Identifier: Apache-2.0
"""Docstrings as reStructuredText.

fettle's docstrings are plain text, for `help()`: nothing in them is marked up but `code`. So that
Sphinx finds no markup where none is meant, this says what each paragraph is:

- it begins with >>>: an example, left as it is;
- it is indented: text that stands as it is written;
- all its lines begin with `word: `, or are the indented rest of one that does: a list;
- anything else: sentences, in which what looks like code is set as code.
"""

import re
from collections.abc import Iterator
from itertools import groupby, pairwise

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
    found = [ITEM.fullmatch(item) for item in items(paragraph)]
    if all(found):
        return [line for item in found if item for line in (listed(item), "")]
    return [inline(joined(paragraph))]


def items(paragraph: list[str]) -> list[str]:
    """The lines, each with the indented rest of it."""
    starts = [index for index, line in enumerate(paragraph) if not line.startswith(" ")]
    return [joined(paragraph[a:b]) for a, b in pairwise([*starts, len(paragraph)])]


def joined(lines: list[str]) -> str:
    return " ".join(line.strip() for line in lines)


def listed(item: re.Match[str]) -> str:
    names = ", ".join(f"``{name}``" for name in item[1].split(", "))
    return f"- {names}: {inline(item[2])}"


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
