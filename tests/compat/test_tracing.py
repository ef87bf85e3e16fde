# SPDX-License-Identifier: Apache-2.0
"""fettle.compat.tracemalloc traces: what it finds is what the interpreter's own tracemalloc finds,
which traces beside it, and no misuse does harm."""

import gc
import os
import subprocess
import sys
import threading
import tracemalloc as theirs
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest
from fettle import _core
from fettle.compat import tracemalloc as ours

BOTH = pytest.mark.parametrize("module", [theirs, ours], ids=["tracemalloc", "ours"])


@pytest.fixture(autouse=True)
def stopped() -> Iterator[None]:
    """Nothing is traced before and after."""
    for module in (theirs, ours):
        module.stop()
    yield
    for module in (theirs, ours):
        module.stop()


def start_both(nframe: int = 1) -> None:
    theirs.start(nframe)
    ours.start(nframe)


def here(module: ModuleType) -> Any:
    return module.Filter(True, __file__)


def rows(module: ModuleType, snapshot: Any, key: str = "lineno") -> list[tuple[Any, ...]]:
    """What was allocated in this file."""
    statistics = snapshot.filter_traces([here(module)]).statistics(key)
    return [([str(f) for f in s.traceback], s.size, s.count) for s in statistics]


class Thing:
    __slots__ = ("a", "b")


def allocate() -> list[Any]:
    kept: list[Any] = [bytearray(size) for size in range(600)]
    kept += [Thing() for _ in range(500)]
    kept += ["x" * (1000 + n) for n in range(50)]
    kept += [{n: n} for n in range(100)]
    return kept


def deeper(depth: int) -> list[Any]:
    return deeper(depth - 1) if depth else allocate()


# ---- what is found ----


@pytest.mark.parametrize("nframe", [1, 3, 40])
def test_lines_and_stacks_are_those_of_tracemalloc(nframe: int) -> None:
    gc.disable()
    try:
        start_both(nframe)
        kept = [deeper(depth) for depth in (0, 2, 9)]
        snapshots = ours.take_snapshot(), theirs.take_snapshot()
    finally:
        gc.enable()
        theirs.stop()  # it would slow the rest down
    pairs = list(zip((ours, theirs), snapshots, strict=True))
    found, wanted = ({tuple(where): size for where, size, _ in rows(*pair)} for pair in pairs)
    assert len(kept) == 3 and len(wanted) >= 4
    # What a freelist gives out again is theirs alone on some Pythons: of lists, floats, dicts.
    for place, size in wanted.items():
        assert abs(size - found.get(place, 0)) <= 0.002 * size + 200, place
    stacks = [[row[0] for row in rows(*pair, "traceback") if row[1] > 20_000] for pair in pairs]
    assert stacks[0] == stacks[1] and len(stacks[0]) > 3


def test_a_block_of_any_size_and_domain() -> None:
    start_both()
    kept = [bytearray(10**size) for size in range(7)]
    for block in kept:
        found, wanted = (str(module.get_object_traceback(block)) for module in (ours, theirs))
        assert found == wanted
    snapshots = ours.take_snapshot(), theirs.take_snapshot()
    found, wanted = (rows(*pair)[0] for pair in zip((ours, theirs), snapshots, strict=True))
    assert found == wanted and found[1] >= 1_111_111


@pytest.mark.parametrize("nframe", [1, 2, 10])
def test_where_an_object_was_allocated(nframe: int) -> None:
    start_both(nframe)
    block = deeper(5)[500]
    found, wanted = ours.get_object_traceback(block), theirs.get_object_traceback(block)
    assert found is not None and [*map(str, found)] == [*map(str, wanted)] and len(found) == nframe
    number = 10**9 + len(str(block))
    found, wanted = ours.get_object_traceback(number), theirs.get_object_traceback(number)
    assert (found is None) == (wanted is None)  # 3.14 has old ones on a freelist
    assert ours.get_object_traceback(ours) is None  # older
    ours.clear_traces()
    assert ours.get_object_traceback(block) is None


def test_how_deep_the_stack_was() -> None:
    start_both(2)
    block = deeper(3)[400]
    totals = []
    for module in (theirs, ours):
        place = module.get_object_traceback(block)
        traces = module.take_snapshot().filter_traces([here(module)]).traces
        totals.append({t.traceback.total_nframe for t in traces if t.traceback == place})
    assert totals[0] == totals[1] != {None}


def test_equal_blocks_are_one_group_small_and_large() -> None:
    ours.start()
    kept = [bytes(size) for size in (40, 40, 5000, 5000, 6000) for _ in range(100)]
    snapshot = ours.take_snapshot().filter_traces([here(ours)])
    groups = [(raw[1], count) for raw, count in snapshot.traces._traces.groups if count >= 100]
    extra = sys.getsizeof(b"")
    assert sorted(groups) == [(40 + extra, 200), (5000 + extra, 200), (6000 + extra, 100)]
    assert len(kept) == 500


def test_a_snapshot_does_not_see_itself() -> None:
    ours.start()
    kept = allocate()
    snapshots = [ours.take_snapshot() for _ in range(4)]
    grown = snapshots[3].compare_to(snapshots[0], "filename")
    assert len(kept) > 1000 and len(snapshots[0].traces) > 1000
    assert sum(row.count_diff for row in grown) < 100


def test_memory_in_sum_and_at_its_peak() -> None:
    ours.start()
    before, _ = ours.get_traced_memory()
    block = bytearray(10**6)
    now, peak = ours.get_traced_memory()
    assert 10**6 <= now - before < 10**6 + 5000 and now <= peak < now + 5000
    del block
    now, peak = ours.get_traced_memory()
    assert now - before < 5000 and peak >= 10**6
    ours.reset_peak()
    assert ours.get_traced_memory()[1] < 10**6
    assert ours.get_tracemalloc_memory() > 0
    ours.clear_traces()
    assert ours.get_traced_memory() == (0, 0)


# ---- starting and stopping ----


def outcome(function: Any, *arguments: Any) -> Any:
    try:
        return function(*arguments)
    except Exception as error:
        return type(error), str(error)


@pytest.mark.parametrize("nframe", [0, -1, 65536, 100_000, 2**30, 1.0, "1", None])
def test_limits_that_there_are_not(nframe: Any) -> None:
    assert outcome(ours.start, nframe) == outcome(theirs.start, nframe)
    assert not ours.is_tracing()


def test_limits_that_there_are() -> None:
    for nframe in (1, 128, 65535, True):
        start_both(nframe)
        assert ours.get_traceback_limit() == theirs.get_traceback_limit() == nframe
        block = deeper(200)[100]
        found, wanted = (module.get_object_traceback(block) for module in (ours, theirs))
        assert found is not None and [*map(str, found)] == [*map(str, wanted)]
        ours.stop()
        theirs.stop()


@BOTH
def test_states(module: ModuleType) -> None:
    module.stop()
    assert not module.is_tracing() and module.get_traced_memory() == (0, 0)
    assert module.get_object_traceback(module) is None
    module.clear_traces()
    module.reset_peak()
    with pytest.raises(RuntimeError, match=r"^the tracemalloc module must be tracing memory "):
        module.take_snapshot()
    module.start(3)
    module.start(7)  # it is on
    assert module.is_tracing() and module.get_traceback_limit() == 3
    kept = allocate()
    module.stop()
    module.stop()
    assert len(kept) and not module.is_tracing()
    module.start()
    assert module.get_traceback_limit() == 1 and module.get_object_traceback(kept) is None


def test_starting_a_thousand_times() -> None:
    for _ in range(1000):
        ours.start(2)
        block = bytearray(100)
        assert ours.get_object_traceback(block) is not None
        ours.stop()
    assert ours.get_traced_memory() == (0, 0)


def test_a_forked_child_goes_on() -> None:
    ours.start()
    before = allocate()[300]
    pid = os.fork()
    if pid == 0:
        block = bytearray(12345)
        good = ours.get_object_traceback(block) and ours.get_object_traceback(before)
        os._exit(0 if good and len(ours.take_snapshot().traces) > 1 else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    assert ours.get_object_traceback(before) is not None


def test_one_recording_of_memory_too_many() -> None:
    others = [_core.Recorder(calls=False, mem=True) for _ in range(8)]
    for other in others:
        other.start()
    with pytest.raises(RuntimeError, match="stop one of them"):
        ours.start()
    assert not ours.is_tracing()
    for other in others:
        other.stop()
    ours.start()
    assert ours.is_tracing()


def test_threads_that_start_and_stop_at_once() -> None:
    errors: list[BaseException] = []

    def work() -> None:
        try:
            for _ in range(100):
                ours.start()
                ours.get_traced_memory()
                outcome(ours.take_snapshot)
                ours.stop()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == [] and not ours.is_tracing()


# ---- beside the interpreter's own ----

LOOK = "from fettle.compat import tracemalloc as t; print(t.is_tracing(), t.get_traceback_limit())"


def run(*options: str, **environment: str) -> str:
    command = [sys.executable, *options, "-c", LOOK]
    env = {**os.environ, **environment}
    return subprocess.run(
        command, env=env, capture_output=True, text=True, check=True
    ).stdout.strip()


def test_it_is_on_where_the_interpreter_was_told_to_trace() -> None:
    assert run() == "False 1"
    assert run("-X", "tracemalloc") == "True 1"
    assert run("-X", "tracemalloc=7") == "True 7"
    assert run("-X", "tracemalloc=0") == "False 1"
    assert run(PYTHONTRACEMALLOC="5") == "True 5"
    assert run(PYTHONTRACEMALLOC="0") == "False 1"
    assert run("-E", PYTHONTRACEMALLOC="5") == "False 1"


def test_theirs_may_come_and_go() -> None:
    ours.start()
    theirs.start()
    for module in (theirs, ours):
        block = bytearray(1000)
        assert ours.get_object_traceback(block) is not None
        module.stop()
    start_both()
    ours.stop()
    block = bytearray(1000)
    assert theirs.get_object_traceback(block) is not None


def test_theirs_that_stops_under_ours_takes_the_hooks_along() -> None:
    """Until ours starts anew it hears nothing; that is all."""
    start_both()
    theirs.stop()
    kept = allocate()
    assert ours.get_object_traceback(kept[300]) is None
    assert ours.take_snapshot() is not None
    ours.stop()
    ours.start()
    kept = allocate()
    assert ours.get_object_traceback(kept[300]) is not None
