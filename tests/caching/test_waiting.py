# SPDX-License-Identifier: Apache-2.0
"""fettle.cache and threads: one computes, the others wait, and nobody waits who must not.

No test here tells by a time whether a thread waits: its key's __eq__ says that it has found who
computes, and a thread that has left __eq__ does not come back to Python code before it has waited.
"""

import _thread
import signal
import sys
import textwrap
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import fettle
import pytest

from .harness import LONG, Threads, run

FOR_EVER = 1e6  # seconds to wait: a test whose thread waits in vain does not end in time


class Key:
    """Equal by name; knows which threads have compared one."""

    compared: set[int]

    def __init__(self, name: object) -> None:
        self.name = name

    def __hash__(self) -> int:
        return 1

    def __eq__(self, other: object) -> bool:
        Key.compared.add(threading.get_ident())
        return isinstance(other, Key) and self.name == other.name


@pytest.fixture(autouse=True)
def fresh() -> None:
    Key.compared = set()


def until(condition: Callable[[], bool]) -> None:
    """Comes back when it is so; the deadline is for hangs alone."""
    end = time.monotonic() + LONG
    while not condition():
        assert time.monotonic() < end, "it never came to that"
        time.sleep(0.001)


def wait(threads: list[threading.Thread]) -> bool:
    """Does each of them wait for a result?"""
    frames = sys._current_frames()
    codes = {ident: frame.f_code for ident, frame in frames.items()}
    frames.clear()  # this frame is among them: a cycle
    return all(
        thread.ident in Key.compared and codes[thread.ident] is not Key.__eq__.__code__
        for thread in threads
    )


class Slow:
    """A function that computes when it is told to, and counts."""

    def __init__(self, **options: Any) -> None:
        self.calls: list[int] = []  # who computed
        self.inside, self.go = threading.Event(), threading.Event()
        self.outcomes: list[Any] = []  # an exception for each call that is to fail
        self.cached = fettle.cache(**{"wait": FOR_EVER} | options)(self.compute)

    def compute(self, key: Key) -> Any:
        mine = len(self.calls)
        self.calls.append(threading.get_ident())
        self.inside.set()
        assert self.go.wait(LONG)
        if mine < len(self.outcomes) and self.outcomes[mine] is not None:
            raise self.outcomes[mine]
        return ["result", mine]

    def ask(self) -> Any:
        return self.cached(Key("k"))


OPTIONS: dict[str, dict[str, Any]] = {
    "plain": {},
    "typed": {"typed": True},
    "lru": {"policy": "lru", "maxsize": 1},
    "clock": {"policy": "clock", "maxsize": 3},
    "unbounded": {"maxsize": None},
    "ttl": {"ttl": 1000},
    "key": {"key": lambda key: Key(key.name)},
    "copy": {"copy": list},
}


@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
def test_one_computes(options: dict[str, Any]) -> None:
    slow = Slow(**options)
    owner = Threads([slow.ask])
    assert slow.inside.wait(LONG)
    others = Threads([slow.ask] * 7)
    until(lambda: wait(others.threads))
    slow.go.set()
    results = owner.join() + others.join()
    assert results == [["result", 0]] * 8
    assert len({id(result) for result in results}) == (8 if "copy" in options else 1)
    assert len(slow.calls) == 1
    info = slow.cached.cache_info()
    assert (info.hits, info.misses, info.waited, info.currsize) == (7, 1, 7, 1)
    slow.ask()
    assert slow.cached.cache_info()[:2] == (8, 1)


def test_one_computes_for_each_instance() -> None:
    class Owner:
        def __init__(self) -> None:
            self.slow = Slow()

        @fettle.cache(wait=FOR_EVER)
        def ask(self, key: Key) -> Any:
            return self.slow.compute(key)

    one, other = Owner(), Owner()
    first = Threads([lambda: one.ask(Key("k"))])
    assert one.slow.inside.wait(LONG)
    more = Threads([lambda: one.ask(Key("k"))] * 3)
    until(lambda: wait(more.threads))
    other.slow.go.set()
    assert other.ask(Key("k")) == ["result", 0]  # another instance's is another result
    one.slow.go.set()
    assert first.join() + more.join() == [["result", 0]] * 4
    assert (len(one.slow.calls), len(other.slow.calls)) == (1, 1)
    assert one.ask.cache_info()[:2] == (3, 1)
    assert one.ask.cache_info().waited == 3
    assert Owner.ask.cache_info()[:2] == (3, 2)


def test_one_instance_that_dies_while_it_is_computed() -> None:
    class Owner:
        @fettle.cache(wait=FOR_EVER)
        def ask(self, key: Key) -> Any:
            return slow.compute(key)

    slow, owners = Slow(), [Owner()]
    first = Threads([lambda: owners[0].ask(Key("k"))])
    assert slow.inside.wait(LONG)
    more = Threads([lambda: owners[0].ask(Key("k"))] * 3)
    until(lambda: wait(more.threads))
    owners.clear()
    slow.go.set()
    assert first.join() + more.join() == [["result", 0]] * 4
    assert Owner.ask.cache_info()[:4] == (3, 1, 1024, 0)


def test_other_keys_do_not_wait() -> None:
    slow = Slow()
    f = fettle.cache(wait=FOR_EVER)(lambda key: slow.compute(key) if key.name == "k" else "other")
    owner = Threads([lambda: f(Key("k"))])
    assert slow.inside.wait(LONG)
    assert f(Key("other")) == "other"  # of the same hash
    slow.go.set()
    assert owner.join() == [["result", 0]]


def test_an_exception_goes_to_one_and_the_next_computes() -> None:
    slow = Slow()
    slow.outcomes = [LookupError("first")]
    owner = Threads([slow.ask])
    assert slow.inside.wait(LONG)
    others = Threads([slow.ask] * 5)
    until(lambda: wait(others.threads))
    slow.go.set()
    assert str(owner.join()) == "[LookupError('first')]"
    assert others.join() == [["result", 1]] * 5
    assert len(slow.calls) == 2
    info = slow.cached.cache_info()
    assert info.misses == 2 and info.hits == 4


def test_each_gets_an_exception_of_its_own() -> None:
    slow = Slow()
    slow.outcomes = [LookupError(number) for number in range(5)]
    owner = Threads([slow.ask])
    assert slow.inside.wait(LONG)
    others = Threads([slow.ask] * 4)
    until(lambda: wait(others.threads))
    slow.go.set()
    ends = owner.join() + others.join()
    assert sorted(str(error) for error in ends) == ["0", "1", "2", "3", "4"]
    assert len(set(slow.calls)) == 5
    assert slow.cached.cache_info()[:4] == (0, 5, 1024, 0)


def test_a_base_exception_too() -> None:
    slow = Slow()
    slow.outcomes = [SystemExit(3)]
    owner = Threads([slow.ask])
    assert slow.inside.wait(LONG)
    others = Threads([slow.ask] * 2)
    until(lambda: wait(others.threads))
    slow.go.set()
    assert isinstance(owner.join()[0], SystemExit)
    assert others.join() == [["result", 1]] * 2


def test_a_copy_that_fails_wakes_the_next() -> None:
    fail = [True]

    def duplicate(result: list[Any]) -> list[Any]:
        if fail:
            raise ValueError(fail.pop())
        return list(result)

    slow = Slow(copy=duplicate)
    owner = Threads([slow.ask])
    assert slow.inside.wait(LONG)
    others = Threads([slow.ask] * 3)
    until(lambda: wait(others.threads))
    slow.go.set()
    assert str(owner.join()) == "[ValueError(True)]"
    assert others.join() == [["result", 1]] * 3


def test_clear_and_forget_while_they_wait() -> None:
    for change in ("cache_clear", "cache_forget"):
        Key.compared = set()
        slow = Slow()
        owner = Threads([slow.ask])
        assert slow.inside.wait(LONG)
        others = Threads([slow.ask] * 3)
        until(lambda others=others: wait(others.threads))  # type: ignore[misc]
        if change == "cache_clear":
            slow.cached.cache_clear()
        else:
            assert slow.cached.cache_forget(Key("k")) is False
        slow.go.set()
        assert owner.join() + others.join() == [["result", 0]] * 4


def test_what_is_loaded_meanwhile_is_there_for_who_comes() -> None:
    slow = Slow()
    owner = Threads([slow.ask])
    assert slow.inside.wait(LONG)
    slow.cached.cache_load([(Key("k"), "loaded")])
    assert slow.ask() == "loaded"
    slow.go.set()
    assert owner.join() == [["result", 0]]
    assert slow.ask() == "loaded"  # the first to come stays


# ---- nobody waits who must not ----


def test_nobody_waits_for_itself() -> None:
    depth = []

    @fettle.cache(wait=FOR_EVER)
    def f(x: int) -> int:
        depth.append(x)
        return f(x) + 1 if len(depth) < 5 else 0

    assert f(1) == 4
    assert f(1) == 0  # the first that was computed is kept
    assert f.cache_info()[:2] == (1, 5)


def test_who_computes_recursively_is_waited_for() -> None:
    slow = Slow()
    inner: list[Any] = []

    def compute(key: Key) -> Any:
        if not inner:
            inner.append(True)
            return ["outer", *cached(Key("k"))]
        return slow.compute(key)

    cached = fettle.cache(wait=FOR_EVER)(compute)
    owner = Threads([lambda: cached(Key("k"))])
    assert slow.inside.wait(LONG)
    others = Threads([lambda: cached(Key("k"))] * 3)
    until(lambda: wait(others.threads))
    slow.go.set()
    assert owner.join() == [["outer", "result", 0]]
    assert others.join() in ([["result", 0]] * 3, [["outer", "result", 0]] * 3)
    assert len(slow.calls) == 1


@pytest.mark.parametrize("count", [2, 3, 5])
def test_nobody_waits_in_a_circle(count: int) -> None:
    """Thread i computes function i, which asks for function i + 1, and so round."""
    everyone = threading.Barrier(count)
    deep = threading.local()
    functions: list[Any] = []

    def make(number: int) -> Any:
        @fettle.cache(wait=FOR_EVER)
        def f(x: int) -> tuple[int, ...]:
            if getattr(deep, "depth", 0) > 0:
                return (number,)
            deep.depth = 1
            everyone.wait(LONG)
            return (number, *functions[(number + 1) % count](x))

        return f

    functions += [make(number) for number in range(count)]
    threads = Threads([lambda f=f: f(1) for f in functions])  # type: ignore[misc]
    for number, result in enumerate(threads.join()):
        assert result[:2] == (number, (number + 1) % count)


def test_a_circle_through_two_keys_of_one_function() -> None:
    everyone = threading.Barrier(2)
    deep = threading.local()

    @fettle.cache(wait=FOR_EVER)
    def f(x: int) -> tuple[int, ...]:
        if getattr(deep, "depth", 0) > 0:
            return (x,)
        deep.depth = 1
        everyone.wait(LONG)
        return (x, *f(1 - x))

    ends = Threads([lambda: f(0), lambda: f(1)]).join()
    assert [end[:2] for end in ends] == [(0, 1), (1, 0)]


def test_a_chain_is_no_circle() -> None:
    """A waits for B, who waits for C, who computes: all end with C."""
    slow = Slow()
    begun = [threading.Event(), threading.Event()]

    @fettle.cache(wait=FOR_EVER)
    def b(key: Key) -> Any:
        begun[0].set()
        return ["b", *slow.cached(key)]

    @fettle.cache(wait=FOR_EVER)
    def a(key: Key) -> Any:
        begun[1].set()
        return ["a", *b(key)]

    first = Threads([slow.ask])
    assert slow.inside.wait(LONG)
    second = Threads([lambda: b(Key("k"))])
    until(lambda: wait(second.threads))
    third = Threads([lambda: a(Key("k"))])
    until(lambda: wait(third.threads))
    slow.go.set()
    assert first.join() == [["result", 0]]
    assert second.join() == [["b", "result", 0]]
    assert third.join() == [["a", "b", "result", 0]]
    assert len(slow.calls) == 1


@pytest.mark.parametrize("patience", [0.1, True], ids=["short", "default"])
def test_a_pools_task_that_asks_for_what_its_caller_computes(patience: float | bool) -> None:
    """Nothing here shows that the caller waits for the task: the task computes in the end."""
    asked = []
    with ThreadPoolExecutor(1) as pool:

        @fettle.cache(wait=patience)
        def f(x: int) -> str:
            asked.append(x)
            if len(asked) == 1:
                return "outer, " + pool.submit(f, x).result(LONG)
            return "inner"

        assert f(1) == "outer, inner"
        assert f(1) == "inner"


def test_a_lock_that_the_owner_waits_for() -> None:
    """The waiter has a lock that the owner needs, which nobody can see."""
    lock, inside, locked = threading.Lock(), threading.Event(), threading.Event()

    @fettle.cache(wait=0.05)
    def f(x: int) -> str:
        inside.set()
        if threading.current_thread() is not threading.main_thread():
            assert locked.wait(LONG)
            assert lock.acquire(timeout=LONG)
            lock.release()
        return threading.current_thread().name

    owner = Threads([lambda: f(1)])
    assert inside.wait(LONG)
    with lock:
        locked.set()
        mine = f(1)
    assert mine == threading.current_thread().name
    owner.join()
    assert f(1) == mine


@pytest.mark.parametrize("patience", [False, 0, 0.0])
def test_no_patience(patience: float | bool) -> None:
    together = threading.Barrier(4)

    @fettle.cache(wait=patience)
    def f(x: int) -> int:
        together.wait(LONG)
        return x

    assert Threads([lambda: f(1)] * 4).join() == [1] * 4
    assert f.cache_info()[:2] == (0, 4)
    assert f.cache_info().waited == 0


@pytest.mark.parametrize("patience", [1e-12, 1e-6, 0.001])
def test_hardly_any_patience(patience: float) -> None:
    slow = Slow(wait=patience)
    owner = Threads([slow.ask])
    assert slow.inside.wait(LONG)
    other = Threads([slow.ask])
    until(lambda: len(slow.calls) == 2)
    slow.go.set()
    assert sorted(owner.join() + other.join()) == [["result", 0], ["result", 1]]


def test_an_owner_at_work_is_waited_for_longer() -> None:
    """As the default does: for an owner that computes all the time, far past the first span."""
    from fettle.caching import decorator

    still, working = decorator.STILL, decorator.WORKING
    decorator.STILL, decorator.WORKING = 0.3, FOR_EVER
    try:
        make = fettle.cache()
    finally:
        decorator.STILL, decorator.WORKING = still, working
    calls, inside = [], threading.Event()

    def busy(key: Key) -> int:
        calls.append(key)
        inside.set()
        # The waiter is seen to wait, and then through many of its first spans.
        until(lambda: wait(others) if others else False)
        end = time.thread_time() + 1.2
        while time.thread_time() < end:
            pass
        return len(calls)

    others: list[threading.Thread] = []
    f = make(busy)
    owner = Threads([lambda: f(Key("k"))])
    assert inside.wait(LONG)
    waiters = Threads([lambda: f(Key("k"))])
    others += waiters.threads
    assert owner.join() + waiters.join() == [1, 1]


# ---- signals ----


def test_a_wait_can_be_interrupted() -> None:
    slow = Slow()
    owner = Threads([slow.ask])
    assert slow.inside.wait(LONG)
    main = threading.main_thread()

    def interrupt() -> None:
        until(lambda: wait([main]))
        signal.pthread_kill(main.ident or 0, signal.SIGINT)

    assert threading.current_thread() is main
    sender = Threads([interrupt])
    with pytest.raises(KeyboardInterrupt):
        slow.ask()
    sender.join()
    slow.go.set()
    assert owner.join() == [["result", 0]]
    assert slow.ask() == ["result", 0]
    assert len(slow.calls) == 1


def test_a_signal_that_another_thread_gets() -> None:
    """It wakes nobody where the main thread waits, nor does one that comes just before the wait."""
    slow = Slow()
    owner = Threads([slow.ask])
    assert slow.inside.wait(LONG)
    main = threading.main_thread()

    def send() -> None:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGUSR1])
        until(lambda: wait([main]))
        signal.pthread_kill(threading.get_ident(), signal.SIGUSR1)

    before = signal.signal(signal.SIGUSR1, lambda number, frame: slow.go.set())
    try:
        sender = Threads([send])
        assert slow.ask() == ["result", 0]
        sender.join()
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert owner.join() == [["result", 0]]
    assert len(slow.calls) == 1


def test_a_signal_handler_that_asks_too() -> None:
    """The wait goes on after it. What it asks for itself is waited for in the same way."""
    slow, other = Slow(), Slow()
    owner = Threads([slow.ask])
    assert slow.inside.wait(LONG)
    main, heard = threading.main_thread(), []

    def handler(number: int, frame: object) -> None:
        if len(heard) == 0:
            other.go.set()
            heard.append(other.ask())
        else:
            heard.append("again")
            slow.go.set()

    def send() -> None:
        until(lambda: wait([main]))
        for k in range(2):
            signal.pthread_kill(main.ident or 0, signal.SIGUSR1)
            until(lambda k=k: len(heard) == k + 1)  # type: ignore[misc]

    before = signal.signal(signal.SIGUSR1, handler)
    try:
        sender = Threads([send])
        assert slow.ask() == ["result", 0]
        sender.join()
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert heard == [["result", 0], "again"]
    assert owner.join() == [["result", 0]]
    assert slow.cached.cache_info().waited == 1


def test_a_signal_handler_that_asks_for_what_its_thread_waits_for() -> None:
    slow = Slow()
    owner = Threads([slow.ask])
    assert slow.inside.wait(LONG)
    main, heard = threading.main_thread(), []

    def handler(number: int, frame: object) -> None:
        if not heard:
            heard.append(1)
            heard.append(slow.ask())  # a second wait of this thread, inside of the first
        else:
            slow.go.set()

    def send() -> None:
        until(lambda: wait([main]))
        signal.pthread_kill(main.ident or 0, signal.SIGUSR1)
        until(lambda: len(heard) == 1 and wait([main]))
        signal.pthread_kill(main.ident or 0, signal.SIGUSR1)

    before = signal.signal(signal.SIGUSR1, handler)
    try:
        sender = Threads([send])
        assert slow.ask() == ["result", 0]
        sender.join()
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert heard == [1, ["result", 0]]
    assert owner.join() == [["result", 0]]
    assert len(slow.calls) == 1


# ---- threads and interpreters that end ----


@pytest.mark.parametrize("what", ["computes", "waits", "both"])
def test_the_interpreter_ends_meanwhile(what: str) -> None:
    program = f"""
    import fettle, threading, time
    inside = threading.Event()
    @fettle.cache(wait=1e6)
    def f(x):
        inside.set()
        time.sleep(1e6)
    class Late:
        def __del__(self):
            if {what == "both"}: f.cache_info()
    late = Late()
    threading.Thread(target=f, args=[1], daemon=True).start()
    assert inside.wait(60)
    if {what != "computes"}:
        for _ in range(3):
            threading.Thread(target=f, args=[1], daemon=True).start()
        time.sleep(0.05)
    print("end")
    """
    assert run(textwrap.dedent(program)) == "end\n"


def test_a_thread_that_is_no_threading_thread() -> None:
    slow = Slow()
    ends: list[Any] = []
    done = [threading.Event() for _ in range(3)]

    def ask(number: int) -> None:
        ends.append(slow.ask())
        done[number].set()

    _thread.start_new_thread(ask, (0,))
    assert slow.inside.wait(LONG)
    _thread.start_new_thread(ask, (1,))
    _thread.start_new_thread(ask, (2,))
    until(lambda: len(Key.compared) == 2)
    slow.go.set()
    assert all(event.wait(LONG) for event in done)
    assert ends == [["result", 0]] * 3


def test_threads_that_come_and_go() -> None:
    """Thread identities are used again; a mark of one that is gone is nobody's."""

    @fettle.cache(maxsize=4, wait=FOR_EVER)
    def f(x: int) -> int:
        if x % 7 == 3:
            raise LookupError(x)
        return x * x

    for number in range(300):
        ends = Threads([lambda number=number: f(number)] * 2).join()  # type: ignore[misc]
        if number % 7 == 3:
            assert all(isinstance(end, LookupError) for end in ends)
        else:
            assert ends == [number * number] * 2
