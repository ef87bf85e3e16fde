# SPDX-License-Identifier: Apache-2.0
"""fettle._core.Recorder: each recording sees exactly its own span, whatever else goes on.

What must be seen is counted by the functions themselves (schedules.py) or is so by construction.
"""

import asyncio
import gc
import os
import sys
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from fettle._core import Recorder

sys.path.append(str(Path(__file__).parent))
import schedules
from readings import BY_THREAD, calls, leaf, notes, row, work
from schedules import Schedule

# ---- spans ----


@pytest.mark.parametrize("seed", range(80))
def test_random_starts_and_stops(seed: int) -> None:
    mixed = [True, False, True, False]
    schedule = Schedule(seed, mixed[seed % 2 : seed % 2 + 1 + seed % 3], calls=80)
    schedule.run()
    for saw, expected in schedule.compare():
        assert saw == expected


def test_random_starts_and_stops_in_several_threads() -> None:
    made = [Schedule(1000 + k, [True, False], calls=150) for k in range(6)]
    together = threading.Barrier(len(made))

    def run(schedule: Schedule) -> None:
        together.wait()
        schedule.run()

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        threads = [threading.Thread(target=run, args=[each]) for each in made]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(interval)
    for schedule in made:
        for saw, expected in schedule.compare():
            assert schedules.without_c(saw) == schedules.without_c(expected)


def test_a_thousand_starts_and_stops() -> None:
    recorder, other = Recorder(), Recorder(builtins=False)
    with other:
        for _ in range(1000):
            recorder.start()
            work()
            recorder.stop()
            work()
    assert (calls(recorder, "leaf"), calls(other, "leaf")) == (1000, 2000)
    assert recorder.profile().totals().calls == 2000  # nothing of the recorder itself


def test_nothing_of_the_recorder_is_recorded() -> None:
    outer, inner = Recorder(), Recorder()
    with outer:
        inner.start()
        inner.profile()
        inner.stop()
        with inner:
            inner.clear()
    assert [each.name for each in outer.profile().functions() if each.calls] == []


def test_started_twice_is_stopped_twice() -> None:
    recorder = Recorder()
    recorder.start()
    recorder.start()
    recorder.stop()
    work()
    assert recorder.active
    recorder.stop()
    recorder.stop()
    work()
    assert not recorder.active
    assert calls(recorder, "work") == 1


def test_started_in_one_thread_stopped_in_another() -> None:
    recorder = Recorder()

    def in_thread(action: Callable[[], None]) -> None:
        thread = threading.Thread(target=action)
        thread.start()
        thread.join()

    def start() -> None:
        recorder.start()
        work()

    def stop() -> None:
        work()
        recorder.stop()
        work()

    work()
    in_thread(start)
    work()
    in_thread(stop)
    work()
    assert (calls(recorder, "work"), calls(recorder, "leaf")) == (3, 3)


def test_threads_that_run_already_are_recorded() -> None:
    recorder, begin, ended = Recorder(), threading.Event(), threading.Event()

    def body() -> None:
        begin.wait()
        work()
        ended.set()

    thread = threading.Thread(target=body)
    thread.start()
    with recorder:
        begin.set()
        ended.wait()
        thread.join()
    assert (calls(recorder, "work"), calls(recorder, "leaf")) == (1, 1)


# ---- what runs when it starts ----


def test_a_function_that_returns_while_it_is_recorded() -> None:
    recorder = Recorder()

    def begins() -> None:
        recorder.__enter__()
        work()

    def goes_on() -> None:
        begins()
        work()

    goes_on()
    recorder.__exit__(None, None, None)
    standing = row(recorder, "begins")
    assert standing is not None
    assert (standing.calls, calls(recorder, "work")) == (0, 2)
    assert row(recorder, "goes_on") is None  # it ran already and did not ask


def test_a_generator_that_yields_while_it_is_recorded() -> None:
    recorder = Recorder(builtins=False)

    def produce() -> Iterator[int]:
        with recorder:
            for k in range(5):
                yield k
                work()

    for _ in produce():
        leaf()
    # It ran already at the first yield; five resumptions, the last of which ends it.
    assert (calls(recorder, "produce"), calls(recorder, "work")) == (5, 5)
    assert calls(recorder, "leaf") == 10


def test_a_coroutine_that_awaits_while_it_is_recorded() -> None:
    recorder = Recorder(builtins=False)

    async def other() -> None:
        for _ in range(3):
            work()
            await asyncio.sleep(0)

    async def main() -> None:
        task = asyncio.ensure_future(other())
        with recorder:
            await task
            work()

    asyncio.run(main())
    assert calls(recorder, "work") == 4


@pytest.mark.parametrize("depth", [10, 300])
def test_an_exception_thrown_past_many_that_wait_is_the_loops(depth: int) -> None:
    recorder = Recorder()

    async def wait_below(depth: int) -> None:
        if depth > 0:
            await wait_below(depth - 1)
        else:
            await asyncio.get_running_loop().create_future()

    async def main() -> None:
        task = asyncio.ensure_future(wait_below(depth))
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])

    recorder.start()
    asyncio.run(main())
    recorder.stop()
    profile = recorder.profile()
    names = [row.name for row in profile.functions()]
    edges = {
        "nobody" if edge.caller < 0 else names[edge.caller]: edge.calls
        for edge in profile.edges()
        if names[edge.callee] == "wait_below"
    }
    # Once awaited and once left by the exception; on the way out the loop calls them all.
    assert edges == {
        "<method 'run' of '_contextvars.Context' objects>": 1 + depth + 1,
        "wait_below": depth,
    }


def test_an_exception_leaves_the_block() -> None:
    recorder = Recorder()

    def fail() -> None:
        leaf()
        raise ValueError

    with pytest.raises(ValueError), recorder:
        fail()
    leaf()
    assert not recorder.active
    assert (calls(recorder, "fail"), calls(recorder, "leaf")) == (1, 1)


# ---- reading, clearing and dropping one that is on ----


def test_reading_while_it_is_on() -> None:
    recorder = Recorder()
    stop, read = threading.Event(), []

    def body() -> None:
        while not stop.is_set():
            work()

    thread = threading.Thread(target=body)
    with recorder:
        thread.start()
        while len(read) < 50:
            read.append(calls(recorder, "leaf"))
        stop.set()
        thread.join()
    assert read == sorted(read)
    assert read[-1] <= calls(recorder, "leaf") == calls(recorder, "work")


def test_time_goes_on_between_two_readings() -> None:
    recorder = Recorder()
    with recorder:
        first = recorder.profile().totals().own
        time.sleep(0.02)
        second = recorder.profile().totals()
    assert second.own - first >= 0.02
    assert second.waiting >= 0.015


def test_clearing_while_it_is_on() -> None:
    recorder = Recorder()
    with recorder:
        work()
        recorder.clear()
        leaf()
    assert recorder.profile().totals().calls == 1
    recorder.clear()
    assert recorder.profile().functions() == []


def test_what_its_end_runs_may_start_it() -> None:
    recorder, names = Recorder(), {}
    exec("def short_lived(): pass", names)
    with recorder:
        names["short_lived"]()
    code = weakref.ref(names.pop("short_lived").__code__, lambda _: recorder.start())
    recorder.clear()
    assert code() is None and recorder.active
    work()
    recorder.stop()
    assert calls(recorder, "work") == 1


def test_dropped_while_it_is_on() -> None:
    for _ in range(100):
        recorder = Recorder()
        recorder.start()
        work()
        del recorder
    if BY_THREAD:
        assert sys.getprofile() is None
    else:
        assert "fettle" not in [sys.monitoring.get_tool(k) for k in range(6)]


def test_code_lives_as_long_as_its_recording() -> None:
    recorder, names = Recorder(), {}
    exec("def short_lived(): pass", names)
    with recorder:
        names["short_lived"]()
    code = weakref.ref(names.pop("short_lived").__code__)
    gc.collect()
    assert code() is not None  # its address is the key
    del recorder
    gc.collect()
    assert code() is None


def test_a_type_that_holds_its_own_recorder_is_collected() -> None:
    def make() -> weakref.ref[type]:
        class Numbers(list):  # type: ignore[type-arg]
            recorder = Recorder()

        with Numbers.recorder:
            bound = Numbers().append
            bound(1)
        return weakref.ref(Numbers)

    reference = make()
    gc.collect()
    assert reference() is None


def resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def mappings() -> int:
    return len(Path("/proc/self/maps").read_text().splitlines())


def test_ten_thousand_recordings_leave_nothing() -> None:
    def record(times: int) -> None:
        for _ in range(times):
            with Recorder(max_nodes=1000):
                work()

    record(500)
    before = resident(), mappings()
    record(10_000)
    grown = resident() - before[0], mappings() - before[1]
    assert grown[0] < 4 << 20  # 400 bytes each
    assert grown[1] < 20


def test_one_recorder_does_not_grow_with_its_starts() -> None:
    recorder = Recorder()

    def record(times: int) -> None:
        for _ in range(times):
            with recorder:
                work()

    record(1000)
    before = resident(), sys.getrefcount(record.__code__)
    record(30_000)
    after = resident(), sys.getrefcount(record.__code__)
    assert after[1] == before[1]
    assert after[0] - before[0] < 1 << 20


# ---- options ----


def test_without_builtins_beside_with() -> None:
    with_c, without_c = Recorder(), Recorder(builtins=False)
    with without_c, with_c:
        len(sorted([3, 1, 2], key=abs))
        work()
    names = {each.name for each in with_c.profile().functions() if each.calls}
    c = {"<built-in method builtins.len>", "<built-in method builtins.sorted>"}
    assert names == {"work", "leaf"} | c  # a C function that a C function calls is not seen
    assert {each.name for each in without_c.profile().functions() if each.calls} == {"work", "leaf"}


def test_past_the_cap_of_nodes_counts_stay_exact() -> None:
    names: dict[str, Any] = {}
    exec("\n".join(f"def f{k}(): pass" for k in range(300)), names)
    capped, whole = Recorder(max_nodes=20), Recorder()

    def spread(depth: int) -> None:
        for k in range(300):
            names[f"f{k}"]()
        if depth > 0:
            spread(depth - 1)

    with capped, whole:
        spread(9)
    assert "folded" in notes(capped) and "folded" not in notes(whole)
    assert capped.profile().totals().nodes < whole.profile().totals().nodes
    for recorder in capped, whole:
        rows = {each.name: (each.calls, each.primitive) for each in recorder.profile().functions()}
        assert rows["spread"] == (10, 1)
        assert {rows[f"f{k}"] for k in range(300)} == {(10, 10)}


@pytest.mark.parametrize("nodes", [0, -1, 2**31, 2**62])
def test_max_nodes_is_checked(nodes: int) -> None:
    with pytest.raises(ValueError, match="max_nodes"):
        Recorder(max_nodes=nodes)


# ---- time ----


def test_waiting_of_other_threads() -> None:
    recorder = Recorder()
    reader, writer = os.pipe()
    thread = threading.Thread(target=lambda: os.read(reader, 1))
    name = "<built-in method posix.read>"
    before = time.perf_counter()
    with recorder:
        thread.start()
        while calls(recorder, name) == 0:
            time.sleep(0.001)
        first = row(recorder, name)
        time.sleep(0.1)
        second = row(recorder, name)
    span = time.perf_counter() - before
    os.write(writer, b"1")
    thread.join()
    os.close(reader)
    os.close(writer)
    assert first is not None and second is not None
    assert 0.099 <= second.own - first.own <= span * 1.05
    assert second.own_waiting - first.own_waiting >= 0.9 * (second.own - first.own)


def test_own_times_sum_to_the_span() -> None:
    recorder = Recorder()
    before = time.perf_counter()
    with recorder:
        until = time.perf_counter() + 0.05
        while time.perf_counter() < until:
            work()
    span = time.perf_counter() - before
    assert 0.045 <= recorder.profile().totals().own <= span * 1.05
