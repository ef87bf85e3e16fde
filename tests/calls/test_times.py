# SPDX-License-Identifier: Apache-2.0
"""Times: they add up, none is negative, and what is called waiting is waiting. What is asserted is
where time is put, never how long something takes."""

import os
import subprocess
import sys
from contextlib import contextmanager

import pytest

from . import harness
from .expectations import expected_of
from .harness import PROGRAMS, programs

TIMES = PROGRAMS / "times"
SLEPT = 0.19  # of 0.2 s: clocks differ
RECORDED = [script for kind in ("edge", "threads", "times", "real") for script in programs(kind)]


def rows_of(recorded):
    """Of the program's own functions and of C functions, by name."""
    rows = [r for r in recorded.profile.functions() if r.file in (str(recorded.script), "~")]
    by_name = {row.name: row for row in rows}
    assert len(by_name) == len(rows)
    return by_name


def sums(document, column):
    """Of the nodes that say how long a coroutine was suspended, and of all others."""
    sums = [0, 0]
    for nodes in (thread["nodes"] for thread in document["threads"]):
        for code, value in zip(nodes["code"], nodes[column], strict=True):
            sums[document["codes"][code]["kind"] != "awaited"] += value
    return sums


@pytest.mark.parametrize("script", RECORDED, ids=lambda p: p.stem)
def test_times_add_up(script, recording):
    """In whole nanoseconds, so that nothing is lost to rounding."""
    expected_of(script)
    document = recording(script).document
    functions = document["functions"]
    nodes = [thread["nodes"] for thread in document["threads"]]
    for column, field in (("own_ns", "own_ns"), ("waiting_ns", "own_waiting_ns")):
        of_awaited, of_calls = sums(document, column)
        assert sum(row[field] for row in functions) == of_calls
        assert sum(row["own_awaited_ns"] for row in functions) == of_awaited
    for node in nodes:
        assert all(0 <= w <= own for w, own in zip(node["waiting_ns"], node["own_ns"], strict=True))
    for row in functions:
        assert 0 <= row["own_ns"] <= row["cumulative_ns"]
        assert 0 <= row["own_waiting_ns"] <= row["cumulative_waiting_ns"] <= row["cumulative_ns"]


@pytest.mark.parametrize("script", RECORDED, ids=lambda p: p.stem)
def test_callers_hold_their_callees(script, recording):
    expected_of(script)
    document = recording(script).document
    cumulative = {row["code"]: row["cumulative_ns"] for row in document["functions"]}
    for edge in document["edges"]:
        assert edge["own_ns"] <= edge["cumulative_ns"] <= cumulative[edge["callee"]]
        if edge["caller"]:
            assert edge["cumulative_ns"] <= cumulative[edge["caller"]]


@pytest.mark.parametrize("script", programs("times"), ids=lambda p: p.stem)
def test_total_is_the_time_of_main(script, recording):
    """One thread: what the main module took is the total, and fits in the life of the process."""
    recorded = recording(script)
    main = rows_of(recorded)["<module>"]
    (process,) = recorded.profile.processes()
    assert main.cumulative == pytest.approx(recorded.profile.totals().own, rel=0.1)
    assert main.cumulative <= process.elapsed


def test_sleeping_is_waiting(recording):
    rows = rows_of(recording(TIMES / "sleeping.py"))
    assert rows["<built-in method time.sleep>"].own_waiting >= 2 * SLEPT
    assert rows["<built-in method select.select>"].own_waiting >= SLEPT
    for name in ("doze", "wait_for_event", "wait_for_data", "wait_in_parts"):
        assert rows[name].cumulative_waiting >= SLEPT
        assert rows[name].own_waiting <= rows[name].own
    assert rows["main"].cumulative_waiting >= 4 * SLEPT
    assert rows["main"].own_waiting < SLEPT


@contextmanager
def burners(number):
    command = [sys.executable, "-S", "-c", "while True: pass"]
    running = [subprocess.Popen(command) for _ in range(number)]
    try:
        yield
    finally:
        for process in running:
            process.kill()
            process.wait()


def test_being_preempted_is_not_waiting(tmp_path):
    """With more work than processors: the program is kept from running, by no choice of its own."""
    with burners((os.cpu_count() or 1) + 1):
        recorded = harness.under_fettle(TIMES / "burning.py", tmp_path)
    rows = rows_of(recorded)
    for name in ("main", "long_slice", "many_short"):
        assert rows[name].cumulative_waiting < 0.1 * rows[name].cumulative


def test_open_frames_have_their_time(recording):
    rows = rows_of(recording(TIMES / "open_frames.py"))
    assert rows["inner"].cumulative >= SLEPT
    assert rows["outer"].cumulative >= rows["inner"].cumulative
    assert rows["<built-in method time.sleep>"].own >= SLEPT / 2


def test_parked_generators_have_no_time(recording):
    rows = rows_of(recording(TIMES / "generators_parked.py"))
    slept = rows["<built-in method time.sleep>"].cumulative
    assert slept >= 0.29
    assert rows["use"].cumulative >= slept
    assert rows["numbers"].cumulative < slept / 2
    assert rows["parked"].cumulative < slept / 2
