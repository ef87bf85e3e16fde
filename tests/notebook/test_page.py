# SPDX-License-Identifier: Apache-2.0
"""docs/notebook.md: its session, typed into a shell, prints what the page says."""

import re
from pathlib import Path

import pytest

from tests.docs.console import blocks, mismatch

from .conftest import Shell

pytestmark = pytest.mark.once

PAGE = Path(__file__).parents[2] / "docs" / "notebook.md"
PROMPT = re.compile(r"^(?:In \[\d+\]|   \.{3,}): ?(.*)$")


def inputs() -> list[tuple[str, list[str]]]:
    """Each cell, and what the page says it prints."""
    found: list[tuple[str, list[str]]] = []
    for block in blocks(PAGE.read_text(encoding="utf-8")):
        if not block.lines or not PROMPT.match(block.lines[0]):
            continue
        for line in block.lines:
            typed = PROMPT.match(line)
            if typed and line.startswith("In"):
                found.append((typed[1], []))
            elif typed:
                found[-1] = (f"{found[-1][0]}\n{typed[1]}", found[-1][1])
            else:
                found[-1][1].append(line)
    return [(cell, "\n".join(expected).strip("\n").splitlines()) for cell, expected in found]


def test_the_session_of_the_page(shell: Shell) -> None:
    shell.good("%unload_ext fettle")
    shell.ip.reset(new_session=True)
    cells = inputs()
    assert len(cells) > 10
    for cell, expected in cells:
        printed = shell.good(cell).text.rstrip().splitlines()
        printed = [line for line in printed if not line.startswith("The slowest run took")]
        assert mismatch(expected, printed) is None, f"{cell}\n{mismatch(expected, printed)}"
