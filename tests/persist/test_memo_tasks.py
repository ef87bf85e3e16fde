# SPDX-License-Identifier: Apache-2.0
"""Tasks that ask for one result: it is computed once, whoever is cancelled or fails."""

import asyncio
import threading
from typing import Any

import fettle
import pytest

from .memos import CALLS, LONG, Threads


class Slow:
    """A coroutine function that goes on when it is let."""

    def __init__(self, memo: fettle.Memo, **options: Any) -> None:
        self.gate = asyncio.Event()
        self.kept = memo(version=1, **options)(self._slow)
        self.fails = False

    async def _slow(self, x: int) -> int:
        CALLS.append(x)
        await self.gate.wait()
        if self.fails:
            raise ValueError(len(CALLS))
        return x * 2

    def __reduce__(self) -> tuple[Any, ...]:
        return Slow, ()


def run(main: Any) -> None:
    async def limited() -> None:
        await asyncio.wait_for(main(), LONG)

    asyncio.run(limited())


async def some_steps() -> None:
    for _ in range(5):
        await asyncio.sleep(0.002)


def test_tasks_compute_a_key_once(memo: fettle.Memo) -> None:
    async def main() -> None:
        slow = Slow(memo)
        tasks = [asyncio.create_task(slow.kept(x)) for x in (1, 2) * 4]
        await some_steps()
        assert sorted(CALLS) == [1, 2]
        slow.gate.set()
        assert await asyncio.gather(*tasks) == [2, 4] * 4
        assert await slow.kept(1) == 2 and sorted(CALLS) == [1, 2]

    run(main)


def test_the_computing_task_is_cancelled(memo: fettle.Memo) -> None:
    async def main() -> None:
        slow = Slow(memo)
        tasks = [asyncio.create_task(slow.kept(1)) for _ in range(3)]
        await some_steps()
        tasks[0].cancel()
        await some_steps()
        assert tasks[0].cancelled() and CALLS == [1, 1]  # another one began
        slow.gate.set()
        assert await asyncio.gather(*tasks[1:]) == [2, 2] and CALLS == [1, 1]

    run(main)


def test_a_waiting_task_is_cancelled(memo: fettle.Memo) -> None:
    async def main() -> None:
        slow = Slow(memo)
        tasks = [asyncio.create_task(slow.kept(1)) for _ in range(3)]
        await some_steps()
        tasks[1].cancel()
        await some_steps()
        assert tasks[1].cancelled() and CALLS == [1]
        slow.gate.set()
        assert await asyncio.gather(tasks[0], tasks[2]) == [2, 2] and CALLS == [1]

    run(main)


def test_exceptions_are_each_ones_own(memo: fettle.Memo) -> None:
    async def main() -> None:
        slow = Slow(memo)
        slow.fails = True
        tasks = [asyncio.create_task(slow.kept(1)) for _ in range(3)]
        slow.gate.set()
        ends = await asyncio.gather(*tasks, return_exceptions=True)
        assert sorted(end.args[0] for end in ends if isinstance(end, ValueError)) == [1, 2, 3]
        assert not slow.kept.cached(1)
        slow.fails = False
        assert await slow.kept(1) == 2 and await slow.kept(1) == 2 and len(CALLS) == 4

    run(main)


@pytest.mark.parametrize("wait", [False, 0.05])
def test_those_that_do_not_wait_compute(wait: float, memo: fettle.Memo) -> None:
    async def main() -> None:
        slow = Slow(memo, wait=wait)
        first = asyncio.create_task(slow.kept(1))
        await some_steps()
        second = asyncio.create_task(slow.kept(1))
        while len(CALLS) < 2:
            await asyncio.sleep(0.01)
        slow.gate.set()
        assert await first == await second == 2

    run(main)


def test_tasks_that_wait_in_a_circle(memo: fettle.Memo) -> None:
    deep: set[Any] = set()

    @memo(version=1)
    async def step(n: int) -> int:
        CALLS.append(n)
        task = asyncio.current_task()
        if task in deep:
            return 100
        deep.add(task)
        while len(CALLS) < 3:
            await asyncio.sleep(0)
        return 1 + int(await step((n + 1) % 3))

    async def main() -> None:
        ends = await asyncio.gather(*[asyncio.create_task(step(n)) for n in range(3)])
        assert all(end in (101, 102, 103) for end in ends), ends

    run(main)


def test_a_coroutine_that_awaits_itself(memo: fettle.Memo) -> None:
    @memo
    async def factorial(n: int) -> int:
        CALLS.append(n)
        return n * int(await factorial(n - 1)) if n else 1

    async def main() -> None:
        tasks = [asyncio.create_task(factorial(n)) for n in (10, 12, 11, 12)]
        assert await asyncio.gather(*tasks) == [3628800, 479001600, 39916800, 479001600]
        assert sorted(CALLS) == list(range(13))

    run(main)


def test_two_loops_in_two_threads(memo: fettle.Memo) -> None:
    @memo
    async def slow(x: int) -> int:
        CALLS.append(x)
        await asyncio.sleep(0.1)
        return x * 2

    async def main() -> list[int]:
        return list(await asyncio.gather(*[slow(1) for _ in range(4)]))

    ends = Threads([lambda: asyncio.run(main())] * 3).join()
    assert ends == [[2] * 4] * 3 and CALLS == [1]


def test_threads_and_tasks_wait_for_each_other(memo: fettle.Memo) -> None:
    """A function and a coroutine function of one name and version."""
    gate = threading.Event()

    @memo
    def slow(x: int) -> int:
        CALLS.append(x)
        assert gate.wait(LONG)
        return x * 2

    async def main() -> list[int]:
        calls = [asyncio.to_thread(slow, 1) for _ in range(3)]
        tasks = [asyncio.create_task(call) for call in calls]
        await some_steps()
        gate.set()
        return list(await asyncio.gather(*tasks))

    assert asyncio.run(main()) == [2, 2, 2] and CALLS == [1]


def test_functions_within_coroutines(memo: fettle.Memo) -> None:
    @memo
    def inner(x: int) -> int:
        CALLS.append(("inner", x))
        return x + 1

    @memo
    async def outer(x: int) -> int:
        CALLS.append(("outer", x))
        await asyncio.sleep(0)
        return inner(x) * 2

    async def main() -> None:
        assert await asyncio.gather(*[outer(x % 2) for x in range(10)]) == [2, 4] * 5
        assert len(CALLS) == 4

    run(main)


def test_coroutines_that_are_driven_by_hand(memo: fettle.Memo) -> None:
    """Without a loop a coroutine is computed when it has nothing to wait for."""

    @memo
    async def quick(x: int) -> int:
        CALLS.append(x)
        return x

    for _ in range(2):
        with pytest.raises(StopIteration) as end:
            quick(5).send(None)
        assert end.value.value == 5
    assert CALLS == [5]
    never = quick(6)
    never.close()
    assert quick(7).close() is None and CALLS == [5]
