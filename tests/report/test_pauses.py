# SPDX-License-Identifier: Apache-2.0
"""What a timeline says of garbage collections and threads, of recordings made by hand."""

import io
from types import SimpleNamespace
from typing import Any

import pytest
from fettle.report import memory, pauses, timeline

from .memories import Memory, moment

pytestmark = pytest.mark.once


def summed(generation: int, count: int, time: float, longest: float, process: int = 0) -> Any:
    return SimpleNamespace(
        process=process, generation=generation, count=count, time=time, longest=longest
    )


def span(start: float, end: float | None) -> Any:
    return SimpleNamespace(process=0, name="main", start=start, end=end)


def shown(made: Memory) -> tuple[list[str], list[str]]:
    out = io.StringIO()
    remarks = timeline.show(made.profile(), out)
    return [line for line in out.getvalue().splitlines() if line.startswith(" ")], remarks


def test_collections_of_all_processes() -> None:
    made = Memory()
    made.moment_list = [moment(0.1, 5, 5)]
    made.collection_list = [
        summed(0, 1500, 0.25, 0.001),
        summed(2, 1, 0.5, 0.5),
        summed(0, 500, 0.25, 0.002, process=1),
    ]
    said = "2 001 garbage collections (2 000 of generation 0, 1 of 2) took 1.00s, the longest"
    assert any(line == f" {said} 500.0ms" for line in shown(made)[0])


def test_one_collection() -> None:
    (line,) = [pauses.collections([summed(1, 1, 5e-7, 5e-7)])]
    assert line == "1 garbage collection (1 of generation 1) took 500ns, the longest 500ns"
    assert pauses.collections([]) == ""


@pytest.mark.parametrize(
    ("spans", "line"),
    [
        ([span(0.0, None), span(0.1, 0.2), span(0.2, 0.3)], "3 threads, at most 2"),
        (
            [span(0.0, None), span(0.1, None), span(0.2, 0.2), span(0.3, 0.4)],
            "4 threads, at most 3",
        ),
        ([span(0.0, 1.0)], None),
        ([], None),
    ],
)
def test_threads(spans: list[Any], line: str | None) -> None:
    made = Memory(span_list=spans)
    lines = [each for each in pauses.of(made.profile()) if "thread" in each]
    assert lines == ([f"{line} at the same time"] if line else [])


def test_what_was_not_seen_is_said() -> None:
    made = Memory(note_list=[SimpleNamespace(kind="collections", process=0, count=1)])
    assert shown(made)[1] == [timeline.NO_TIMELINE, pauses.NOT_SEEN]


def test_without_memory_there_is_no_chart() -> None:
    made = Memory(span_list=[span(0.0, 1.0), span(0.0, 1.0)])
    made.heaps = list  # type: ignore[method-assign]
    out = io.StringIO()
    remarks = memory.show(made.profile(), memory.Choice(parts=("timeline",)), out)
    assert out.getvalue() == " 2 threads, at most 2 at the same time\n"
    assert remarks == [timeline.NO_MEMORY]
