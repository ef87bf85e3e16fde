# SPDX-License-Identifier: Apache-2.0
"""Notebooks that are executed, in a kernel of Jupyter's."""

import re
from typing import Any

import pytest

pytestmark = pytest.mark.once

CELLS = """\
%load_ext fettle
----
import asyncio, time
def double(n):
    return n + n
def work(n):
    return [double(i) for i in range(n)]
async def ask(n):
    await asyncio.sleep(0.001)
    return double(n)
----
%frun work(5)
----
%%frun -l work -n 5
work(3)
work(4);
----
%%fmem
kept = bytearray(2_000_000)
----
%ftime --budget 0.2 work(1) --vs work(300)
----
%%frun -n 0
answers = await asyncio.gather(ask(1), ask(2))
sum(answers)
----
%ftime --budget 0.2 await ask(1)
----
%fdis --source double
----
%fettle takeover
%prun -s cumulative work(5)
----
%timeit -n 10 -r 3 work(3)
----
%lprun -f double work(5)
----
%memit bytearray(5_000_000)
----
%mprun -f work work(1000)
----
%%frun
work(6)
1 / 0
----
%%frun --lines
def inner(n):
    return n
inner(3)
----
import sys
recording = %frun -r -q time.sleep(0.1)
print(sorted({row.name for row in recording.stats()}))
"""


class Executed:
    """The outputs of a notebook, by the first line of each cell."""

    def __init__(self, notebook: Any) -> None:
        self.cells = {cell.source.partition("\n")[0]: cell for cell in notebook.cells}

    def outputs(self, first_line: str) -> list[Any]:
        return list(self.cells[first_line].outputs)

    def data(self, first_line: str, kind: str = "text/plain") -> list[str]:
        each_data = [each.data for each in self.outputs(first_line) if "data" in each]
        found = [data[kind] for data in each_data if kind in data]
        return ["".join(each) for each in found]

    def text(self, first_line: str) -> str:
        """What it printed, and what the pager was given."""
        cell = self.cells[first_line]
        printed = "".join(each.text for each in cell.outputs if each.output_type == "stream")
        return printed + cell.metadata.get("paged", "")


@pytest.fixture(scope="module")
def executed(tmp_path_factory: pytest.TempPathFactory) -> Executed:
    nbformat = pytest.importorskip("nbformat")
    nbclient = pytest.importorskip("nbclient")
    pytest.importorskip("ipykernel")
    cells = [nbformat.v4.new_code_cell(each.strip()) for each in CELLS.split("----\n")]
    notebook = nbformat.v4.new_notebook(cells=cells)
    folder = tmp_path_factory.mktemp("notebook")

    def keep_pages(cell: Any, cell_index: int, execute_reply: Any) -> None:
        pages = [
            each["data"]["text/plain"]
            for each in execute_reply["content"].get("payload", ())
            if each["source"] == "page"
        ]
        cell.metadata["paged"] = "".join(pages)

    client = nbclient.NotebookClient(
        notebook,
        kernel_name="python3",
        timeout=60,
        allow_errors=True,
        resources={"metadata": {"path": str(folder)}},
        on_cell_executed=keep_pages,
    )
    client.execute()
    return Executed(notebook)


def test_only_the_cell_that_raises_fails(executed: Executed) -> None:
    failed = {
        line: [each.ename for each in cell.outputs if each.output_type == "error"]
        for line, cell in executed.cells.items()
    }
    assert {line: names for line, names in failed.items() if names} == {
        "%%frun": ["ZeroDivisionError"]
    }


def test_a_recording_is_a_table_and_html(executed: Executed) -> None:
    table, value = executed.data("%frun work(5)")
    assert re.search(r"^ +5 .*\.py:2\(double\)$", table, re.MULTILINE)
    assert value == "[0, 2, 4, 6, 8]"
    (html,) = executed.data("%frun work(5)", "text/html")
    assert '<iframe sandbox="allow-scripts"' in html and "(double)" in html


def test_nothing_of_the_kernel_is_recorded(executed: Executed) -> None:
    assert executed.text("import sys") == "['<built-in method time.sleep>', '<module>']\n"


def test_what_awaits_is_without_the_shell(executed: Executed) -> None:
    (table, value) = executed.data("%%frun -n 0")
    assert value == "6" and table.count("(ask)") == 1 and "interactiveshell" not in table


def test_functions_of_cells_have_their_source(executed: Executed) -> None:
    (table,) = executed.data("%%frun -l work -n 5")
    assert "return [double(i) for i in range(n)]" in table and "is gone" not in table
    assert "return n + n" in executed.text("%fdis --source double")
    assert "return n + n" in executed.text("%lprun -f double work(5)")
    table, _ = executed.data("%%frun --lines")
    assert "return n" in table


def test_memory(executed: Executed) -> None:
    (table,) = executed.data("%%fmem")
    assert "2.0 MB still alive" in table
    assert "increment: 4.77 MiB" in executed.text("%memit bytearray(5_000_000)")
    assert "Line Contents" in executed.text("%mprun -f work work(1000)")


def test_times(executed: Executed) -> None:
    (table,) = executed.data("%ftime --budget 0.2 work(1) --vs work(300)")
    assert "slower" in table
    (table,) = executed.data("%ftime --budget 0.2 await ask(1)")
    assert "ms" in table
    assert "10 loops each" in executed.text("%timeit -n 10 -r 3 work(3)")


def test_a_cell_that_awaits(executed: Executed) -> None:
    table, value = executed.data("%%frun -n 0")
    assert value == "6"
    assert re.search(r"^ +2 .*:2\(double\)$", table, re.MULTILINE)


def test_the_recording_of_what_raised_is_shown(executed: Executed) -> None:
    (table,) = executed.data("%%frun")
    assert re.search(r"^ +6 .*:2\(double\)$", table, re.MULTILINE)


def test_prun_is_paged_as_ever(executed: Executed) -> None:
    text = executed.text("%fettle takeover")
    assert re.search(r"function calls .*in \d+\.\d+ seconds", text)
    assert "Ordered by: cumulative time" in text
