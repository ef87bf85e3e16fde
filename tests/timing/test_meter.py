# SPDX-License-Identifier: Apache-2.0
"""The clocks around a piece of code, beside the same clocks read in Python."""

import asyncio
import gc
import os
import threading
import time
from itertools import repeat

import pytest
from fettle import _core


def test_wall_and_cpu_are_those_of_the_time_module():
    meter = _core.Meter()
    walls, cpus = time.perf_counter(), time.process_time()
    meter.start()
    inside = time.perf_counter(), time.process_time(), time.thread_time()
    sum(range(300_000))
    inside = tuple(
        after - before
        for after, before in zip(
            (time.perf_counter(), time.process_time(), time.thread_time()), inside, strict=True
        )
    )
    reading = meter.stop()
    walls, cpus = time.perf_counter() - walls, time.process_time() - cpus
    assert inside[0] <= reading.wall <= walls
    assert inside[1] <= reading.cpu <= cpus
    assert inside[2] <= reading.thread


def test_waiting_is_seen_and_takes_no_cpu():
    meter = _core.Meter()
    meter.start()
    for _ in range(5):
        time.sleep(0.002)
    reading = meter.stop()
    assert reading.waits >= 5
    assert reading.wall >= 0.01
    assert reading.cpu < reading.wall / 2


def test_stop_without_start():
    with pytest.raises(RuntimeError, match="call it first"):
        _core.Meter().stop()


def test_stop_in_another_thread():
    meter, said = _core.Meter(), []

    def stop():
        with pytest.raises(RuntimeError, match="another thread"):
            meter.stop()
        said.append(1)

    meter.start()
    thread = threading.Thread(target=stop)
    thread.start()
    thread.join()
    assert said == [1]
    assert meter.stop().thread < 1e6


def test_a_child_has_clocks_of_its_own():
    meter = _core.Meter()
    meter.start()
    child = os.fork()
    if child == 0:
        reading = meter.stop()
        clocks = reading.wall, reading.cpu, reading.thread
        counts = reading.waits, reading.preempted, reading.faults, reading.reads
        os._exit(0 if max(clocks) < 1e6 and min(counts) >= 0 else 1)
    assert os.waitpid(child, 0)[1] == 0


def test_spans_follow_each_other():
    meter = _core.Meter()
    meter.start()
    first = meter.stop()
    second = meter.stop()
    assert second.wall > first.wall
    meter.start()
    assert meter.stop().wall < 1


def test_within_a_coroutine():
    async def measured(meter):
        meter.start()
        await asyncio.sleep(0.002)
        return meter.stop()

    assert asyncio.run(measured(_core.Meter())).wall >= 0.002


def test_counters_of_the_kernel():
    meter = _core.Meter(["page faults", "task clock"])
    if meter.counters != ("page faults", "task clock"):
        assert meter.counters == ()
        pytest.skip("the system has no such counters for us")
    meter.start()
    touched = [bytearray(1 << 20) for _ in range(8)]
    reading = meter.stop()
    assert len(touched) == 8
    assert reading.counters[0] >= 8
    assert len(reading.counters) == 2


@pytest.mark.parametrize("wanted", [True, False, [], ["no such counter", 3]])
def test_counters_that_may_be_none(wanted):
    meter = _core.Meter(wanted)
    assert len(meter.counters) <= 4
    meter.start()
    assert len(meter.stop().counters) == len(meter.counters)


def test_counters_need_names():
    with pytest.raises(TypeError):
        _core.Meter(3)
    with pytest.raises(TypeError):
        _core.Meter(no_such_word=1)


def test_many_meters_leave_nothing_open():
    gc.collect()
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(50):
        _core.Meter(["page faults", "task clock"])
    gc.collect()
    assert len(os.listdir("/proc/self/fd")) == before


def test_the_loop_of_an_inner_function_is_all_that_is_measured():
    meter = _core.Meter()

    def inner(turns, start, stop):
        time.sleep(0.01)  # a setup
        start()
        for _ in turns:
            pass
        return stop()

    assert inner(repeat(None, 10), meter.start, meter.stop).wall < 0.01


def test_end_with_another_than_the_parent():
    import subprocess
    import sys

    code = (
        "from fettle import _core; import os;"
        "print(_core.end_with(os.getppid()), _core.end_with(os.getppid() + 1))"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.split() == ["True", "False"]
    with pytest.raises(TypeError):
        _core.end_with("1")
    assert os.getpid()
