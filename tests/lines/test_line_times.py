# SPDX-License-Identifier: Apache-2.0
"""Whose time it is: inequalities that hold by construction, whatever the machine does."""

import asyncio
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest

from .tables import Table, lines_of, tables_of

NAP = 0.03  # seconds
LEAST = int(NAP * 1e9)  # ns: a sleep is never shorter
WAITED = LEAST * 9 // 10  # of which a little may be running


def recorded(function: Callable[[], Any], *marked: object, **options: bool) -> dict[str, Table]:
    """The tables of what is marked while function runs; they never hold more than its time."""
    recorder = lines_of(*marked, **options)
    before = time.perf_counter_ns()
    with recorder:
        function()
    elapsed = time.perf_counter_ns() - before
    tables = {name.split(".")[-1]: table for name, table in tables_of(recorder.profile()).items()}
    assert all(table.time <= elapsed * 1.001 for table in tables.values())
    return tables


def assert_slept(table: Table, line: int, naps: int = 1) -> None:
    assert table[line].time >= naps * LEAST
    assert table[line].waiting >= naps * WAITED


def assert_others_did_not(table: Table, line: int) -> None:
    """All the others together, as one of them alone would have been there for a nap."""
    slept = table[line].time
    assert sum(row.waiting for row in table.rows.values()) - table[line].waiting < WAITED
    assert table.time >= slept


def test_a_line_that_sleeps() -> None:
    def sleeps() -> None:
        sum(range(10))
        time.sleep(NAP)
        sum(range(10))

    table = recorded(sleeps, sleeps)["sleeps"]
    assert_slept(table, 3)
    assert_others_did_not(table, 3)


def test_a_line_that_runs_does_not_wait() -> None:
    def runs() -> None:
        until = time.process_time() + NAP
        while time.process_time() < until:
            sum(range(1000))

    table = recorded(runs, runs)["runs"]
    busy = table[3].time + table[4].time
    assert busy >= LEAST
    assert busy - table[3].waiting - table[4].waiting >= LEAST * 9 // 10  # CPU time is not waiting


def test_what_a_line_calls_is_its_time() -> None:
    def outer() -> None:
        inner()
        sum(range(10))

    def inner() -> None:
        time.sleep(NAP)

    tables = recorded(outer, outer, inner)
    assert_slept(tables["outer"], 2)
    assert_slept(tables["inner"], 2)
    assert_others_did_not(tables["outer"], 2)


def test_recursion_counts_no_moment_twice() -> None:
    """Five naps, each inside the calls around it: `recorded` compares with the clock."""

    def recurses(depth: int) -> None:
        time.sleep(NAP)
        if depth > 0:
            recurses(depth - 1)

    table = recorded(lambda: recurses(4), recurses)["recurses"]
    assert table.hits == {2: 5, 3: 5, 4: 4} and table.calls == 5
    assert_slept(table, 2, naps=5)
    assert table[4].waiting < WAITED  # the call's time is that of the lines further in


def test_mutual_recursion() -> None:
    def even(n: int) -> bool:
        time.sleep(NAP / 10)
        if n == 0:
            return True
        return odd(n - 1)

    def odd(n: int) -> bool:
        return even(n - 1)

    tables = recorded(lambda: even(10), even, odd)
    assert tables["even"].hits == {2: 6, 3: 6, 4: 1, 5: 5} and tables["odd"].hits == {2: 5}
    assert tables["even"][2].time >= LEAST * 6 // 10
    assert tables["odd"][2].time >= LEAST * 5 // 10  # five of the naps are inside


def test_a_generators_time_outside_is_not_its_own() -> None:
    def produces() -> Iterator[int]:
        yield 1
        time.sleep(NAP)
        yield 2

    def consumes() -> None:
        for _ in produces():
            time.sleep(3 * NAP)

    tables = recorded(consumes, consumes, produces)
    assert_slept(tables["produces"], 3)
    assert tables["produces"].time < tables["consumes"][3].time
    assert tables["produces"][2].waiting == tables["produces"][4].waiting == 0
    assert_slept(tables["consumes"], 2)
    assert_slept(tables["consumes"], 3, naps=6)


def test_what_goes_on_after_a_yield_is_the_lines() -> None:
    def echoes() -> Iterator[None]:
        time.sleep((yield) or NAP)

    table = recorded(lambda: list(echoes()), echoes)["echoes"]
    assert_slept(table, 2)


def test_exceptions_through_several_frames() -> None:
    def first() -> None:
        try:
            second()
        finally:
            time.sleep(NAP)

    def second() -> None:
        third()
        sum(())

    def third() -> None:
        raise KeyError

    def catches() -> None:
        with pytest.raises(KeyError):
            first()
        time.sleep(NAP)

    tables = recorded(catches, first, second, third)
    assert tables["first"].hits == {2: 1, 3: 1, 5: 1}
    assert (tables["second"].hits, tables["third"].hits) == ({2: 1}, {2: 1})
    assert_slept(tables["first"], 5)
    for left in tables["second"], tables["third"]:
        assert left.time < LEAST and left[2].waiting < WAITED  # it did not go on after its end


def test_awaited_time_is_the_awaits() -> None:
    async def waits() -> None:
        sum(range(10))
        await asyncio.sleep(NAP)
        sum(range(10))

    table = recorded(lambda: asyncio.run(waits()), waits)["waits"]
    assert table.hits == {2: 1, 3: 1, 4: 1} and table.calls == 1
    assert_slept(table, 3)
    assert_others_did_not(table, 3)


def test_a_hundred_coroutines_wait_at_once() -> None:
    """Each waits by itself: together longer than the clock says, and on its line alone."""

    async def waits() -> None:
        await asyncio.sleep(NAP)

    async def gathers() -> None:
        await asyncio.gather(*(waits() for _ in range(100)))

    recorder = lines_of(waits, gathers)
    with recorder:
        asyncio.run(gathers())
    tables = {n.split(".")[-1]: t for n, t in tables_of(recorder.profile()).items()}
    assert tables["waits"].hits == {2: 100} and tables["waits"].calls == 100
    assert_slept(tables["waits"], 2, naps=100)
    assert tables["gathers"].calls == 1
    assert_slept(tables["gathers"], 2)
    assert tables["gathers"][2].time < tables["waits"][2].time


def test_async_for_with_and_generators() -> None:
    async def produces() -> AsyncIterator[int]:
        for i in range(2):
            await asyncio.sleep(NAP)
            yield i

    class Slow:
        async def __aenter__(self) -> None:
            await asyncio.sleep(NAP)

        async def __aexit__(self, *exception: object) -> None:
            await asyncio.sleep(NAP)

    async def uses() -> None:
        async with Slow():
            sum(())
        async for _ in produces():
            await asyncio.sleep(2 * NAP)

    tables = recorded(lambda: asyncio.run(uses()), uses, produces, Slow)
    assert tables["uses"].hits == {2: 2, 3: 1, 4: 3, 5: 2}
    assert_slept(tables["uses"], 2, naps=2)
    assert_slept(tables["uses"], 4, naps=2)
    assert_slept(tables["uses"], 5, naps=4)
    assert tables["uses"][3].waiting < WAITED
    assert_slept(tables["produces"], 3, naps=2)
    assert tables["produces"][4].time < LEAST  # what its consumer does at a yield is not its own
    assert_slept(tables["__aenter__"], 2)
    assert_slept(tables["__aexit__"], 2)


def test_a_cancelled_coroutine() -> None:
    async def waits() -> None:
        try:
            await asyncio.sleep(3600)
        finally:
            await asyncio.sleep(NAP)

    async def cancels() -> None:
        task = asyncio.ensure_future(waits())
        await asyncio.sleep(NAP)
        task.cancel()
        await asyncio.wait([task])

    tables = recorded(lambda: asyncio.run(cancels()), waits)
    assert_slept(tables["waits"], 5)
    assert tables["waits"][3].waiting >= WAITED * 9 // 10


@pytest.mark.parametrize("end", ["close", "throw", "let go", "kept"])
def test_generators_that_do_not_end_by_themselves(end: str) -> None:
    def produces() -> Iterator[int]:
        try:
            yield 1
            yield 2
        finally:
            sum(())

    kept = []

    def uses() -> None:
        for _ in range(50):
            generator = produces()
            next(generator)
            if end == "close":
                generator.close()  # type: ignore[attr-defined]
            elif end == "throw":
                with pytest.raises(KeyError):
                    generator.throw(KeyError)  # type: ignore[attr-defined]
            elif end == "kept":
                kept.append(generator)
            del generator
            time.sleep(NAP / 50)

    table = recorded(uses, produces)["produces"]
    after = {} if end == "kept" else {6: 50}
    assert table.hits == {2: 50, 3: 50} | after and table.calls == 50
    assert sum(row.waiting for row in table.rows.values()) < WAITED


def test_two_threads_in_one_function() -> None:
    def naps() -> None:
        for _ in range(3):
            time.sleep(NAP)

    recorder = lines_of(naps)
    with recorder:
        threads = [threading.Thread(target=naps) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    (table,) = tables_of(recorder.profile()).values()
    assert table.hits == {2: 8, 3: 6} and table.calls == 2
    assert_slept(table, 3, naps=6)


def test_a_generator_that_another_thread_goes_on_with() -> None:
    def produces() -> Iterator[int]:
        yield 1
        time.sleep(NAP)
        yield 2
        time.sleep(NAP)

    def uses() -> None:
        generator = produces()
        next(generator)
        time.sleep(NAP)
        thread = threading.Thread(target=lambda: list(generator))
        thread.start()
        thread.join()

    table = recorded(uses, produces)["produces"]
    assert table.hits == {2: 1, 3: 1, 4: 1, 5: 1} and table.calls == 1
    assert_slept(table, 3)
    assert_slept(table, 5)
    assert table[2].waiting == table[4].waiting == 0


def test_times_with_calls_recorded_beside() -> None:
    """callees is what was called, own time is the rest."""

    def outer() -> None:
        time.sleep(NAP)
        inner()
        [i + 1 for i in range(5000)]

    def inner() -> None:
        time.sleep(NAP)

    table = recorded(outer, outer, calls=True)["outer"]
    assert LEAST <= table[2].callees <= table[2].time
    assert LEAST <= table[3].callees <= table[3].time
    assert table[4].callees < table[4].time / 2  # 3.11: until a comprehension that is called begins


@pytest.mark.skipif(not hasattr(sys, "monitoring"), reason="3.11 sees frames that begin later")
def test_started_in_the_middle_of_a_line() -> None:
    """What ran before is not known, what follows is."""

    def runs(recorder: Any) -> None:
        sum(())
        recorder.start()
        time.sleep(NAP)
        recorder.stop()
        time.sleep(NAP)

    recorder = lines_of(runs)
    runs(recorder)
    (table,) = tables_of(recorder.profile()).values()
    assert table.calls == 0
    assert table.hits == {4: 1, 5: 1}
    assert_slept(table, 4)
    assert table[6].time == 0


def test_read_while_a_line_runs() -> None:
    def naps() -> None:
        time.sleep(NAP)

    recorder = lines_of(naps)
    with recorder:
        thread = threading.Thread(target=naps)
        thread.start()
        seen = 0
        while thread.is_alive():
            tables = tables_of(recorder.profile())
            now = tables[next(iter(tables))].time if tables else 0
            assert now >= seen * 0.999  # the clock's rate is known better each time
            seen = now
        thread.join()
    (table,) = tables_of(recorder.profile()).values()
    assert_slept(table, 2)


def test_two_recorders_see_what_they_marked() -> None:
    def one() -> None:
        time.sleep(NAP)

    def two() -> None:
        one()

    first, second = lines_of(one), lines_of(one, two)
    with second:
        with first:
            two()
        two()
    tables = tables_of(first.profile())
    assert [table.calls for table in tables.values()] == [1]
    both = {name.split(".")[-1]: table for name, table in tables_of(second.profile()).items()}
    assert (both["one"].calls, both["two"].calls) == (2, 2)
    assert_slept(both["two"], 2, naps=2)


def test_greenlets() -> None:
    greenlet = pytest.importorskip("greenlet")

    def body(other: list[Any]) -> None:
        for _ in range(3):
            time.sleep(NAP / 3)
            other[0].switch()

    def uses() -> None:
        turn: list[Any] = []
        second: list[Any] = []
        first = greenlet.greenlet(lambda: body(second))
        second.append(greenlet.greenlet(lambda: body(turn)))
        turn.append(first)
        first.switch()

    recorder = lines_of(body)
    with recorder:
        uses()
    (table,) = tables_of(recorder.profile()).values()
    assert table.calls == 2
    assert table[3].hits in (5, 6)
    assert table[3].time >= table[3].hits * LEAST // 3
