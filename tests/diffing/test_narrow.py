# SPDX-License-Identifier: Apache-2.0
"""Comparisons on a narrow terminal: what there is no room for is named, names keep their end."""

import re
from collections.abc import Callable

import fettle
import pytest
from fettle.diffing import table
from fettle.diffing.side import Side

from tests.terminal import Terminal

from . import made

pytestmark = pytest.mark.once
KINDS = ["own", "calls", "cumulative", "waiting"]
NAME = "a_function_with_a_name_as_long_as_some_people_like_them"
WIDTHS = [40, 60, 80, 100, 132, 200]


@pytest.fixture(autouse=True)
def quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("TERM", "dumb")


def shown(show: Callable[[Terminal], object]) -> list[str]:
    stream = Terminal()
    show(stream)
    return stream.getvalue().splitlines()


def left_out(lines: list[str]) -> list[str]:
    """What the line below a table names."""
    found = [match[1] for line in lines if (match := re.search(r"\(no room for ([^:)]+)", line))]
    return [name for names in found for name in names.removesuffix(" on this terminal").split(", ")]


def side(factor: float, runs: int) -> Side:
    return made.side(
        *[
            made.Run(
                [
                    made.function(NAME, factor * (1 + run / 1000), calls=int(1000 * factor)),
                    made.function("f", 0.5, calls=3),
                ]
            )
            for run in range(runs)
        ]
    )


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("runs", [1, 5])
def test_functions(width: int, runs: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    both = table.Table(side(1, runs), side(2, runs), False, "")
    heading, head, row, *rest = shown(lambda stream: table.show(both, table.Choice(), stream))
    assert heading.count("slower") == (runs > 1)
    assert max(len(head), len(row)) <= width
    named = left_out(rest)
    assert [*head.split("function")[0].replace("now", "").split()] + [
        kind for kind in KINDS if kind in named
    ] == KINDS
    assert (head.count("now") < 4) == bool(set(named) - {"the intervals"})
    assert f"{NAME[-8:]})" in row
    if runs > 1:
        assert "2.00x slower" in row
        assert ("95%" in row) != ("the intervals" in named)
    if width == 200:
        assert named == []


@pytest.mark.parametrize("width", WIDTHS)
def test_memory(width: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """At least the number that it is about, and where."""
    with fettle.run(mem=True) as old:
        pass
    with fettle.run(mem=True) as new:
        kept = bytearray(1_000_000)
    monkeypatch.setenv("COLUMNS", str(width))
    _, head, row, *rest = shown(lambda stream: new.diff(old, "mem", file=stream))
    assert len(kept) == 1_000_000
    assert max(len(head), len(row)) <= width
    assert re.match(r" +\+1\.0 MB ", row)
    assert "test_narrow.py:" in row
    named = left_out(rest)
    assert ("alive" in head) != ("alive" in named)
    assert all(word in head or word in named for word in ("now", "blocks"))
    assert named == [] or width < 132
