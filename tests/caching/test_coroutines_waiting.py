# SPDX-License-Identifier: Apache-2.0
"""Tasks that wait for the computation of another. Events order what happens."""

import asyncio
import sys
from contextlib import suppress
from contextvars import ContextVar
from typing import Any

import fettle
import pytest

from .loops import Run, Source, cancelled, settle

# A coroutine that was never awaited, a task that was destroyed: all of it is an error here.
pytestmark = pytest.mark.filterwarnings("error")

# ---- one computation for all who wait ----


def test_a_thousand_callers_are_one_computation(run: Run) -> None:
    async def main() -> None:
        source = Source()
        tasks = await source.calls(1, 1000)
        assert source.begun == 1 and source.function.cache_info().misses == 1
        result = object()
        await source.answer(result)
        assert all([await task is result for task in tasks])
        info = source.function.cache_info()
        assert (info.hits, info.misses, info.waited, info.currsize) == (999, 1, 999, 1)
        assert await source.function(1) is result
        assert source.function.cache_info()[:2] == (1000, 1)

    run(main())


def test_an_exception_is_the_owners_and_the_next_one_computes(run: Run) -> None:
    async def main() -> None:
        source = Source()
        one, two, three = await source.calls(1, 3)
        error = ValueError("one's")
        await source.refuse(error)
        assert one.exception() is error and not two.done() and source.begun == 2
        await source.refuse(KeyError("two's"))
        assert isinstance(two.exception(), KeyError) and not three.done()
        await source.answer("x")
        assert await three == "x" and source.begun == 3
        assert source.function.cache_info()[:2] == (0, 3)
        assert source.function.cache_info().currsize == 1

    run(main())


def test_an_exception_without_a_wait(run: Run) -> None:
    @fettle.cache
    async def fails(x):
        raise ValueError(x)

    async def main() -> None:
        results = await asyncio.gather(*(fails(1) for _ in range(50)), return_exceptions=True)
        assert [type(result) for result in results] == [ValueError] * 50
        assert len(set(map(id, results))) == 50  # each has its own

    run(main())


def test_who_computes_anew_does_so_with_its_own_arguments_and_context(run: Run) -> None:
    variable = ContextVar("variable", default="none")

    async def main() -> None:
        seen = []

        @fettle.cache
        async def function(x, y):
            seen.append((type(x), variable.get()))
            await asyncio.sleep(0)
            if len(seen) == 1:
                raise ValueError
            return x

        async def ask(x, value):
            variable.set(value)
            return await function(x, 0)

        results = await asyncio.gather(ask(1, "a"), ask(1.0, "b"), return_exceptions=True)
        assert isinstance(results[0], ValueError) and results[1] == 1.0
        assert seen == [(int, "a"), (float, "b")]

    run(main())


def test_what_the_computation_sets_is_its_own(run: Run) -> None:
    variable = ContextVar("variable", default="none")

    @fettle.cache
    async def sets(x):
        variable.set(x)
        return variable.get()

    async def main() -> None:
        assert await sets("a") == "a" and variable.get() == "none"

    run(main())


# ---- cancellation ----


@pytest.mark.parametrize("which", [0, 1, 2])
def test_the_cancellation_of_one_is_not_the_others(run: Run, which: Any) -> None:
    async def main() -> None:
        source = Source()
        tasks = await source.calls(1, 3)
        assert await cancelled(tasks.pop(which))
        assert len(source.running) == 1
        await source.answer("x")
        assert [await task for task in tasks] == ["x", "x"] and source.begun == 1
        assert await source.function(1) == "x"

    run(main())


def test_when_the_owner_went_the_exception_is_the_next_ones(run: Run) -> None:
    async def main() -> None:
        source = Source()
        one, two, three = await source.calls(1, 3)
        assert await cancelled(one)
        await source.refuse(ValueError())
        assert isinstance(two.exception(), ValueError) and source.begun == 2
        assert await cancelled(three) and not source.running

    run(main())


def test_when_all_went_the_computation_is_cancelled(run: Run) -> None:
    async def main() -> None:
        source = Source()
        tasks = await source.calls(1, 3)
        for task in tasks:
            assert len(source.running) == 1
            assert await cancelled(task)
        assert not source.running and source.function.cache_info().currsize == 0
        again = source.call(1)
        await settle()
        await source.answer("x")
        assert await again == "x" and source.begun == 2
        tasks = await source.calls(2, 3)  # all in one moment
        for task in tasks:
            task.cancel()
        await settle()
        assert all(task.cancelled() for task in tasks) and not source.running

    run(main())


def test_who_is_cancelled_waits_for_the_end_of_its_computation(run: Run) -> None:
    async def main() -> None:
        leave, told = asyncio.Event(), []

        @fettle.cache
        async def function(x):
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError as error:
                told.extend(error.args)
                await leave.wait()
                raise

        task = asyncio.create_task(function(1))
        await settle()
        task.cancel("enough")
        await settle()
        assert told == ["enough"] and not task.done()
        leave.set()
        await settle()
        assert task.cancelled()

        leave.clear()
        task = asyncio.create_task(function(1))
        await settle()
        task.cancel()
        await settle()
        assert not task.done()
        assert await cancelled(task)  # the second cancellation arrives there, too

    run(main())


@pytest.mark.parametrize("outcome", ["value", ValueError])
def test_a_computation_may_make_something_else_of_it(run: Run, outcome: Any) -> None:
    async def main() -> None:
        async def function(x):
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                if outcome == "value":
                    return "value"
                raise outcome from None

        for each in (function, fettle.cache(function)):  # the same as without
            task = asyncio.create_task(each(1))
            await settle()
            task.cancel()
            await settle()
            if outcome == "value":
                assert await task == "value"
            else:
                assert isinstance(task.exception(), ValueError)

    run(main())


def test_who_comes_while_a_computation_is_being_cancelled_begins_anew(run: Run) -> None:
    async def main() -> None:
        leave, begun = asyncio.Event(), []

        @fettle.cache
        async def function(x):
            begun.append(x)
            if len(begun) == 1:
                try:
                    await asyncio.Event().wait()
                finally:
                    await leave.wait()
            return len(begun)

        one = asyncio.create_task(function(1))
        await settle()
        one.cancel()
        await settle()
        assert await function(1) == 2
        leave.set()
        await settle()
        assert one.cancelled() and await function(1) == 2

    run(main())


def test_cancelled_before_it_began(run: Run) -> None:
    async def main() -> None:
        source = Source()
        task = source.call(1)
        task.cancel()
        await settle()
        assert task.cancelled() and not source.running
        one, two = source.call(1), source.call(1)
        await asyncio.sleep(0)  # they wait; the computation has not begun, unless it is eager
        one.cancel()
        two.cancel()
        await settle()
        assert one.cancelled() and two.cancelled() and not source.running

    run(main())


def test_a_computation_that_somebody_else_cancels(run: Run) -> None:
    async def main() -> None:
        source = Source()
        ours = {asyncio.current_task()}
        one, two = await source.calls(1, 2)
        (computation,) = asyncio.all_tasks() - ours - {one, two}
        computation.cancel()
        await settle()
        assert one.cancelled() and not two.done() and source.begun == 2
        await source.answer("x")
        assert await two == "x"
        one, two = source.call(2), source.call(2)
        await asyncio.sleep(0)
        for task in asyncio.all_tasks() - ours - {one, two}:
            task.cancel()  # before its first step
        await settle()
        if not two.done():
            await source.answer("y")
        assert one.cancelled() and await two == "y"

    run(main())


def test_a_cancelled_error_of_the_function_itself(run: Run) -> None:
    async def main() -> None:
        calls = []

        @fettle.cache
        async def function(x):
            calls.append(x)
            await asyncio.sleep(0)
            if len(calls) == 1:
                raise asyncio.CancelledError
            return "x"

        one, two = (asyncio.create_task(function(1)) for _ in range(2))
        await settle()
        assert one.cancelled() and await two == "x"

    run(main())


def test_time_limits_and_groups_around_callers(run: Run) -> None:
    async def main() -> None:
        source = Source()
        waiting = source.call(1)
        await settle()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0):
                await source.function(1)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(source.function(1), 0.001)
        assert len(source.running) == 1
        with pytest.raises(ExceptionGroup):
            async with asyncio.TaskGroup() as group:
                group.create_task(source.function(1))
                group.create_task(source.function(1))
                await settle()
                raise ValueError
        await source.answer("x")
        assert await waiting == "x" and source.begun == 1
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0):
                await source.function(2)
        assert not source.running
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(source.function(1)) for _ in range(3)]
        assert all(task.result() == "x" for task in tasks)

    run(main())


def test_a_caller_that_is_closed(run: Run) -> None:
    async def main() -> None:
        source = Source()
        one = source.function(1)
        future = one.send(None)
        assert asyncio.isfuture(future)
        await settle()
        assert len(source.running) == 1
        one.close()
        await settle()
        assert not source.running
        other = source.call(1)
        await settle()
        one = source.function(1)
        one.send(None)
        one.close()
        await source.answer("x")
        assert await other == "x"

    run(main())


# ---- forgetting what is under way ----


@pytest.mark.parametrize("how", ["clear", "forget"])
def test_what_was_begun_before_it_was_forgotten_is_not_kept(run: Run, how: Any) -> None:
    async def main() -> None:
        source = Source()
        before, other = await source.calls(1, 2), source.call(2)
        await settle()
        if how == "clear":
            source.function.cache_clear()
        else:
            assert source.function.cache_forget(1) is False
        after = await source.calls(1, 2)
        assert source.begun == 3
        await source.answer("old")
        assert [await task for task in before] == ["old", "old"]
        assert not any(task.done() for task in after)
        assert source.function.cache_info().currsize == 0
        await source.answer("other")
        assert await other == "other"
        await source.answer("new")
        assert [await task for task in after] == ["new", "new"]
        assert await source.function(1) == "new" and source.begun == 3
        assert source.function.cache_info().currsize == 1 + (how == "forget")

    run(main())


def test_what_computes_in_its_place_is_not_kept_either(run: Run) -> None:
    async def main() -> None:
        source = Source(wait=False)
        task = source.call(1)
        await settle()
        source.function.cache_clear()
        await source.answer("old")
        assert await task == "old" and source.function.cache_info().currsize == 0

    run(main())


# ---- no program hangs ----


def test_recursion(run: Run) -> None:
    @fettle.cache
    async def fibonacci(n):
        return n if n < 2 else await fibonacci(n - 1) + await fibonacci(n - 2)

    @fettle.cache
    async def together(n):
        return n if n < 2 else sum(await asyncio.gather(together(n - 1), together(n - 2)))

    async def main() -> None:
        assert await fibonacci(40) == await together(40) == 102334155
        assert fibonacci.cache_info().misses == together.cache_info().misses == 41

    run(main())


def test_recursion_is_not_nested(run: Run) -> None:
    """Each computation has a stack of its own: it goes deeper than without a cache."""

    @fettle.cache(maxsize=None)
    async def total(n):
        return n if n == 0 else n + await total(n - 1)

    async def main() -> None:
        depth = 3 * sys.getrecursionlimit()
        assert await total(depth) == depth * (depth + 1) // 2

    run(main())


def test_an_error_of_the_loops_own(run: Run) -> None:
    """Where no task can be made, the caller hears of it, and nobody waits for nothing."""

    async def main() -> None:
        loop, source = asyncio.get_running_loop(), Source()
        factory = loop.get_task_factory()

        def refuse(loop, coroutine, **options):
            raise MemoryError

        loop.set_task_factory(refuse)
        with pytest.raises(MemoryError):
            await source.function(1)
        loop.set_task_factory(factory)
        one, two = await source.calls(1, 2)
        source.running[0][1].set_exception(ValueError())
        loop.set_task_factory(refuse)
        await settle()
        assert isinstance(one.exception(), ValueError) and isinstance(two.exception(), MemoryError)
        loop.set_task_factory(factory)
        three = source.call(1)
        await settle()
        await source.answer("x")
        assert await three == "x"

    run(main())


@pytest.mark.parametrize("way", ["direct", "gather", "task", "group", "timeout", "thread"])
def test_a_computation_that_asks_for_itself_computes(run: Run, way: Any) -> None:
    async def main() -> None:
        calls = []

        async def again():
            if way == "gather":
                return (await asyncio.gather(function(1), function(1)))[0]
            if way == "task":
                return await asyncio.create_task(function(1))
            if way == "group":
                async with asyncio.TaskGroup() as group:
                    task = group.create_task(function(1))
                return task.result()
            if way == "timeout":
                return await asyncio.wait_for(function(1), 60)
            if way == "thread":
                return await asyncio.to_thread(lambda: asyncio.run(function(1)))
            return await function(1)

        @fettle.cache
        async def function(x):
            calls.append(x)
            await asyncio.sleep(0)
            if len(calls) == 1:
                return await again()
            return "end"

        one, two = await asyncio.gather(function(1), function(1))
        assert one == two == "end"
        assert len(calls) == (3 if way == "gather" else 2)
        assert await function(1) == "end"

    run(main())


def test_circles_of_flights(run: Run) -> None:
    async def main() -> None:
        calls = []

        @fettle.cache
        async def function(x, size):
            calls.append(x)
            await settle()  # all of them are under way
            if len(calls) > 3 * size:
                return "end"
            return await function((x + 1) % size, size)

        for size in (2, 3, 10):
            calls.clear()
            function.cache_clear()
            results = await asyncio.gather(*(function(x, size) for x in range(size)))
            assert results == ["end"] * size

    run(main())


def test_a_circle_through_a_task_that_outlives_its_flight(run: Run) -> None:
    async def main() -> None:
        calls = []

        @fettle.cache
        async def starts(x):  # gives a task that was made inside of it
            async def later():
                await settle()
                return await outer(x)

            return [asyncio.create_task(later())]

        @fettle.cache
        async def outer(x):
            calls.append(x)
            if len(calls) > 1:
                return "end"
            (task,) = await starts(x)
            return await task

        assert await outer(1) == "end"

    run(main())


def test_a_circle_that_is_not_seen_ends_with_patience(run: Run) -> None:
    async def main() -> None:
        queue = asyncio.Queue()

        @fettle.cache(wait=0.01)
        async def function(x, depth=0):
            if await asked.get() > 0:
                return "end"
            answer = asyncio.get_running_loop().create_future()
            queue.put_nowait((x, answer))
            return await answer

        async def worker():
            while True:
                x, answer = await queue.get()
                answer.set_result(await function(x))

        asked = asyncio.Queue()
        for number in range(9):
            asked.put_nowait(number)
        working = asyncio.create_task(worker())
        assert await function(1) == "end"
        working.cancel()
        with suppress(asyncio.CancelledError):
            await working

    run(main())


def test_who_ran_out_of_patience_computes_and_the_others_wait_on(run: Run) -> None:
    async def main() -> None:
        source = Source(wait=0.01)
        one = source.call(1)
        await settle()
        two = source.call(1)
        while len(source.running) < 2:
            await asyncio.sleep(0.001)
        await source.answer("two's", at=1)
        assert await two == "two's" and not one.done()
        await source.answer("one's")
        assert await one == "one's" and await source.function(1) == "two's"

    run(main())
