# SPDX-License-Identifier: Apache-2.0
"""%ftime and %%ftime."""

import re

import pytest
from fettle.timing.timing import Timing

from .conftest import Shell

QUICK = "--budget 0.2"


def test_a_statement_in_the_names_of_the_notebook(shell: Shell) -> None:
    shell.good("numbers = list(range(100))")
    (data,) = shell.good(f"%ftime {QUICK} sum(numbers)").shown
    assert re.match(r"sum\(numbers\) +[\d.]+ .s", data["text/plain"])


def test_several_statements_are_compared(shell: Shell) -> None:
    shell.good("def slow(): return sum(range(3000))\ndef fast(): return sum(range(10))")
    timing = shell.good(f"%ftime {QUICK} -o slow() --vs fast()").value
    assert isinstance(timing, Timing)
    assert timing.verdict == "faster"
    assert [each.label for each in timing.series] == ["slow()", "fast()"]


def test_a_cell_and_its_setup(shell: Shell) -> None:
    loop = "total = 0\nfor x in data: total += x"
    timing = shell.good(f"%%ftime {QUICK} -o data = [1] * 1000\n{loop}\n--vs\nsum(data)").value
    assert timing.verdict == "faster"  # type: ignore[attr-defined]
    assert "total" not in shell.names and "data" not in shell.names


def test_loops(shell: Shell) -> None:
    timing = shell.good(f"%ftime {QUICK} -q -o -n 17 pass").value
    assert timing.series[0].loops == 17  # type: ignore[attr-defined]


def test_what_awaits(shell: Shell) -> None:
    shell.good("import asyncio\nasync def nap(): await asyncio.sleep(0.001)")
    timing = shell.good(f"%ftime {QUICK} -o -q await nap()").value
    assert timing.median > 0.0009  # type: ignore[attr-defined]


def test_what_awaits_in_a_cell_that_awaits(shell: Shell) -> None:
    shell.good("import asyncio\nasync def nap(): await asyncio.sleep(0.001)")
    shell.good(f"await nap()\ntiming = %ftime {QUICK} -o -q await nap()")
    assert shell.names["timing"].median > 0.0009


def test_what_raises(shell: Shell) -> None:
    result = shell.run("%ftime 1 / 0")
    assert isinstance(result.error, ZeroDivisionError)
    assert result.shown == []
    assert "fettle/timing" not in result.text  # nor a way to it


@pytest.mark.parametrize(
    ("cell", "sentence"),
    [
        ("%ftime", "there is nothing to time"),
        ("%ftime --clock sun pass", "clock needs"),
        ("%ftime --budget soon pass", "--budget needs a number above 0"),
        ("%ftime x = (", "does not compile"),
    ],
)
def test_bad_options(shell: Shell, cell: str, sentence: str) -> None:
    text = shell.run(cell).text
    assert text.startswith("UsageError: ") and sentence in text


def test_what_is_shown_in_html_is_escaped(shell: Shell) -> None:
    from fettle.notebook.time import Timed

    timing = shell.good(f"%ftime {QUICK} -o -q '<b>' < '<i>'").value
    assert "<b>" not in Timed(timing)._repr_html_()  # type: ignore[arg-type]
