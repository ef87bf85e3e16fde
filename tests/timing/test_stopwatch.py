# SPDX-License-Identifier: Apache-2.0
"""fettle.stopwatch: blocks, calls, coroutines and generators; what adds up, and what must not.

Nothing here asserts how long something takes: sums are compared with each other, or with a clock
read around them.
"""

import asyncio
import contextlib
import copy
import doctest
import gc
import inspect
import os
import pickle
import random
import statistics
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import fettle
import pytest
from fettle import _core
from fettle.timing import stopwatch as module

from tests.leaks import least_growth

SLEEP = 0.02
CLOSE = 1e-6  # seconds: a sum of floats


def burn(seconds: float) -> None:
    end = time.thread_time() + seconds
    while time.thread_time() < end:
        pass


def around(act: Callable[[], object]) -> float:
    start = time.perf_counter()
    act()
    return time.perf_counter() - start


@fettle.stopwatch(name="marked")
def marked(number: int, /, *, more: int = 2) -> int:
    """Adds."""
    return number + more


# ---- blocks ----


def test_examples() -> None:
    tried = doctest.testmod(module)
    assert tried.failed == 0
    assert tried.attempted > 5


def test_a_block_lies_within_the_time_around_it_and_holds_its_sleep() -> None:
    watch = fettle.stopwatch()

    def act() -> None:
        with watch as entered:
            assert entered is watch
            time.sleep(SLEEP)

    outside = around(act)
    assert SLEEP <= watch.wall <= outside
    assert watch.wall == watch.last == watch.min == watch.median == watch.max
    assert watch.waiting > watch.cpu
    assert watch.waiting + watch.cpu <= watch.wall + CLOSE


def test_work_is_cpu_time_and_no_waiting_unless_the_thread_gave_way() -> None:
    watch = fettle.stopwatch()
    used = time.thread_time()
    with watch:
        burn(SLEEP)
    used = time.thread_time() - used
    assert SLEEP * 0.99 <= watch.cpu <= used + 1e-4
    assert watch.waiting + watch.cpu <= watch.wall + CLOSE


def test_each_use_is_counted_and_described() -> None:
    watch, uses = fettle.stopwatch(), []
    for number in (3, 1, 2, 5, 4, 0):
        with watch:
            burn(number / 1000)
        uses.append(watch.last)
    assert watch.count == len(uses)
    assert watch.wall == pytest.approx(sum(uses), abs=CLOSE)
    assert (watch.min, watch.max) == (min(uses), max(uses))
    assert watch.median == pytest.approx(statistics.median(uses), abs=1e-9)


def test_the_median_of_many_uses() -> None:
    watch, uses = fettle.stopwatch(), []
    for number in range(5000):
        with watch:
            sum(range(number % 50))
        uses.append(watch.last)
    assert watch.count == 5000
    assert watch.median == pytest.approx(statistics.median(uses), rel=1 / 128)


def test_an_exception_passes_and_the_use_counts() -> None:
    watch = fettle.stopwatch()
    with pytest.raises(ZeroDivisionError), watch:
        _ = 1 / 0
    assert watch.count == 1


def test_leaving_what_was_not_entered() -> None:
    watch = fettle.stopwatch()
    with pytest.raises(RuntimeError, match="does not run in this thread: enter it"):
        watch.__exit__(None, None, None)
    watch.__enter__()
    watch.__exit__()
    with pytest.raises(RuntimeError):
        watch.__exit__(None, None, None)
    assert watch.count == 1


def test_a_block_within_a_block_counts_and_its_time_is_in_the_totals_once() -> None:
    watch = fettle.stopwatch()
    with watch:
        burn(SLEEP)
        with watch:
            burn(SLEEP)
        inner = watch.last
        with watch:
            time.sleep(SLEEP)
    assert watch.count == 3
    assert watch.wall == watch.max == watch.last
    assert inner < watch.max
    assert watch.cpu + watch.waiting <= watch.wall + CLOSE
    assert watch.cpu >= 2 * SLEEP * 0.99


def test_blocks_of_generators_that_take_turns() -> None:
    watch = fettle.stopwatch()

    def block() -> Iterator[None]:
        with watch:
            yield

    first, second = block(), block()
    next(first)
    time.sleep(SLEEP)
    second_begins = time.perf_counter()
    next(second)
    next(first, None)
    first_took = watch.last
    next(second, None)
    assert first_took >= SLEEP
    assert watch.last <= time.perf_counter() - second_begins
    assert first_took <= watch.wall <= first_took + watch.last + CLOSE


@pytest.mark.parametrize("seed", range(5))
def test_blocks_in_any_order_each_have_their_own_start(seed: int) -> None:
    source, watch = random.Random(seed), fettle.stopwatch()

    def block(began: list[float]) -> Iterator[None]:
        began.append(time.perf_counter())
        with watch:
            began.append(time.perf_counter())
            yield
            began.append(time.perf_counter())

    running: list[tuple[Iterator[None], list[float]]] = []
    for _ in range(300):
        if running and source.random() < 0.5:
            each, clock = running.pop(source.randrange(len(running)))
            if source.random() < 0.3:
                thread = threading.Thread(target=lambda each=each: next(each, None))
                thread.start()
                thread.join()
            else:
                next(each, None)
            before, entered, leaving = clock
            assert leaving - entered <= watch.last <= time.perf_counter() - before
        else:
            clock = []
            running.append((block(clock), clock))
            next(running[-1][0])
    ended = watch.count
    for each, _ in running:
        next(each, None)
    assert watch.count == ended + len(running)


def test_a_stack_that_leaves_in_another_frame() -> None:
    watch = fettle.stopwatch()

    def block() -> Iterator[None]:
        with watch:
            yield

    with contextlib.ExitStack() as stack:
        stack.enter_context(watch)
        time.sleep(SLEEP)
        waiting, begins = block(), time.perf_counter()
        next(waiting)
    assert watch.last >= SLEEP  # the stack's, not the generator's
    next(waiting, None)
    assert watch.count == 2
    assert watch.last <= time.perf_counter() - begins


def test_readings_go_on_while_it_runs() -> None:
    watch = fettle.stopwatch()
    with watch:
        time.sleep(SLEEP)
        burn(SLEEP)
        assert watch.wall >= 2 * SLEEP * 0.99
        assert watch.cpu >= SLEEP * 0.99
        assert watch.count == 0
        assert "running for" in repr(watch)
        before = watch.wall
    assert watch.wall >= before


def test_reset_forgets_and_what_runs_is_not_counted() -> None:
    watch = fettle.stopwatch(name="kept")
    with watch:
        pass
    with watch:
        watch.reset()
        assert (watch.count, watch.wall, watch.cpu, watch.waiting) == (0, 0.0, 0.0, 0.0)
        with watch:
            burn(0.001)
    assert watch.count == 1
    assert watch.wall == watch.last
    assert watch.name == "kept"


def test_one_line_says_it() -> None:
    watch = fettle.stopwatch()
    assert repr(watch) == "not used yet"
    watch._counted(0.004)
    assert repr(watch) == "once, 4.0 ms, 0 % waiting"
    watch._counted(0.0039)
    watch._counted(0.0044)
    assert repr(watch) == "3 times, 4.0 ms each (median; 3.9 to 4.4 ms), 0 % waiting"
    named = fettle.stopwatch(name="load")
    named._counted(2.5e-7)
    named._counted(0.5)
    assert repr(named) == "load: 2 times, 250.0 ms each (median; 250 ns to 500.0 ms), 0 % waiting"


# ---- calls ----


def test_a_function_stays_what_it_was() -> None:
    plain = marked.__wrapped__  # type: ignore[attr-defined]
    assert marked(1, more=5) == 6
    assert marked.__name__ == "marked" and marked.__doc__ == "Adds."
    assert marked.__module__ == __name__ and marked.__qualname__ == "marked"
    assert inspect.signature(marked) == inspect.signature(plain)
    assert pickle.loads(pickle.dumps(marked)) is marked
    assert copy.copy(marked) is copy.deepcopy(marked) is marked
    assert "marked" in repr(marked)
    with pytest.raises(TypeError) as ours:
        marked(1, 2, 3)  # type: ignore[call-arg, misc]
    with pytest.raises(TypeError) as theirs:
        plain(1, 2, 3)
    assert str(ours.value) == str(theirs.value)


def test_recursion_adds_up_once() -> None:
    @fettle.stopwatch
    def fib(number: int) -> int:
        return number if number < 2 else fib(number - 1) + fib(number - 2)

    outside = around(lambda: fib(12))
    watch = fib.stopwatch  # type: ignore[attr-defined]
    assert watch.count == 465
    assert watch.wall == watch.max <= outside
    assert watch.cpu <= watch.wall + CLOSE


def test_endless_recursion_is_an_error() -> None:
    @fettle.stopwatch
    def down() -> None:
        down()

    @fettle.stopwatch
    def items() -> Iterator[int]:
        yield from items()

    with pytest.raises(RecursionError):
        down()
    with pytest.raises(RecursionError):
        next(items())
    watch = down.stopwatch  # type: ignore[attr-defined]
    assert watch.count > 100
    assert watch.wall == watch.max


def ends_well(program: str) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=120, check=False
    )
    assert (ended.returncode, ended.stderr) == (0, "")


def test_endless_nesting_of_timed_functions_is_an_error() -> None:
    ends_well(
        """
from fettle import _core
watch, function = _core.Stopwatch(), len
for _ in range(500_000):
    function = _core.TimedFunction(watch, function)
try:
    function([])
except RecursionError:
    del function
else:
    raise AssertionError("it was called")
"""
    )


@pytest.mark.parametrize("step", ["next(steps)", "steps.throw(KeyError)", "steps.close()"])
def test_endless_nesting_of_timed_steps_is_an_error(step: str) -> None:
    ends_well(
        f"""
from fettle import _core
watch, steps = _core.Stopwatch(), (item for item in "ab")
for _ in range(500_000):
    steps = _core.TimedSteps(watch, steps, "generator")
try:
    {step}
except RecursionError:
    del steps
else:
    raise AssertionError("it had a step")
"""
    )


@pytest.mark.parametrize("kind", ["generator", "coroutine"])
def test_a_step_of_a_finaliser_in_a_first_step(kind: str) -> None:
    """A thread's context is made in it, which may collect garbage."""
    ends_well(
        f"""
import gc, threading
from fettle import _core
watch = _core.Stopwatch()
def run():
    steps = _core.TimedSteps(watch, iter([0, 1, 2]), {kind!r})
    send, taken = steps.__next__, []
    class Last:
        def __del__(self): taken.append(send())
    gc.collect()
    gc.disable()
    gc.set_threshold(1)
    garbage = Last()
    garbage.itself = garbage
    del garbage
    gc.enable()
    first = send()
    gc.disable()
    gc.collect()
    assert sorted([first, *taken]) == [0, 1]
    assert list(steps) == [2]
thread = threading.Thread(target=run)
thread.start()
thread.join()
assert watch.count == 1 and watch.wall == watch.wall, "a use was left open"
"""
    )


@pytest.mark.parametrize("given", [None, 3, (1, 2), (), KeyError(4), [5]])
def test_the_end_of_timed_steps_is_that_of_the_plain_ones(given: object) -> None:
    def items() -> Iterator[int]:
        return given  # type: ignore[return-value]
        yield 1

    def end(steps: Any) -> tuple[object, ...]:
        with pytest.raises(StopIteration) as stop:
            steps.send(None)
        return stop.value.args, str(stop.value), stop.value.value

    for kind in ("generator", "coroutine", "part"):
        timed = _core.TimedSteps(_core.Stopwatch(), items(), kind)
        assert end(timed) == end(items())


def test_methods_are_bound() -> None:
    watch = fettle.stopwatch()

    class Kinds:
        @watch
        def method(self) -> Any:
            return self

        @watch
        @property
        def value(self) -> int:
            """A value."""
            return 4

    one = Kinds()
    assert one.method() is one and Kinds.method(one) is one
    bound = one.method
    assert bound() is one and bound.__self__ is one
    assert one.value == 4
    assert Kinds.value.__doc__ == "A value."
    assert watch.count == 4


def test_static_and_class_methods_in_either_order() -> None:
    watch = fettle.stopwatch()

    class Kinds:
        @watch
        @staticmethod
        def outside_static(value: int) -> int:
            return value

        @staticmethod
        @watch
        def inside_static(value: int) -> int:
            return value

        @watch
        @classmethod
        def outside_class(cls) -> Any:
            return cls

        @classmethod
        @watch
        def inside_class(cls) -> Any:
            return cls

    one = Kinds()
    assert one.outside_static(3) == Kinds.outside_static(3) == one.inside_static(3) == 3
    assert one.outside_class() is Kinds.inside_class() is Kinds
    assert watch.count == 5


def test_what_is_no_function() -> None:
    with pytest.raises(TypeError, match="Kind is a class: decorate the methods"):
        fettle.stopwatch()(type("Kind", (), {}))
    with pytest.raises(TypeError, match="what can be called, not int"):
        fettle.stopwatch()(3)  # type: ignore[type-var]
    with pytest.raises(TypeError, match="name is a str, not int"):
        fettle.stopwatch(name=3)  # type: ignore[call-overload]


@pytest.mark.parametrize("act", [copy.copy, copy.deepcopy, pickle.dumps])
def test_it_is_not_copied(act: Callable[[object], object]) -> None:
    with pytest.raises(TypeError, match="cannot be copied or pickled"):
        act(fettle.stopwatch())


# ---- threads ----


def test_one_watch_in_many_threads() -> None:
    watch, threads, uses = fettle.stopwatch(), 4, 300
    used: list[float] = []

    def work() -> None:
        start = time.thread_time()
        for _ in range(uses):
            with watch, watch:
                sum(range(100))
        used.append(time.thread_time() - start)

    running = [threading.Thread(target=work) for _ in range(threads)]
    outside = time.perf_counter()
    for each in running:
        each.start()
    for each in running:
        each.join()
    outside = time.perf_counter() - outside
    assert watch.count == 2 * threads * uses
    assert watch.wall <= threads * outside
    assert watch.cpu <= watch.wall + CLOSE
    assert watch.waiting <= watch.wall


def test_a_block_that_ends_in_another_thread() -> None:
    watch = fettle.stopwatch()

    def block() -> Iterator[None]:
        with watch:
            yield

    running = block()
    next(running)
    thread = threading.Thread(target=lambda: next(running, None))
    thread.start()
    thread.join()
    assert watch.count == 1
    assert watch.wall == watch.last
    assert (watch.cpu, watch.waiting) == (0.0, 0.0)


IN_ANOTHER = """
try:
    import fettle
except ImportError as error:
    print("refused" if "interpreter" in str(error) else error, flush=True)
else:
    @fettle.stopwatch
    def f(x): return x
    with fettle.stopwatch() as watch, watch: f(1)
    f.me = f
    left = fettle.stopwatch()
    left.__enter__()
    print(watch.count, f.stopwatch.count, flush=True)
"""
INTERPRETERS = f"""
import fettle
try:
    import _interpreters as interpreters
    other = lambda: interpreters.create("legacy")
except ImportError:
    import _xxsubinterpreters as interpreters
    other = lambda: interpreters.create(isolated=False)
with fettle.stopwatch() as mine:
    for _ in range(3):
        one = other()
        interpreters.run_string(one, {IN_ANOTHER!r})
        interpreters.destroy(one)
print(mine.count, flush=True)
"""


def test_each_interpreter_has_watches_of_its_own_or_is_refused() -> None:
    done = subprocess.run(
        [sys.executable, "-c", INTERPRETERS], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert lines[3:] == ["1"]
    assert lines[:3] in (["2 1"] * 3, ["refused"] * 3)


def test_a_forked_child_goes_on() -> None:
    watch = fettle.stopwatch()
    with watch:
        burn(SLEEP)
        child = os.fork()
        if child == 0:
            good = 0 <= watch.cpu <= watch.wall
            watch.__exit__()
            good = good and watch.count == 1 and watch.cpu + watch.waiting <= watch.wall + CLOSE
            os._exit(0 if good else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert watch.count == 1
    assert watch.cpu >= SLEEP * 0.99


# ---- coroutines ----


def test_tasks_that_take_turns_have_each_their_own_start() -> None:
    watch, sleeps = fettle.stopwatch(), (3, 1, 2)

    async def one(number: int) -> float:
        with watch:
            await asyncio.sleep(number * SLEEP)
        return watch.last

    async def main() -> list[float]:
        return await asyncio.gather(*map(one, sleeps))

    took = asyncio.run(main())
    assert all(each >= number * SLEEP * 0.99 for each, number in zip(took, sleeps, strict=True))
    assert took[1] < took[2] < took[0]
    assert watch.wall == pytest.approx(sum(took), abs=CLOSE)
    assert watch.cpu < watch.waiting


def test_a_coroutine_function_has_the_cpu_of_its_own_steps() -> None:
    @fettle.stopwatch
    async def fetch(number: int) -> int:
        burn(SLEEP / 4)
        if number:
            assert await fetch(number - 1) == number - 1
        await asyncio.sleep(SLEEP)
        return number

    async def others() -> None:
        for _ in range(4):
            burn(SLEEP / 4)
            await asyncio.sleep(0)

    async def main() -> Any:
        return await asyncio.gather(fetch(0), others(), fetch(1))

    used = time.thread_time()
    assert asyncio.run(main())[::2] == [0, 1]
    used = time.thread_time() - used
    watch = fetch.stopwatch  # type: ignore[attr-defined]
    assert inspect.iscoroutinefunction(fetch)
    assert watch.count == 3
    assert 3 * SLEEP / 4 * 0.99 <= watch.cpu <= used - SLEEP * 0.99
    assert watch.waiting >= 3 * SLEEP * 0.99
    assert watch.waiting + watch.cpu <= watch.wall + CLOSE


def test_coroutines_that_fail_are_cancelled_or_never_run() -> None:
    @fettle.stopwatch
    async def work(kind: str) -> None:
        try:
            await asyncio.sleep(SLEEP if kind == "fails" else 60)
        finally:
            await asyncio.sleep(0)
        raise KeyError(kind)

    async def main() -> None:
        with pytest.raises(KeyError, match="fails"):
            await work("fails")
        task = asyncio.create_task(work("cancelled"))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(SLEEP):
                await work("late")

    asyncio.run(main())
    watch = work.stopwatch  # type: ignore[attr-defined]
    assert watch.count == 3
    work("never").close()
    assert watch.count == 3
    running = work("dropped")
    running.send(None)
    running.close()
    assert watch.count == 4


# ---- generators ----


def test_a_generator_is_one_use_without_its_consumers_time() -> None:
    @fettle.stopwatch
    def items(count: int) -> Any:
        got = []
        for number in range(count):
            burn(SLEEP / 4)
            try:
                got.append((yield number))
            except KeyError:
                got.append("thrown")
        return got

    watch = items.stopwatch  # type: ignore[attr-defined]
    assert inspect.isgeneratorfunction(items)
    running = items(3)
    assert next(running) == 0
    time.sleep(SLEEP)
    assert running.send("sent") == 1
    time.sleep(SLEEP)
    assert running.throw(KeyError()) == 2
    time.sleep(SLEEP)
    assert watch.count == 0
    with pytest.raises(StopIteration) as stopped:
        next(running)
    assert stopped.value.value == ["sent", "thrown", None]
    assert watch.count == 1
    assert watch.last == pytest.approx(watch.wall, abs=CLOSE)
    assert 3 * SLEEP / 4 * 0.99 <= watch.cpu <= watch.wall
    closed = items(2)
    next(closed)
    closed.close()
    items(1).close()
    assert watch.count == 2


def test_an_asynchronous_generator_is_one_use() -> None:
    seen = []

    @fettle.stopwatch
    async def items(count: int) -> AsyncIterator[int]:
        try:
            for number in range(count):
                await asyncio.sleep(SLEEP)
                try:
                    seen.append((yield number))
                except KeyError:
                    seen.append("thrown")
        finally:
            seen.append("end")

    async def main() -> None:
        assert [number async for number in items(2)] == [0, 1]
        running: Any = items(5)
        assert await anext(running) == 0
        burn(2 * SLEEP)
        assert await running.asend("sent") == 1
        assert await running.athrow(KeyError()) == 2
        await running.aclose()
        with pytest.raises(StopAsyncIteration):
            await anext(running)

    asyncio.run(main())
    watch = items.stopwatch  # type: ignore[attr-defined]
    assert inspect.isasyncgenfunction(items)
    assert seen == [None, None, "end", "sent", "thrown", "end"]
    assert watch.count == 2
    assert watch.waiting >= 5 * SLEEP * 0.99
    assert watch.cpu < 2 * SLEEP
    assert watch.wall == pytest.approx(watch.min + watch.max, abs=CLOSE)


# ---- lifetimes ----


def test_cycles_are_collected() -> None:
    def make() -> weakref.ref[Any]:
        @fettle.stopwatch
        def function() -> None: ...

        function.me = function  # type: ignore[attr-defined]
        function.stopwatch.__enter__()  # type: ignore[attr-defined]
        return weakref.ref(function)

    gone = make()
    gc.collect()
    assert gone() is None


async def _item() -> AsyncIterator[int]:
    yield 1


async def _none() -> None: ...


def _drive(coroutine: Any) -> None:
    with contextlib.suppress(StopIteration, KeyError):
        coroutine.send(None)


async def _all_of(items: Any) -> None:
    async for _ in items:
        pass


def _refused() -> None:
    with contextlib.suppress(TypeError):
        _core.TimedFunction(KEPT, 3)  # type: ignore[arg-type]


def _in_a_thread() -> None:
    thread = threading.Thread(target=marked, args=(1,))
    thread.start()
    thread.join()


KEPT = fettle.stopwatch()
ACTS: dict[str, Callable[[], object]] = {
    "made": lambda: fettle.stopwatch(name="x" * 3),
    "entered and dropped": lambda: fettle.stopwatch().__enter__(),
    "entered and left": lambda: KEPT.__exit__(KEPT.__enter__()),
    "called": lambda: marked(1),
    "decorated": lambda: fettle.stopwatch(lambda: None)(),
    "coroutine": lambda: _drive(KEPT(_none)()),
    "generator": lambda: list(KEPT(lambda: (yield 1))()),
    "generator closed": lambda: next(KEPT(lambda: (yield 1))()),
    "asynchronous generator": lambda: _drive(_all_of(KEPT(_item)())),
    "reset while it runs": lambda: (KEPT.__enter__(), KEPT.reset(), KEPT.__exit__()),
    "refused": lambda: _refused(),
    "in a thread": lambda: _in_a_thread(),
}


@pytest.mark.parametrize("name", ACTS)
def test_nothing_is_left_behind(name: str) -> None:
    assert least_growth(ACTS[name], 400, 99) < 100
