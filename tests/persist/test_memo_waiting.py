# SPDX-License-Identifier: Apache-2.0
"""Many ask for one result: it is computed once, whoever dies, stops, waits or is interrupted."""

import asyncio
import functools
import inspect
import os
import signal
import sys
import textwrap
import threading
import time
from pathlib import Path
from typing import Any

import fettle
import pytest
from fettle.caching import awaited
from fettle.caching import kept as keeping

from .memos import CALLS, LONG, Programs, Threads, said

SLOW = """
@memo
def slow(x):
    note(f"{x} {os.getpid()}")
    time.sleep(0.3)
    return x * 2
"""


def until(condition: Any) -> None:
    end = time.monotonic() + LONG
    while not condition():
        assert time.monotonic() < end, "it never happens"
        time.sleep(0.005)


# ---- threads ----


@pytest.mark.parametrize("several", [False, True])
def test_threads_compute_a_key_once(several: bool, memo: fettle.Memo, tmp_path: Path) -> None:
    def slow(x: int) -> list[int]:
        CALLS.append(x)
        time.sleep(0.1)
        return [x]

    memos = [memo, fettle.Memo(memo.path, max_bytes=10**9), fettle.Memo(memo.path, None)]
    link = tmp_path / "link"
    link.symlink_to(memo.path)
    memos.append(fettle.Memo(link))
    kept = [each(slow) for each in (memos if several else [memo])]
    ends = Threads([functools.partial(kept[i % len(kept)], 1) for i in range(8)]).join()
    assert ends == [[1]] * 8 and CALLS == [1]
    assert len({id(each) for each in ends}) == 8  # each has its own


def test_a_thread_that_fails_lets_the_next_one_try(memo: fettle.Memo) -> None:
    @memo
    def fails(x: int) -> int:
        CALLS.append(x)
        time.sleep(0.02)
        raise ValueError(len(CALLS))

    ends = Threads([lambda: fails(1)] * 4).join()
    assert sorted(end.args[0] for end in ends) == [1, 2, 3, 4] and len(CALLS) == 4


def test_results_that_can_not_be_kept_are_computed_by_each(memo: fettle.Memo) -> None:
    @memo
    def odd(x: int) -> Any:
        CALLS.append(x)
        time.sleep(0.02)
        return threading.Lock()

    with pytest.warns(fettle.caching.place.MemoWarning, match="can not be kept"):
        ends = Threads([lambda: odd(1)] * 4).join()
    assert len({id(end) for end in ends}) == len(CALLS) == 4


def test_wait_false_and_wait_seconds(memo: fettle.Memo) -> None:
    gate = threading.Event()

    def slow(x: int) -> int:
        CALLS.append(x)
        if len(CALLS) == 1:
            assert gate.wait(LONG)
        return x

    waits = memo(version=1)(slow)
    never, little = memo(version=1, wait=False)(slow), memo(version=1, wait=0.05)(slow)
    first = Threads([lambda: waits(1)])
    until(lambda: CALLS)
    assert never(1) == 1 and len(CALLS) == 2
    never.forget(1)
    assert little(1) == 1 and len(CALLS) == 3
    gate.set()
    assert first.join() == [1]


def test_a_function_that_calls_itself(memo: fettle.Memo) -> None:
    @memo
    def factorial(n: int) -> int:
        CALLS.append(n)
        return n * factorial(n - 1) if n else 1

    assert factorial(10) == 3628800 and len(CALLS) == 11
    assert factorial(10) == 3628800 and len(CALLS) == 11
    assert factorial(11) == 39916800 and len(CALLS) == 12
    CALLS.clear()
    memo.clear()
    assert Threads([lambda: factorial(30)] * 6).join() == [factorial(30)] * 6 and len(CALLS) == 31


def test_a_function_that_calls_itself_deeply(memo: fettle.Memo) -> None:
    """It comes nearly as deep as without being kept; each result is kept, and errors pass."""
    room = sys.getrecursionlimit() - len(inspect.stack()) - 350

    @memo
    def total(n: int) -> int:
        CALLS.append(n)
        if n < 0:
            raise ValueError(n)
        return n + total(n - 1) if n else 0

    assert total(room) == room * (room + 1) // 2 and len(CALLS) == room + 1
    assert total(room) == room + total(room - 1) and len(CALLS) == room + 1
    assert all(total.cached(n) for n in range(room)) and memo.stats().entries == room + 1
    total.clear()
    total.forget(0)

    @memo
    def fails(n: int) -> int:
        return int(fails(n - 1)) if n else int("no number")

    for _ in range(2):
        with pytest.raises(ValueError, match="no number"):
            fails(200)
    assert not fails.cached(100)


def test_functions_that_call_each_other(memo: fettle.Memo) -> None:
    other = fettle.Memo(memo.path, max_bytes=10**9)

    @memo
    def even(n: int) -> bool:
        CALLS.append(n)
        return n == 0 or odd(n - 1)

    @other
    def odd(n: int) -> bool:
        CALLS.append(n)
        return n != 0 and even(n - 1)

    assert Threads([lambda: even(20), lambda: odd(19)] * 3).join() == [True] * 6
    assert sorted(CALLS) == list(range(21))


@pytest.mark.parametrize("folders", [1, 2])
def test_threads_that_wait_in_a_circle(folders: int, memo: fettle.Memo, tmp_path: Path) -> None:
    """Each computes what the next one needs: somebody computes twice, nobody hangs."""
    count = 3
    meet = threading.Barrier(count)
    depth = threading.local()
    memos = [memo, fettle.Memo(tmp_path / "other") if folders == 2 else memo]

    def step(n: int) -> int:
        CALLS.append(n)
        if getattr(depth, "deep", False):
            return 100
        depth.deep = True
        meet.wait(LONG)
        return int(kept[(n + 1) % count]((n + 1) % count)) + 1

    kept = [memos[n % 2](version=n)(step) for n in range(count)]
    ends = Threads([functools.partial(kept[n], n) for n in range(count)]).join()
    assert all(end in (101, 102, 103) for end in ends), ends


def test_threads_that_begin_to_wait_for_each_other_at_once(memo: fettle.Memo) -> None:
    depth = threading.local()

    def step(n: int) -> int:
        if getattr(depth, "deep", False):
            return 100
        depth.deep = True
        meet.wait(LONG)
        try:
            return int(kept(n ^ 1)) + 1
        finally:
            depth.deep = False

    kept = memo(version=1)(step)
    for number in range(0, 400, 2):
        meet = threading.Barrier(2)
        calls = [functools.partial(kept, n) for n in (number, number + 1)]
        assert all(end in (101, 102) for end in Threads(calls).join())


# ---- Ctrl-C ----


def interrupted_in(seconds: float, call: Any) -> None:
    main = threading.main_thread().ident
    assert main is not None
    timer = threading.Timer(seconds, signal.pthread_kill, [main, signal.SIGINT])
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        call()
    timer.join()


def test_ctrl_c_while_computing_and_while_waiting(memo: fettle.Memo) -> None:
    gate = threading.Event()

    @memo
    def slow(x: int) -> int:
        CALLS.append(x)
        assert gate.wait(LONG)
        return x

    interrupted_in(0.1, lambda: slow(1))
    other = Threads([lambda: slow(1)])  # the key is free again
    until(lambda: len(CALLS) == 2)
    interrupted_in(0.1, lambda: slow(1))
    assert len(CALLS) == 2
    gate.set()
    assert other.join() == [1] and slow(1) == 1 and len(CALLS) == 2


class Claimed:
    """In place of a store: another process has the claim on every key."""

    def __init__(self) -> None:
        self.waiting: list[bool] = []

    def claim(self, key: bytes) -> int:
        return keeping.OTHERS

    def waits(self, is_so: bool) -> None:
        self.waiting.append(is_so)

    def release(self, key: bytes) -> None:
        pass


@pytest.mark.parametrize("is_async", [False, True])
def test_who_was_interrupted_waits_no_more_while_somebody_has_the_exception(
    is_async: bool, memo: fettle.Memo, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def later(x: int) -> int:
        return x

    def interrupt(seconds: float) -> None:
        raise KeyboardInterrupt

    store = Claimed()
    kept = (memo(later) if is_async else memo(lambda x: x)).handle
    monkeypatch.setattr(kept.place, "store", store)
    monkeypatch.setattr(keeping, "sleep", interrupt)
    monkeypatch.setattr(asyncio, "sleep", interrupt)
    with pytest.raises(KeyboardInterrupt) as caught:
        if is_async:
            awaited._alone_here(kept, b"key", (1,), None).send(None)
        else:
            kept._alone_here(b"key", (1,), None)
    assert store.waiting == [True, False], caught


def test_ctrl_c_at_any_moment(memo: fettle.Memo) -> None:
    """No key stays taken: others need not wait for who is gone."""

    @memo(version=1)
    def quick(x: int) -> int:
        return x

    armed: list[int] = []

    def stop(*unused: object) -> None:
        if armed:
            raise KeyboardInterrupt(armed.pop())

    interrupts = 0
    before = signal.signal(signal.SIGALRM, stop)
    try:
        for number in range(1500):
            try:
                armed.append(number)
                signal.setitimer(signal.ITIMER_REAL, 1e-6 + number % 150 * 1e-6)
                for again in range(3):
                    quick(number * 3 + again)
                armed.clear()
            except KeyboardInterrupt:
                interrupts += 1
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    keys = range(4500)
    assert Threads([lambda: [quick(key) for key in keys]]).join() == [list(keys)]
    assert interrupts > 20


# ---- processes ----


def test_processes_compute_a_key_once(programs: Programs) -> None:
    started = [programs.start(SLOW + "print(slow(1), slow(2))") for _ in range(8)]
    for process in started:
        assert said(process) == ["2 4"]
    assert sorted(note.split()[0] for note in programs.notes) == ["1", "2"]


def test_another_takes_over_who_is_killed(programs: Programs) -> None:
    text = SLOW.replace("0.3", "0.3 if os.environ.get('QUICK') else 1000") + "print(slow(1))"
    first = programs.start(text)
    until(lambda: programs.notes)
    others = [programs.start(text, QUICK="1") for _ in range(3)]
    time.sleep(0.5)
    assert all(other.poll() is None for other in others)
    first.kill()
    for other in others:
        assert said(other) == ["2"]
    assert len(programs.notes) == 2


def test_nobody_waits_for_who_is_stopped(programs: Programs) -> None:
    text = SLOW.replace("0.3", "0 if os.environ.get('QUICK') else 1000") + "print(slow(1))"
    first = programs.start(text)
    until(lambda: programs.notes)
    first.send_signal(signal.SIGSTOP)
    try:
        assert said(programs.start(text, QUICK="1")) == ["2"]
    finally:
        first.send_signal(signal.SIGCONT)


@pytest.mark.parametrize("wait", ["False", "0.3"])
def test_processes_that_do_not_wait(wait: str, programs: Programs) -> None:
    text = SLOW.replace("0.3", "0 if os.environ.get('QUICK') else 1000") + "print(slow(1))"
    programs.start(text)
    until(lambda: programs.notes)
    text = text.replace("@memo", f"@memo(wait={wait})")
    assert said(programs.start(text, QUICK="1")) == ["2"] and len(programs.notes) == 2


def test_ctrl_c_while_waiting_for_a_process(programs: Programs) -> None:
    """Who is interrupted waits no more, and says so to the others."""
    slow = SLOW.replace("0.3", "0 if os.environ.get('QUICK') else 1000")
    first = programs.start(slow + "slow(1)")
    until(lambda: programs.notes)
    text = """
    import signal, threading
    main = threading.main_thread().ident
    for again in range(3):
        threading.Timer(0.1, signal.pthread_kill, [main, signal.SIGINT]).start()
        try:
            slow(1)
        except KeyboardInterrupt:
            print("interrupted")
    note("goes on")
    print(slow(1))
    """
    second = programs.start(slow + textwrap.dedent(text), QUICK="1")
    until(lambda: "goes on" in programs.notes)
    first.kill()
    assert said(second) == ["interrupted"] * 3 + ["2"]


CIRCLE = """
deep = False
@memo(version=1)
{async_}def step(n):
    global deep
    note(f"{{n}} begins")
    if deep:
        return 100
    deep = True
    while not all(f"{{i}} begins" in open(os.environ["NOTES"]).read() for i in (0, 1)):
        {await_} {sleep}(0.01)
    return 1 + {await_} step(1 - n)
"""


@pytest.mark.parametrize("kind", ["function", "coroutine"])
def test_processes_that_wait_for_each_other(kind: str, programs: Programs) -> None:
    if kind == "function":
        text = CIRCLE.format(async_="", await_="", sleep="time.sleep")
        text += "print(step(int(os.environ['N'])))"
    else:
        text = "import asyncio" + CIRCLE.format(
            async_="async ", await_="await", sleep="asyncio.sleep"
        )
        text += "print(asyncio.run(step(int(os.environ['N']))))"
    started = [programs.start(text, N=str(n)) for n in (0, 1)]
    ends = [said(process) for process in started]
    assert all(end in (["101"], ["102"]) for end in ends), ends


def test_processes_that_call_themselves(programs: Programs) -> None:
    text = """
    @memo
    def fibonacci(n):
        note(n)
        return n if n < 2 else fibonacci(n - 1) + fibonacci(n - 2)
    print(fibonacci(40))
    """
    for process in [programs.start(text) for _ in range(4)]:
        assert said(process) == ["102334155"]
    assert set(map(int, programs.notes)) == set(range(41))


@pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")
def test_a_child_of_one_that_computes(memo: fettle.Memo) -> None:
    """A fork in the middle of a computation: parent and child both get on, so do other threads'
    keys."""
    read, write = os.pipe()
    started, over = threading.Event(), threading.Event()

    @memo(version=1)
    def forks(x: int) -> int:
        CALLS.append(x)
        if x == 2:
            started.set()
            assert os.getpid() != parent or over.wait(LONG)
            return 20
        child = os.fork()
        if child == 0:
            return forks(2) + 1  # which a thread of the parent computes: it is not here
        os.write(write, b"%d\n" % child)
        return 10

    parent = os.getpid()
    other = Threads([lambda: forks(2)])
    assert started.wait(LONG)
    try:
        answer = forks(1)
        if os.getpid() != parent:
            os.write(write, f"{answer} {forks(1)}\n".encode())
            os._exit(0)
    except BaseException:
        if os.getpid() != parent:
            os._exit(1)
        raise
    finally:
        over.set()
    first = os.read(read, 100).decode()
    child = int(next(line for line in first.splitlines() if " " not in line))
    assert os.waitpid(child, 0)[1] == 0
    assert answer == 10 and forks(1) in (10, 21) and other.join() == [20]
    os.close(read), os.close(write)


def test_two_memos_of_one_folder_hold_their_claims(programs: Programs) -> None:
    """A second store of the folder that comes and goes, in a process that computes."""
    text = (
        SLOW.replace("0.3", "0 if os.environ.get('QUICK') else 0.6")
        + """
import gc, threading
if os.environ.get("QUICK"):
    print(slow(1))
else:
    thread = threading.Thread(target=slow, args=[1])
    thread.start()
    time.sleep(0.1)
    reference = fettle.Memo(memo.path, max_bytes=10**7)(len).reference("abc")
    assert reference.get() == 3
    gc.collect()
    note("closed")
    thread.join()
"""
    )
    first = programs.start(text)
    until(lambda: "closed" in programs.notes)
    assert said(programs.start(text, QUICK="1")) == ["2"]
    said(first)
    assert len(programs.notes) == 2
