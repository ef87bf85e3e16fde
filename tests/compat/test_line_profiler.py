# SPDX-License-Identifier: Apache-2.0
"""fettle.compat.line_profiler.LineProfiler: what is decorated does as it did, and each line has the
hits it has by construction."""

import asyncio
import functools
import gc
import inspect
import random
import sys
import threading
import time
import types
import weakref

import pytest
from fettle.compat.line_profiler import LineProfiler


def hits(profile, function):
    """{line: hits} of a function, lines counted from its first, without those that never ran."""
    code = inspect.unwrap(function).__code__
    key = code.co_filename, code.co_firstlineno, code.co_qualname
    return {line - key[1]: count for line, count, _ in profile.get_stats().timings[key]}


# ---- hits ----


def triangle(size):
    total = 0
    for number in range(size):
        for _ in range(number):
            total += 1
    if size < 0:
        return None
    return total


def test_lines_are_counted():
    profile = LineProfiler()
    assert profile(triangle)(10) == 45
    assert hits(profile, triangle) == {1: 1, 2: 11, 3: 10 + 45, 4: 45, 5: 1, 7: 1}


def test_each_call_adds_up():
    profile = LineProfiler()
    wrapped = profile(triangle)
    wrapped(3)
    first = hits(profile, triangle)
    for _ in range(4):
        wrapped(3)
    assert hits(profile, triangle) == {line: 5 * count for line, count in first.items()}


def test_recursion():
    profile = LineProfiler()

    @profile
    def sum_to(number):
        if number == 0:
            return 0
        return number + sum_to(number - 1)

    assert sum_to(20) == 210
    assert hits(profile, sum_to) == {2: 21, 3: 1, 4: 20}


def test_the_times_of_a_function_are_not_more_than_what_passed():
    """Recursion must not count a moment twice."""
    profile = LineProfiler()

    @profile
    def nap(depth):
        time.sleep(0.001)
        if depth:
            nap(depth - 1)

    start = time.perf_counter_ns()
    nap(10)
    passed = time.perf_counter_ns() - start
    [rows] = profile.get_stats().timings.values()
    assert 11_000_000 <= sum(spent for *_, spent in rows) <= passed


def test_only_what_was_added_and_only_while_it_is_on():
    profile = LineProfiler()
    profile.add_function(triangle)
    triangle(5)
    assert hits(profile, triangle) == {}
    with profile:
        triangle_of_three()
    triangle(5)
    assert hits(profile, triangle) == {1: 1, 2: 4, 3: 3 + 3, 4: 3, 5: 1, 7: 1}
    assert len(profile.get_stats().timings) == 1


def triangle_of_three():
    return triangle(3)


def test_anonymous_code_of_a_function_is_not_its_own():
    profile = LineProfiler()

    @profile
    def numbers():
        return sorted(
            range(3),
            key=lambda n: (
                -n  # a line of nothing but the lambda
            ),
        )

    assert numbers() == [2, 1, 0]
    found = hits(profile, numbers)
    assert found
    assert 5 not in found


def test_functions_of_one_shape_are_told_apart():
    """Codes that are equal, file and all, but of functions that are not."""
    source = "def work(n):\n    for _ in range(n):\n        pass\n"
    functions, profiles = [], []
    for file in ("one.py", "one.py", "two.py"):
        names = {}
        exec(compile(source, file, "exec"), names)
        functions.append(names["work"])
        profiles.append(LineProfiler(names["work"]))
    both = LineProfiler(functions[0], functions[2])
    for profile in (*profiles, both):
        profile.enable()
    for count, function in enumerate(functions):
        function(10 * (count + 1))
    for profile in (*profiles, both):
        profile.disable()
    found = [{key[0]: rows[-1][1] for key, rows in p.get_stats().timings.items()} for p in profiles]
    assert found == [{"one.py": 10}, {"one.py": 20}, {"two.py": 30}]
    assert {k[0]: rows[-1][1] for k, rows in both.get_stats().timings.items()} == {
        "one.py": 10,
        "two.py": 30,
    }


def test_two_profilers_each_see_their_own_span():
    one, two = LineProfiler(), LineProfiler()
    first = one(triangle)
    second = two(first)
    first(1)
    second(3)
    assert second.__line_profiler_id__.func is triangle
    assert hits(one, triangle)[1] == 2
    assert hits(two, triangle)[1] == 1


def test_a_generator_that_was_made_before_the_profiler_was_ever_on():
    def numbers():
        for number in range(3):
            yield 2 * number

    profile = LineProfiler(numbers)
    generator = numbers()
    with profile:
        assert list(generator) == [0, 2, 4]
    assert hits(profile, numbers) == {1: 4, 2: 3}


@pytest.mark.parametrize("times", [2, 9, 20])
def test_a_function_that_many_profilers_have(times):
    def work(number):
        return [number]

    profiles = [LineProfiler() for _ in range(times)]
    for profile in profiles:
        work = profile(work)
    assert work(1) == [1]
    assert [hits(profile, work) for profile in profiles] == [{1: 1}] * times
    lines = {line for *_, line in inspect.unwrap(work).__code__.co_lines() if line}
    assert max(lines) - min(lines) == 1


def test_threads():
    profile = LineProfiler()
    wrapped = profile(triangle)
    threads = [threading.Thread(target=wrapped, args=(20,)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert hits(profile, triangle)[4] == 8 * 190
    assert profile.enable_count == 0


def test_a_thread_that_switches_off_leaves_it_on_for_others():
    profile = LineProfiler(triangle)
    profile.enable_by_count()

    def other():
        assert profile.enable_count == 0
        with profile:
            assert profile.enable_count == 1

    thread = threading.Thread(target=other)
    thread.start()
    thread.join()
    triangle(2)
    profile.disable_by_count()
    assert hits(profile, triangle)[1] == 1


def test_on_and_off_without_counting():
    profile = LineProfiler(triangle)
    profile.disable()
    profile.enable()
    profile.enable()  # it is on
    triangle(1)
    profile.disable()
    triangle(1)
    assert hits(profile, triangle)[1] == 1


def test_runners():
    profile = LineProfiler(triangle)
    names = {"triangle": triangle}
    assert profile.runctx("result = triangle(4)", names, names) is profile
    assert names["result"] == profile.runcall(triangle, 4) == 6
    with pytest.raises(ZeroDivisionError):
        profile.runctx("1 / 0", {}, {})
    assert profile.enable_count == 0
    assert hits(profile, triangle)[1] == 2


def test_where_we_are():
    profile = LineProfiler()

    @profile
    def here():
        return profile.last_time

    with pytest.raises(KeyError):
        _ = profile.last_time
    found = here()
    code = here.__wrapped__.__code__
    assert found == {code: {"f_lineno": code.co_firstlineno + 2}}
    assert profile.last_time == {}


# ---- what is decorated does as it did ----


def counter(limit):
    """Tells what it is sent and what is thrown into it, and says so when it ends."""
    log = []
    try:
        while len(log) < limit:
            try:
                log.append((yield len(log)))
            except KeyError as error:
                log.append(error.args)
    finally:
        log.append("end")
        ENDED.append(list(log))
    return log


ENDED = []


def drive(generator, steps):
    """What happens at each step."""
    happened = []
    for step, value in steps:
        try:
            happened.append(("gave", getattr(generator, step)(*value)))
        except StopIteration as end:
            happened.append(("returned", end.value))
        except BaseException as error:
            happened.append((type(error).__name__, str(error)))
    return happened


@pytest.mark.parametrize("seed", range(30))
def test_a_generator(seed):
    dice = random.Random(seed)
    choices = [
        ("__next__", ()),
        ("send", (7,)),
        ("throw", (KeyError("k"),)),
        ("throw", (ValueError("v"),)),
        ("throw", (GeneratorExit(),)),
        ("close", ()),
    ]
    steps = [
        ("__next__", ()),
        *dice.choices(choices, weights=[4, 4, 4, 1, 1, 1], k=dice.randrange(12)),
    ]
    limit = dice.randrange(8)
    ENDED.clear()
    expected = drive(counter(limit), steps), list(ENDED)
    ENDED.clear()
    profile = LineProfiler()
    assert (drive(profile(counter)(limit), steps), list(ENDED)) == expected
    assert profile.enable_count == 0


async def async_counter(limit):
    log = []
    try:
        while len(log) < limit:
            try:
                log.append((yield len(log)))
                await asyncio.sleep(0)
            except KeyError as error:
                log.append(error.args)
    finally:
        await asyncio.sleep(0)
        ENDED.append(list(log))


async def drive_async(generator, steps):
    happened = []
    for step, value in steps:
        try:
            happened.append(await getattr(generator, step)(*value))
        except (Exception, StopAsyncIteration, GeneratorExit) as error:
            happened.append((type(error).__name__, str(error)))
    await generator.aclose()
    return happened


@pytest.mark.parametrize("seed", range(30))
def test_an_async_generator(seed):
    dice = random.Random(seed)
    thrown = (KeyError("k"), GeneratorExit())
    choices = [("asend", (7,)), ("aclose", ()), *(("athrow", (error,)) for error in thrown)]
    steps = [("asend", (None,)), *dice.choices(choices, weights=[4, 1, 3, 1], k=dice.randrange(9))]
    limit = dice.randrange(8)
    ENDED.clear()
    expected = asyncio.run(drive_async(async_counter(limit), steps)), list(ENDED)
    ENDED.clear()
    profile = LineProfiler()
    wrapped = profile(async_counter)
    assert (asyncio.run(drive_async(wrapped(limit), steps)), list(ENDED)) == expected
    assert profile.enable_count == 0


def test_a_coroutine():
    profile = LineProfiler()

    @profile
    async def double(number):
        await asyncio.sleep(0)
        return 2 * number

    async def several():
        return await asyncio.gather(*(double(n) for n in range(5)))

    assert asyncio.run(several()) == [0, 2, 4, 6, 8]
    assert hits(profile, double) == {2: 5, 3: 5}
    assert profile.enable_count == 0


KINDS = {
    "function": (lambda: triangle, inspect.isfunction),
    "generator": (lambda: counter, inspect.isgeneratorfunction),
    "async generator": (lambda: async_counter, inspect.isasyncgenfunction),
    "coroutine": (lambda: drive_async, inspect.iscoroutinefunction),
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_function_keeps_its_kind_and_what_is_said_of_it(kind):
    make, is_such = KINDS[kind]
    function = make()
    wrapped = LineProfiler()(function)
    assert wrapped is not function
    assert is_such(wrapped)
    assert wrapped.__wrapped__ is function
    assert inspect.signature(wrapped) == inspect.signature(function)
    for name in functools.WRAPPER_ASSIGNMENTS:
        assert getattr(wrapped, name, None) == getattr(function, name, None)


class Account:
    """One of everything that a class can hold."""

    def __init__(self, balance):
        self._balance = balance

    @property
    def balance(self):
        "What there is."
        return self._balance

    @balance.setter
    def balance(self, value):
        self._balance = value

    @functools.cached_property
    def doubled(self):
        return 2 * self._balance

    @classmethod
    def empty(cls):
        return cls(0)

    @staticmethod
    def sum(*accounts):
        return sum(account.balance for account in accounts)

    def add(self, amount):
        self.balance += amount
        return self.balance

    add_one = functools.partialmethod(add, 1)

    class Inner:
        def answer(self):
            return 42


def use(kind):
    account = kind.empty()
    account.balance = 5
    results = [account.add(2), account.add_one(), account.doubled, account.balance]
    results += [kind.sum(account, account), kind.Inner().answer(), vars(account)]
    return results


def fresh_class():
    source = inspect.getsource(Account)
    names = {"functools": functools, "__name__": __name__}
    exec(compile(source, "account.py", "exec"), names)
    return names["Account"]


@pytest.mark.parametrize("how", ["decorate", "add_class"])
def test_a_class(how):
    kind, profile = fresh_class(), LineProfiler()
    before = {name: type(member) for name, member in vars(kind).items()}
    if how == "decorate":
        assert profile(kind) is kind
    else:
        profile.add_class(kind, wrap=True)
    assert {name: type(member) for name, member in vars(kind).items()} == before
    assert use(kind) == use(Account)
    assert kind.balance.__doc__ == "What there is."
    names = {key[2] for key, rows in profile.get_stats().timings.items() if rows}
    functions = ("__init__", "balance", "doubled", "empty", "sum", "add", "Inner.answer")
    assert names == {f"Account.{name}" for name in functions}


def test_what_has_no_lines_is_returned_as_it_is():
    profile = LineProfiler()
    for thing in (len, "text".split, str.join, vars(dict)["fromkeys"]):
        assert profile(thing) is thing
    with pytest.raises(TypeError, match="functions"):
        profile("text")
    with pytest.warns(UserWarning, match="code object"):
        profile.add_function(len)
    assert profile.functions == []


def test_a_callable_object():
    class Doubler:
        def __call__(self, number):
            return 2 * number

    profile = LineProfiler()
    assert profile(Doubler())(21) == 42
    assert hits(profile, Doubler.__call__) == {1: 1}


def test_a_module_is_searched_once_and_no_further():
    module = types.ModuleType("shop")
    exec(
        "import json\nfrom json import loads\ndef sell(): pass\nalso = sell\n"
        "class Till:\n    def ring(self): pass\n    back = sell\n",
        vars(module),
    )
    module.itself = module
    profile = LineProfiler()
    assert profile.add_module(module) == 2  # sell, and Till
    assert {f.__qualname__ for f in profile.functions} == {"sell", "Till.ring"}


def test_a_wrapper_that_can_not_begin_does_not_stay_on(monkeypatch):
    profile = LineProfiler()
    wrapped = profile(triangle)

    class Refusing:
        def start(self):
            raise RuntimeError("no hook is free")

    with monkeypatch.context() as context:
        context.setattr(profile, "_recorder", Refusing())
        with pytest.raises(RuntimeError):
            wrapped(1)
    assert profile.enable_count == 0
    wrapped(1)
    assert hits(profile, triangle)[1] == 1


def test_profilers_go_away_and_functions_too():
    def work():
        return 1

    profile = LineProfiler()
    profile(work)()
    gone = weakref.ref(profile), weakref.ref(work)
    del profile, work
    gc.collect()
    assert [reference() for reference in gone] == [None, None]


@pytest.mark.skipif(sys.version_info < (3, 12), reason="a code of its own is what 3.11 records")
def test_one_function_keeps_its_code():
    def only_here(number):
        return [number] * 17

    code = only_here.__code__
    LineProfiler(only_here)
    assert only_here.__code__ is code
