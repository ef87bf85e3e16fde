# SPDX-License-Identifier: Apache-2.0
"""What never ends in this very process: it is interrupted, and the program's own alarms are as they
were."""

import asyncio
import contextlib
import itertools
import signal
import threading
import time

import fettle
import pytest


@pytest.fixture(autouse=True)
def alarm():
    """No test leaves an alarm behind, and none waits for ever."""
    assert signal.getsignal(signal.SIGALRM) == signal.SIG_DFL
    yield
    left = signal.getsignal(signal.SIGALRM), signal.getitimer(signal.ITIMER_REAL)
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    assert left == (signal.SIG_DFL, (0.0, 0.0))


def spins():
    while True:
        pass


def spins_and_catches():
    while True:
        with contextlib.suppress(Exception):
            spins()


async def waits_for_ever():
    await asyncio.get_running_loop().create_future()


async def spins_in_a_loop():
    spins()


@pytest.mark.parametrize(
    "function", [spins, spins_and_catches, waits_for_ever, spins_in_a_loop, lambda: time.sleep(1e6)]
)
@pytest.mark.parametrize("memory", [False, True])
def test_it_is_interrupted(function, memory):
    with pytest.raises(RuntimeError, match=r"did not end within 0\.3 s; give a longer time-out"):
        fettle.time(function, processes=0, timeout=0.3, memory=memory)


def test_what_catches_everything_is_interrupted_again():
    def stubborn():
        try:
            spins()
        except BaseException:
            spins()

    with pytest.raises(RuntimeError, match="did not end within"):
        fettle.time(stubborn, processes=0, timeout=0.3)


def test_what_is_known_by_then_is_the_answer():
    calls = itertools.count()

    def ends_at_first():
        if next(calls) > 3:
            spins()

    t = fettle.time(ends_at_first, processes=0, n=1, timeout=1.0, clock="wall")
    assert len(t.series[0].groups[0]) > 0
    assert t.notes[0] == ("A call did not end within 1 s and was stopped: this is what there was.")


def test_each_long_sample_has_its_own_time():
    """Two candidates that take as long as the time-out together."""
    naps = [lambda: time.sleep(0.8), lambda: time.sleep(0.9)]
    t = fettle.time(*naps, processes=0, timeout=1.5, budget=2)
    assert not any("did not end" in note for note in t.notes)


def test_an_alarm_of_the_programs_own_is_left_alone():
    heard = []
    signal.signal(signal.SIGALRM, lambda *_: heard.append(True))
    signal.setitimer(signal.ITIMER_REAL, 0.3)
    fettle.time(lambda: time.sleep(0.05), processes=0, timeout=0.2, budget=1)
    assert heard == [True]
    assert signal.getsignal(signal.SIGALRM) != signal.SIG_DFL
    signal.signal(signal.SIGALRM, signal.SIG_DFL)


def test_a_candidate_that_sets_an_alarm_keeps_it():
    def sets():
        signal.signal(signal.SIGALRM, signal.SIG_IGN)

    fettle.time(sets, processes=0, budget=0.3)
    assert signal.getsignal(signal.SIGALRM) == signal.SIG_IGN
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, signal.SIG_DFL)


def test_a_thread_measures_without_an_alarm():
    found = []
    thread = threading.Thread(
        target=lambda: found.append(fettle.time(lambda: 3, processes=0, budget=0.3, timeout=1.0))
    )
    thread.start()
    thread.join()
    assert found[0].median >= 0
