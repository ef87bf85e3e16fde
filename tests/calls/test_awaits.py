# SPDX-License-Identifier: Apache-2.0
"""asyncio: what coroutines awaited against what they measured themselves, and tasks in the tree
below the code that created them. Times are compared with what a program measured around the same
waits: a recorded wait lies within it."""

import json
from collections import Counter

import pytest

from .harness import PROGRAMS

AWAITS = PROGRAMS / "awaits"
OPTIONS = [(), ("--no-builtins",)]
MODES = pytest.mark.parametrize("options", OPTIONS, ids=["all", "no-builtins"])


def own_rows(recorded):
    return {r.name: r for r in recorded.profile.functions() if r.file == str(recorded.script)}


def suspensions(document):
    """How often each function was suspended, by name."""
    counts: Counter[str] = Counter()
    for nodes in (thread["nodes"] for thread in document["threads"]):
        for code, parent, calls in zip(nodes["code"], nodes["parent"], nodes["calls"], strict=True):
            if document["codes"][code]["kind"] == "awaited":
                counts[document["codes"][nodes["code"][parent]]["name"]] += calls
    return counts


def shown_tree(recorded):
    """The calls of each path of the program's own functions, as `--tree` shows them: by name."""
    rows = recorded.profile.tree()
    paths: list[tuple[str, ...]] = []
    calls: Counter[tuple[str, ...]] = Counter()
    for row in rows:
        above = paths[row.parent] if row.parent >= 0 else ()
        mine = row.kind in {"call", "task"} and row.file == str(recorded.script)
        paths.append((*above, row.name) if mine else above)
        if mine:
            calls[paths[-1]] += row.calls
    return calls


@MODES
def test_awaited_time_is_what_the_coroutines_measured(recording, options):
    recorded = recording(AWAITS / "many_ways.py", options=options)
    assert (recorded.status, recorded.stderr) == (0, "")
    rows, counts = own_rows(recorded), suspensions(recorded.document)
    measured = json.loads(recorded.stdout)
    assert len(measured) == 4
    for name, (times, seconds) in measured.items():
        assert counts[name] == times, name
        assert 0.5 * seconds < rows[name].own_awaited <= seconds * 1.001, name


@MODES
def test_awaited_time_goes_up_to_the_task_and_no_further(recording, options):
    recorded = recording(AWAITS / "many_ways.py", options=options)
    rows = own_rows(recorded)
    assert rows["read"].cumulative_awaited == pytest.approx(
        rows["read"].own_awaited + rows["numbers"].own_awaited
    )
    assert rows["in_awaitable"].own_awaited == 0
    assert rows["in_awaitable"].cumulative_awaited == rows["__await__"].own_awaited > 0
    # Sleeps of 0.06 s and 0.03 s; a loop's timer may be a little early.
    assert rows["cleans_up"].cumulative_awaited >= 0.055
    assert rows["catches"].cumulative_awaited >= 0.025
    for name in ("<module>", "iterate", "call_soon", "Clock"):
        assert name not in rows or rows[name].cumulative_awaited == 0
    elsewhere = [r for r in recorded.profile.functions() if r.name in ("run", "_run_once", "_run")]
    assert len(elsewhere) >= 3
    assert not any(row.cumulative_awaited for row in elsewhere)
    # The whole of main: one task, which waits for others; its waits follow one another.
    assert rows["main"].cumulative_awaited <= rows["<module>"].cumulative
    assert rows["main"].cumulative_awaited >= 0.2
    # 50 at once: more than the clock shows.
    assert rows["on_a_future"].own_awaited > rows["main"].cumulative_awaited


@MODES
def test_tasks_stand_below_the_code_that_created_them(recording, options):
    recorded = recording(AWAITS / "many_ways.py", options=options)
    calls = shown_tree(recorded)
    main = ("<module>", "main")
    assert calls[main] > 1
    for name in ("read", "in_awaitable", "cancels", "catches", "gives_up", "busy"):
        assert calls[*main, name] > 0, name
    assert calls[*main, "on_a_future"] == 2 * 51
    assert calls[*main, "cancels", "cleans_up"] > 0
    assert calls[*main, "cancels", "cleans_up", "on_a_future"] > 0
    assert calls[*main, "gives_up", "on_a_future"] > 0
    assert calls[*main, "read", "numbers"] > 0
    # Each starts the next one: all of them are children of the first.
    assert calls[*main, "successor"] == 2
    assert calls[*main, "successor", "successor"] == 2 * 20
    assert max(path.count("successor") for path in calls) == 2
    elsewhere = {path for path in calls if path[:2] != main}
    assert elsewhere <= {("<module>",), ("<module>", "Clock"), ("<module>", "Awaitable")}


@MODES
def test_a_loop_in_each_thread_and_tasks_that_begin_at_once(recording, options):
    recorded = recording(AWAITS / "two_loops.py", options=options)
    assert (recorded.status, recorded.stderr) == (0, "")
    calls = shown_tree(recorded)
    assert calls["<module>", "here", "leaf"] == 2 * 3
    assert calls["in_thread", "there", "leaf"] == 2 * 2
    rows = own_rows(recorded)
    assert rows["leaf"].cumulative_awaited >= 5 * 0.049
    assert rows["there"].cumulative_awaited >= 0.049
    assert rows["in_thread"].cumulative_awaited == 0


@MODES
def test_what_waits_when_the_process_is_killed_has_waited_until_then(recording, options):
    recorded = recording(AWAITS / "left_waiting.py", options=options)
    rows = own_rows(recorded)
    assert suspensions(recorded.document)["wait_for_ever"] == 2
    assert rows["wait_for_ever"].own_awaited >= 2 * 0.19
    elapsed = recorded.profile.processes()[0].elapsed
    assert rows["wait_for_ever"].own_awaited <= 2 * elapsed


def test_the_table_shows_it_as_waiting(recording):
    from fettle.report import row, table

    recorded = recording(AWAITS / "many_ways.py")
    (main,) = [r for r in recorded.profile.functions() if r.name == "main"]
    assert row.cumulative(main) == main.cumulative + main.cumulative_awaited
    assert int(table.waiting(row.waited(main), row.cumulative(main)).rstrip("%")) > 50
