# SPDX-License-Identifier: Apache-2.0
"""fettle.run: a program records a part of itself."""

import asyncio
import doctest
import inspect
import io
import json
import os
import queue
import re
import subprocess
import sys
import threading
import time
from collections.abc import AsyncGenerator, Callable, Generator
from pathlib import Path

import fettle
import pytest
from fettle import _core, inside
from fettle.report import notes


def calls(recording: inside.Run) -> dict[str, int]:
    return {row.name: row.calls for row in recording.stats()}


def leaf(number: int) -> int:
    return number + 1


def branch(number: int) -> int:
    return sum(leaf(each) for each in range(number))


def test_the_examples_of_the_docstrings() -> None:
    failed, attempted = doctest.testmod(inside)
    assert attempted >= 8
    assert failed == 0


def test_importing_the_package_loads_nothing_else() -> None:
    code = "import sys, fettle; print(sorted(m for m in sys.modules if m.startswith('fettle')))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "['fettle']"
    assert "run" in dir(fettle)
    with pytest.raises(AttributeError, match="no attribute 'walk'"):
        fettle.walk  # type: ignore[attr-defined]  # noqa: B018


def test_what_runs_in_the_block_is_recorded_and_nothing_of_ours() -> None:
    with fettle.run(calls=True) as recording:
        branch(5)
    branch(7)
    assert recording.active is False
    found = calls(recording)
    assert (found["branch"], found["leaf"], found["<genexpr>"]) == (1, 5, 6)
    assert found.pop("test_what_runs_in_the_block_is_recorded_and_nothing_of_ours") == 0
    assert set(found) == {"branch", "leaf", "<genexpr>", "<built-in method builtins.sum>"}


def test_the_time_of_the_block_itself_is_the_functions_that_holds_it() -> None:
    def spin() -> None:
        with recording:
            for _ in range(300_000):
                pass

    recording = fettle.run()
    spin()
    (row,) = recording.stats()
    assert (row.name, row.calls, row.primitive) == ("spin", 0, 0)
    assert row.own > 0


def test_a_decorated_function_has_one_recording_of_all_its_calls() -> None:
    @fettle.run(calls=True, builtins=False)
    def work(number: int) -> int:
        """What it does."""
        return branch(number)

    assert [work(2), work(3)] == [3, 6]
    assert (work.__name__, work.__doc__) == ("work", "What it does.")
    recording: inside.Run = vars(work)["recording"]
    assert calls(recording) == {"work": 2, "branch": 2, "leaf": 5, "<genexpr>": 7}
    recording.clear()
    work(1)
    assert calls(recording)["work"] == 1


def test_a_decorated_function_may_call_itself_and_fail() -> None:
    recording = fettle.run()

    @recording
    def down(number: int) -> int:
        return down(number - 1) if number else 1 // number

    with pytest.raises(ZeroDivisionError):
        down(4)
    assert recording.active is False
    (row,) = recording.stats()
    assert (row.calls, row.primitive) == (5, 1)


def test_decorated_methods_of_every_kind() -> None:
    recording = fettle.run()

    class Shop:
        @recording
        def plain(self) -> str:
            return type(self).__name__

        @recording
        @classmethod
        def of_class(cls) -> str:
            return cls.__name__

        @recording
        @staticmethod
        def of_none() -> str:
            return "none"

    assert [Shop().plain(), Shop.of_class(), Shop.of_none()] == ["Shop", "Shop", "none"]
    assert calls(recording) == {"plain": 1, "of_class": 1, "of_none": 1}


def test_decorated_coroutines_stay_coroutines() -> None:
    recording = fettle.run()

    @recording
    async def fetch(number: int) -> int:
        await asyncio.sleep(0)
        return leaf(number)

    async def both() -> list[int]:
        return await asyncio.gather(fetch(1), fetch(2))

    assert inspect.iscoroutinefunction(fetch)
    assert asyncio.run(both()) == [2, 3]
    assert recording.active is False
    found = calls(recording)
    assert found["leaf"] == 2
    assert found["fetch"] == 4  # two calls, and each is resumed once


@pytest.mark.parametrize("decorated", [True, False], ids=["decorated", "started"])
def test_waits_of_coroutines_that_ran_when_it_began(decorated: bool) -> None:
    recording = fettle.run()
    measured = 0.0

    async def nap() -> None:
        nonlocal measured
        begin = time.perf_counter()
        await asyncio.sleep(0.01)
        measured += time.perf_counter() - begin

    async def naps() -> None:
        for _ in range(5):
            await nap()

    async def main() -> None:
        if decorated:
            await recording(naps)()
            return
        recording.start()
        await naps()
        recording.stop()

    asyncio.run(main())
    (nap_row,) = (row for row in recording.stats() if row.name == "nap")
    assert nap_row.cumulative_awaited + nap_row.cumulative >= 0.05
    assert nap_row.cumulative_awaited <= measured


def test_decorated_generators_are_recorded_from_start_to_end() -> None:
    recording = fettle.run()

    @recording
    def numbers() -> Generator[int, int, None]:
        got = yield leaf(1)
        try:
            yield got
        except KeyError:
            yield leaf(9)

    running = numbers()
    assert inspect.isgeneratorfunction(numbers)
    assert recording.active is False
    assert next(running) == 2
    assert recording.active is True
    assert running.send(5) == 5
    assert running.throw(KeyError()) == 10
    assert list(running) == []
    assert recording.active is False
    assert calls(recording)["leaf"] == 2


def test_decorated_async_generators_pass_everything_on() -> None:
    recording = fettle.run()

    @recording
    async def numbers() -> AsyncGenerator[int, int | None]:
        try:
            got = yield leaf(1)
            try:
                yield got
            except KeyError:
                yield leaf(9)
        finally:
            leaf(0)

    async def use() -> list[int]:
        first = numbers()
        seen = [await first.asend(None), await first.asend(5)]
        seen.append(await first.athrow(KeyError()))
        async for each in first:
            seen.append(each)
        second = numbers()
        seen.append(await anext(second))
        await second.aclose()
        return seen

    assert inspect.isasyncgenfunction(numbers)
    assert asyncio.run(use()) == [2, 5, 10, 2]
    assert recording.active is False
    assert calls(recording)["leaf"] == 5


def test_a_recording_says_what_it_records(tmp_path: Path) -> None:
    recording = fettle.run(calls=True, mem=True)
    assert repr(recording) == "<fettle.run of calls, mem: off>"
    with recording:
        assert repr(recording) == "<fettle.run of calls, mem: on>"
    recording.save(tmp_path / "app.fettle")
    assert _core.Profile.read(str(tmp_path / "app.fettle")).heaps()


def test_recording_ends_where_the_function_can_not_be_called() -> None:
    recording = fettle.run()

    @recording
    async def numbers(n: int) -> AsyncGenerator[int, None]:
        yield n

    async def use() -> None:
        await anext(numbers())  # type: ignore[call-arg]

    with pytest.raises(TypeError, match="required positional argument"):
        asyncio.run(use())
    assert recording.active is False


def test_nested_and_overlapping_recordings_each_see_their_span() -> None:
    outer, inner, late = fettle.run(), fettle.run(), fettle.run()
    with outer:
        leaf(1)
        with inner:
            leaf(2)
            late.start()
            leaf(3)
        leaf(4)
    leaf(5)
    late.stop()
    assert [calls(each)["leaf"] for each in (outer, inner, late)] == [4, 2, 3]


def test_a_recording_in_a_recording_imports_nothing() -> None:
    with fettle.run() as outer, fettle.run(mem=True):
        leaf(1)
    assert [row.file for row in outer.stats() if "importlib" in row.file] == []


def test_a_thousand_starts_and_stops() -> None:
    recording = fettle.run()
    for _ in range(1000):
        with recording:
            leaf(1)
    assert calls(recording)["leaf"] == 1000


def test_threads_are_counted_once() -> None:
    """However often each is recorded, beside the others or in turn with them."""
    recording = fettle.run()
    together = threading.Barrier(4)

    def work(alone: threading.Lock) -> None:
        for turn in range(20):
            with alone, recording:
                leaf(turn)
        together.wait()
        leaf(1)
        together.wait()

    lock = threading.Lock()
    workers = [threading.Thread(target=work, args=(lock,)) for _ in range(3)]
    for worker in workers:
        worker.start()
    for turn in range(20):
        with lock, recording:
            leaf(turn)
    with recording:
        together.wait()
        together.wait()
    for worker in workers:
        worker.join()
    profile = recording.profile()
    assert sum(thread.uses for thread in profile.threads()) == 4
    assert calls(recording)["leaf"] == 4 * 20 + 3
    stream = io.StringIO()
    recording.view(file=stream)
    assert ", 4 threads" in stream.getvalue().splitlines()[0]


def test_one_thread_is_not_many() -> None:
    recording = fettle.run()
    for turn in range(30):
        with recording:
            leaf(turn)
    stream = io.StringIO()
    recording.view(file=stream)
    assert "thread" not in stream.getvalue().splitlines()[0]
    assert [thread.uses for thread in recording.profile().threads()] == [1]


def test_a_thread_that_comes_back_has_the_tree_that_it_had() -> None:
    recording = fettle.run()
    orders: list[queue.SimpleQueue[bool]] = [queue.SimpleQueue(), queue.SimpleQueue()]
    done: queue.SimpleQueue[None] = queue.SimpleQueue()

    def work(orders: "queue.SimpleQueue[bool]", function: Callable[[int], int]) -> None:
        while orders.get():
            function(0)
            done.put(None)

    workers = [
        threading.Thread(target=work, args=each)
        for each in zip(orders, (leaf, branch), strict=True)
    ]
    for worker in workers:
        worker.start()
    for turn in range(4):
        with recording:
            for each in (turn % 2, 1 - turn % 2):
                orders[each].put(True)
                done.get()
    for each in orders:
        each.put(False)
    for worker in workers:
        worker.join()
    exported = json.loads(recording.profile().export("json"))
    names = [code["name"] for code in exported["codes"]]
    trees = [{names[code] for code in each["nodes"]["code"]} for each in exported["threads"]]
    assert [tree & {"leaf", "branch"} for tree in trees] == [set(), {"leaf"}, {"branch"}]


def test_several_threads_record_at_the_same_time() -> None:
    wrong: list[object] = []

    def work(mine: "threading.Barrier") -> None:
        name = f"work{threading.get_ident()}"
        own = eval(f"lambda: '{name}'")
        own.__code__ = own.__code__.replace(co_name=name)
        mine.wait()
        for _ in range(50):
            with fettle.run() as recording:
                own()
            if calls(recording).get(name) != 1:
                wrong.append(calls(recording))

    barrier = threading.Barrier(4)
    threads = [threading.Thread(target=work, args=(barrier,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_stop_without_start_does_nothing() -> None:
    recording = fettle.run()
    recording.stop()
    assert recording.stats() == []
    with recording:
        leaf(1)
    recording.stop()
    assert calls(recording)["leaf"] == 1


def test_view_prints_the_table(capsys: pytest.CaptureFixture[str]) -> None:
    with fettle.run() as recording:
        branch(3)
    recording.view(sort="calls", rows=1)
    printed = capsys.readouterr().out
    assert re.search(r"^ +4 .*\(<genexpr>\)$", printed, re.MULTILINE)
    assert "3 more functions" not in printed
    assert "4 more functions" in printed
    stream = io.StringIO()
    recording.view("tree", fold=0)
    assert re.search(
        r"^ .* 3 .*    test_run.py:\d+\(leaf\)$", capsys.readouterr().out, re.MULTILINE
    )
    recording.view("callers", of="leaf")
    assert "<- test_run.py" in capsys.readouterr().out
    recording.view("callees", of="branch")
    assert "-> {built-in method builtins.sum}" in capsys.readouterr().out
    with pytest.raises(ValueError, match="is not a sort key"):
        recording.view(sort="height")
    for wrong in (-1, "3", 2.5):
        with pytest.raises(ValueError, match="rows needs a whole number from 0"):
            recording.view(rows=wrong)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="calls needs True, False or None, not 'x'"):
        fettle.run(calls="x")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="callers of which function"):
        recording.view("callers")
    with pytest.raises(ValueError, match="there is no view 'things'"):
        recording.view("things")
    with pytest.raises(ValueError, match="has no memory"):
        recording.view("objects")
    with pytest.raises(ValueError, match="a percentage from 0 to 100"):
        recording.view("tree", fold=101)
    with pytest.raises(ValueError, match="nothing"):
        recording.view("callers", of="nothing")
    with pytest.raises(ValueError, match="matches"):
        recording.view(within="nothing", file=stream)


def test_save_writes_a_recording_that_reads_the_same(tmp_path: Path) -> None:
    with fettle.run() as recording:
        branch(3)
    path = tmp_path / "part.fettle"
    recording.save(str(path))
    read = _core.Profile.read(str(path))
    assert read.ended
    assert sorted(read.functions()) == sorted(recording.stats())
    assert read.meta()["state"] == "ended"
    assert os.listdir(tmp_path) == ["part.fettle"]
    recording.save(str(path))
    assert sorted(os.listdir(tmp_path)) == ["part.fettle", "part.prev.fettle"]


def test_save_leaves_other_files_alone(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("keep me")
    with pytest.raises(OSError, match="is not a fettle recording and stays as it is"):
        fettle.run().save(str(path))
    assert path.read_text() == "keep me"
    missing = tmp_path / "missing" / "part.fettle"
    with pytest.raises(FileNotFoundError) as caught:
        fettle.run().save(str(missing))
    assert caught.value.filename == str(missing)


def test_an_empty_recording_says_so(tmp_path: Path) -> None:
    started = fettle.run()
    started.start()
    started.stop()
    for recording in (fettle.run(), started):
        out = io.StringIO()
        recording.view(file=out)
        _, sentence = out.getvalue().splitlines()
        assert sentence.startswith("fettle: nothing ran while the recording was on; ")
    recording.save(str(tmp_path / "x.fettle"))
    assert "nothing ran" in notes.sentences(_core.Profile.read(str(tmp_path / "x.fettle")))[0]


def test_what_can_not_be_asked_for() -> None:
    with pytest.raises(ValueError, match="records nothing"):
        fettle.run(calls=False)
    with pytest.raises(ValueError, match="max_nodes must be from 1"):
        fettle.run(max_nodes=0)
    with pytest.raises(TypeError, match=r"write @fettle\.run\(\)"):
        fettle.run(leaf)  # type: ignore[arg-type,call-arg]
    with pytest.raises(TypeError, match="decorates functions"):
        fettle.run()(3)  # type: ignore[type-var]
    with pytest.raises(TypeError, match="decorates functions"):
        fettle.run()(int)
