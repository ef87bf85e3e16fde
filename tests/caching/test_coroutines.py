# SPDX-License-Identifier: Apache-2.0
"""fettle.cache on coroutine functions: what is kept, and what the function is."""

import asyncio
import copy
import functools
import gc
import inspect
import pickle
import random
import sys
import threading
import types
import weakref

import fettle
import pytest

from .loops import Run, Source, run_in, settle

# A coroutine that was never awaited, a task that was destroyed: all of it is an error here.
pytestmark = pytest.mark.filterwarnings("error")

# ---- what it is ----


@fettle.cache
async def doubled(x, y=0):
    """Twice."""
    return [2 * x + y]


class Shop:
    def __init__(self, name):
        self.name, self.calls = name, []

    @fettle.cache
    async def price(self, thing, currency="euro"):
        self.calls.append(thing)
        await asyncio.sleep(0)
        return self.name, thing, currency

    @fettle.cache
    @classmethod
    async def kind(cls, thing):
        return cls, thing, object()

    @classmethod
    @fettle.cache
    async def kind_too(cls, thing):
        return cls, thing, object()

    @fettle.cache
    @staticmethod
    async def size(thing):
        return thing, object()

    @fettle.cache
    @property
    async def owner(self):
        self.calls.append("owner")
        return self.name, object()


class Slotted:
    __slots__ = ("__fettle__", "__weakref__")

    @fettle.cache
    async def me(self, x):
        return x, object()


class Closed:
    __slots__ = ()

    @fettle.cache
    async def me(self, x):
        return x


def test_it_is_a_coroutine_function_and_looks_like_the_one_it_was() -> None:
    assert inspect.iscoroutinefunction(doubled)
    assert type(doubled) is types.FunctionType
    assert inspect.iscoroutinefunction(Shop.price) and inspect.iscoroutinefunction(Shop("a").price)
    assert (doubled.__name__, doubled.__module__) == ("doubled", __name__)
    assert doubled.__doc__ == "Twice."
    assert str(inspect.signature(doubled)) == "(x, y=0)"
    assert inspect.iscoroutinefunction(doubled.__wrapped__) and doubled.__wrapped__ is not doubled
    assert copy.copy(doubled) is doubled and copy.deepcopy(doubled) is doubled
    assert doubled.cache_parameters()["maxsize"] == 1024


def test_it_is_pickled_by_name(monkeypatch):

    monkeypatch.setitem(sys.modules, __name__, types.SimpleNamespace(**globals()))
    assert pickle.loads(pickle.dumps(doubled)) is doubled
    assert pickle.loads(pickle.dumps(Shop.price)) is Shop.price


def test_the_result_is_kept_not_the_coroutine(run: Run) -> None:
    async def main() -> None:
        doubled.cache_clear()
        first = await doubled(4)
        assert first == [8] and await doubled(4) is first
        assert await doubled(4, 1) == [9] and await doubled(4, y=1) == [9]
        info = doubled.cache_info()
        assert (info.hits, info.misses, info.waited, info.currsize) == (1, 3, 0, 3)
        assert dict(doubled.cache_export())[4] is first
        assert doubled.cache_forget(4) is True and doubled.cache_forget(4) is False
        assert await doubled(4) is not first
        doubled.cache_clear()
        assert doubled.cache_info()[:4] == (0, 0, 1024, 0)
        doubled.cache_load({5: "loaded"})
        assert await doubled(5) == "loaded"

    run(main())


def test_kinds_of_calls_are_told_apart_as_functions_are(run: Run) -> None:
    async def main() -> None:
        calls = []

        @fettle.cache(typed=True)
        async def typed(x):
            calls.append(x)
            return x

        assert [type(await typed(x)) for x in (3, 3.0, 3, 3.0)] == [int, float, int, float]
        assert len(calls) == 2

        @fettle.cache
        async def untyped(*args, **keywords):
            return object()

        assert await untyped(1, 2) is await untyped(1.0, 2) is await untyped(True, 2)
        assert await untyped(a=1, b=2) is await untyped(a=1, b=2)
        assert await untyped(a=1, b=2) is not await untyped(b=2, a=1)
        assert await untyped() is await untyped()
        with pytest.raises(TypeError, match="unhashable"):
            await untyped([])

    run(main())


def test_a_key_is_made_once_for_a_call(run: Run) -> None:
    asked = []

    def key(text):
        asked.append(text)
        return text.lower()

    async def main() -> None:
        source = Source(key=key)
        one, two, three = (source.call(text) for text in ("a", "A", "b"))
        await settle()
        assert asked == ["a", "A", "b"] and source.begun == 2
        await source.answer(1)
        await source.answer(2)
        assert (await one, await two, await three) == (1, 1, 2)
        assert asked == ["a", "A", "b"]
        assert source.function.cache_forget("B") and not source.function.cache_forget("B")
        assert source.function.cache_export() == [("a", 1)]

    run(main())


def test_an_argument_that_changes_while_it_is_computed_is_kept_as_it_was(run: Run) -> None:
    class Changing:
        number = 1

        def __hash__(self):
            return self.number

        def __eq__(self, other):
            return isinstance(other, Changing) and self.number == other.number

    async def main() -> None:
        source, argument = Source(), Changing()
        task = source.call(argument)
        await settle()
        argument.number = 2
        await source.answer("x")
        assert await task == "x"
        assert source.function.cache_info().currsize == 1
        source.function.cache_clear()
        assert not source.running and not (await source.calls(argument, 0))

    run(main())


def test_copies(run: Run) -> None:
    async def main() -> None:
        source = Source(copy=True)
        tasks = await source.calls(1, 3)
        made = [1, [2]]
        await source.answer(made)
        got = [await task for task in tasks]
        got.append(await source.function(1))
        got.append(await source.function(1))
        assert got[0] is made
        made[1].append(3)
        assert got[1:] == [[1, [2]]] * 4
        got[1][1].append(4)
        assert await source.function(1) == [1, [2]]
        tasks = await source.calls(2, 2)
        source.function.cache_clear()  # it is not kept, and still copied
        await source.answer(made)
        assert await tasks[0] is made and await tasks[1] is not made

    run(main())


def test_a_copy_that_can_not_be_made_is_the_callers_exception(run: Run) -> None:
    def refuse(value):
        raise ZeroDivisionError

    async def main() -> None:
        source = Source(copy=refuse)
        one, two = await source.calls(1, 2)
        await source.answer("x")
        with pytest.raises(ZeroDivisionError):
            await one
        await source.answer("y")
        with pytest.raises(ZeroDivisionError):
            await two
        assert source.function.cache_info().currsize == 0

    run(main())


def test_a_time_limit(run: Run) -> None:
    async def main() -> None:
        source = Source(ttl=1e-9)
        for value in "ab":
            task = source.call(1)
            await settle()
            await source.answer(value)
            assert await task == value
        assert source.function.cache_info().misses == 2

    run(main())


def test_the_least_recently_used_goes(run: Run) -> None:
    async def main() -> None:
        @fettle.cache(maxsize=2, policy="lru")
        async def made(x):
            return object()

        one = await made(1)
        two = await made(2)
        assert await made(1) is one
        await made(3)
        assert await made(1) is one and await made(2) is not two
        assert made.cache_info().evictions == 2

    run(main())


def test_the_curve(run: Run) -> None:
    """A call that waits comes back to the key; one that fails, or has it first, does not."""

    async def main() -> None:
        source = Source(curve=True, maxsize=2)
        tasks = await source.calls(1, 3)
        await source.refuse(ValueError())
        assert isinstance(tasks[0].exception(), ValueError)
        await source.answer("x")
        other = source.call(2)
        await settle()
        await source.answer("y")
        assert (await other, await source.function(1), await source.function(2)) == ("y", "x", "y")
        curve = source.function.cache_curve()
        assert (curve.calls, curve.distinct) == (6, 2)
        assert [curve.hits(size) for size in (0, 1, 2)] == [0, 1, 3]

    run(main())


def test_nothing_is_kept_with_maxsize_0(run: Run) -> None:
    async def main() -> None:
        source = Source(maxsize=0)
        tasks = await source.calls([], 2)  # needs no hash, as with lru_cache
        assert len(source.running) == 2
        await source.answer(1)
        await source.answer(2)
        assert [await task for task in tasks] == [1, 2]
        info = source.function.cache_info()
        assert (info.hits, info.misses, info.currsize) == (0, 2, 0)

    assert inspect.iscoroutinefunction(fettle.cache(maxsize=0)(doubled.__wrapped__))
    run(main())


def test_with_wait_false_who_misses_computes(run: Run) -> None:
    async def main() -> None:
        source = Source(wait=False)
        one, two = await source.calls(1, 2)
        await source.answer("x")
        await source.answer("y")
        assert (await one, await two) == ("x", "y")
        assert await source.function(1) == "x"  # the first that was there
        assert source.function.cache_info()[:2] == (1, 2)

    run(main())


def test_generators_are_refused() -> None:
    async def numbers():
        yield 1

    @types.coroutine
    def old():
        yield

    for function in (numbers, old):
        with pytest.raises(TypeError, match="generator function"):
            fettle.cache(function)


def test_a_partial_of_a_coroutine_function(run: Run) -> None:
    made = fettle.cache(functools.partial(doubled.__wrapped__, y=7))

    async def main() -> None:
        assert await made(1) is await made(1)
        assert await made(1) == [9]

    run(main())


# ---- in classes ----


def test_methods_keep_their_results_in_the_instance(run: Run) -> None:
    async def main() -> None:
        a, b = Shop("a"), Shop("b")
        assert await a.price("tea") == ("a", "tea", "euro")
        assert await a.price("tea") is await a.price("tea")
        assert await b.price("tea") == ("b", "tea", "euro")
        assert await Shop.price(a, "tea") is await a.price("tea")
        assert await a.price("tea", currency="yen") == ("a", "tea", "yen")
        assert a.calls == ["tea", "tea"] and b.calls == ["tea"]
        results = await asyncio.gather(*(a.price("milk") for _ in range(5)))
        assert len(set(map(id, results))) == 1 and a.calls == ["tea", "tea", "milk"]
        assert Shop.price.cache_info(a).currsize == 3 and Shop.price.cache_info(b).currsize == 1
        assert (Shop.price.cache_info(a).misses, Shop.price.cache_info(b).misses) == (3, 1)
        assert Shop.price.cache_info(a).waited == 4
        assert Shop.price.cache_forget(a, "milk") and not Shop.price.cache_forget(a, "milk")
        assert dict(Shop.price.cache_export(b)) == {"tea": ("b", "tea", "euro")}
        Shop.price.cache_load(b, {"salt": 1})
        assert await b.price("salt") == 1
        Shop.price.cache_clear(a)
        assert Shop.price.cache_info(a).currsize == 0 and Shop.price.cache_info(b).currsize == 2
        Shop.price.cache_clear()
        assert Shop.price.cache_info().currsize == 0

    run(main())


def test_an_instance_dies_with_its_results(run: Run) -> None:
    async def main() -> None:
        shop = Shop("a")
        await asyncio.gather(*(shop.price(i % 3) for i in range(30)))
        gone = weakref.ref(shop)
        del shop
        gc.collect()
        assert gone() is None
        one = Slotted()
        assert await one.me(1) is await one.me(1)
        gone = weakref.ref(one)
        del one
        gc.collect()
        assert gone() is None
        with pytest.raises(TypeError, match="__fettle__"):
            await Closed().me(1)

    run(main())


def test_slots_makes_room_for_them(run: Run) -> None:
    @fettle.slots
    class Point:
        def __init__(self):
            self.x = 1

        @fettle.cache
        async def me(self):
            return object()

    async def main() -> None:
        point = Point()
        assert await point.me() is await point.me()
        assert not hasattr(point, "__dict__")

    run(main())


def test_equal_instances_do_not_wait_for_each_other(run: Run) -> None:
    class Equal:
        def __eq__(self, other):
            return True

        def __hash__(self):
            return 1

        @fettle.cache
        async def me(self):
            await asyncio.sleep(0)
            return id(self)

    async def main() -> None:
        one, two = Equal(), Equal()
        assert await asyncio.gather(one.me(), two.me()) == [id(one), id(two)]

    # Its name has <locals> in it only before the class: it is a method all the same.
    assert Equal.me.__qualname__.endswith("Equal.me")
    run(main())


def test_class_and_static_methods_and_properties(run: Run) -> None:
    class Other(Shop):
        pass

    async def main() -> None:
        shop = Shop("a")
        for kind in ("kind", "kind_too"):
            assert await getattr(shop, kind)(1) is await getattr(Shop, kind)(1)
            assert (await getattr(Other, kind)(1))[:2] == (Other, 1)
            assert (await getattr(Shop, kind)(1))[:2] == (Shop, 1)
        assert await shop.size(1) is await Shop.size(1)
        assert await shop.owner is await shop.owner
        assert shop.calls == ["owner"] and (await Shop("b").owner)[0] == "b"

    run(main())


# ---- loops ----


def test_without_a_loop_of_asyncios() -> None:
    calls = []

    @types.coroutine
    def pause():
        return (yield "paused")

    @fettle.cache
    async def function(x):
        calls.append(x)
        return await pause()

    one, two = function(1), function(1)
    assert one.send(None) == two.send(None) == "paused"
    with pytest.raises(StopIteration) as ended:
        one.send("a")
    assert ended.value.value == "a"
    with pytest.raises(StopIteration) as ended:
        two.send("b")
    assert ended.value.value == "b" and calls == [1, 1]
    with pytest.raises(StopIteration) as ended:
        function(1).send(None)
    assert ended.value.value == "a" and function.cache_info()[:2] == (1, 2)


def test_each_loop_computes_for_itself() -> None:
    both = threading.Barrier(2, timeout=60)
    calls, results = [], []

    @fettle.cache
    async def function(x):
        calls.append(threading.get_ident())
        both.wait()  # two computations are under way, or this breaks
        return len(calls)

    def work():
        results.append(asyncio.run(function(1)))

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(calls)) == 2 and len(results) == 2
    assert asyncio.run(function(1)) in results and len(calls) == 2


def test_many_loops_at_once() -> None:
    @fettle.cache(maxsize=16)
    async def function(x):
        await asyncio.sleep(0)
        return x * x

    async def work(seed):
        dice = random.Random(seed)
        for _ in range(60):
            numbers = [dice.randrange(40) for _ in range(20)]
            assert await asyncio.gather(*map(function, numbers)) == [x * x for x in numbers]
            if dice.random() < 0.1:
                function.cache_clear()

    failed = []

    def run_it(seed):
        try:
            asyncio.run(work(seed))
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=run_it, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []


def test_a_loop_that_ended_in_the_midst_of_it_holds_nobody_up() -> None:
    calls = []

    @fettle.cache
    async def function(x):
        calls.append(x)
        if len(calls) == 1:
            await asyncio.Event().wait()
        return "x"

    async def leaves():
        tasks = [asyncio.create_task(function(1)) for _ in range(3)]
        await settle()
        assert not tasks[0].done()

    run_in("plain", _left(leaves))
    assert run_in("plain", function(1)) == "x" and len(calls) == 2


async def _left(main):
    await main()
    for task in asyncio.all_tasks() - {asyncio.current_task()}:
        task.cancel()


@pytest.mark.filterwarnings("ignore")  # of tasks that are destroyed: the loop was left before
def test_a_loop_that_was_closed_in_the_midst_of_it() -> None:
    calls = []

    @fettle.cache
    async def function(x):
        calls.append(x)
        if len(calls) == 1:
            await asyncio.Event().wait()
        return "x"

    loop = asyncio.new_event_loop()
    loop.set_exception_handler(lambda loop, context: None)
    tasks = [loop.create_task(function(1)) for _ in range(3)]
    loop.run_until_complete(settle())
    assert calls == [1]
    loop.close()
    assert asyncio.run(function(1)) == "x"
    gone = weakref.ref(loop)
    del loop, tasks
    gc.collect()
    assert gone() is None


def test_shutting_down_begins_nothing(run: Run) -> None:
    async def main() -> None:
        source = Source()
        await source.calls(1, 5)
        assert source.begun == 1
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()
        await settle()
        assert source.begun == 1 and not source.running

    run(main())


# ---- nothing is left ----


class Thing:
    def __init__(self, number):
        self.number = number

    def __hash__(self):
        return self.number

    def __eq__(self, other):
        return self.number == other.number


class Failure(Exception):
    pass


async def rounds(alive, number):
    """Results, exceptions and cancellations; what they are about is put into a weak set."""

    def noted(thing):
        alive.add(thing)
        return thing

    @fettle.cache(maxsize=1)
    async def function(thing):
        await asyncio.sleep(0)
        if thing.number % 3 == 1:
            raise noted(Failure())
        return noted(Thing(thing.number + 10_000))

    for each in range(number):
        thing = noted(Thing(each))
        tasks = [asyncio.create_task(function(thing)) for _ in range(3)]
        await asyncio.sleep(0)
        for task in tasks if each % 5 == 0 else [tasks[each % 3]]:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    del thing, tasks, task
    await settle()
    return function


def test_flights_leave_nothing(run: Run) -> None:
    async def main() -> None:
        alive = weakref.WeakSet()
        gc.collect()
        gc.disable()  # references alone must do it
        try:
            function = await rounds(alive, 1500)
            assert len(alive) == 2  # what is kept, and its argument
            function.cache_clear()
            assert len(alive) == 0
        finally:
            gc.enable()

    run(main())


def test_a_task_that_lives_on_keeps_no_more_than_its_context(run: Run) -> None:
    async def main() -> None:
        stop, tasks = asyncio.Event(), []

        @fettle.cache(maxsize=1)
        async def function(thing):
            tasks.append(asyncio.create_task(stop.wait()))
            return Thing(thing.number)

        thing = Thing(1)
        result = await function(thing)
        gone = [weakref.ref(thing), weakref.ref(result)]
        del thing, result
        function.cache_clear()
        await settle()
        gc.collect()
        assert [reference() for reference in gone] == [None, None]
        stop.set()
        await asyncio.gather(*tasks)

    run(main())


def test_objects_do_not_add_up(run: Run) -> None:
    async def main() -> None:
        @fettle.cache(maxsize=8)
        async def function(x):
            await asyncio.sleep(0)
            return x

        async def some():
            for x in range(2000):
                await asyncio.gather(function(x), function(x))
            await settle()
            gc.collect()
            return len(gc.get_objects())

        await some()
        before = await some()
        assert await some() - before < 1000  # asyncio keeps some cancelled timers for a while

    run(main())
