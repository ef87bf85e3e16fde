# SPDX-License-Identifier: Apache-2.0
"""Cached coroutine functions in any order of events."""

import asyncio
import random
from typing import Any

import fettle
import pytest

from .loops import Run, Source, settle

# A coroutine that was never awaited, a task that was destroyed: all of it is an error here.
pytestmark = pytest.mark.filterwarnings("error")

# ---- any order of events, against a model ----


class Model:
    """What must happen, with the simplest of means: lists of who waits."""

    def __init__(self):
        self.kept, self.flights, self.expected, self.begun = {}, [], {}, 0
        self.hits = self.waited = 0

    def flight_of(self, key):
        return next((each for each in self.flights if each["key"] == key and each["listed"]), None)

    def start(self, caller, key):
        """The flight that begins, if one does."""
        if key in self.kept:
            self.hits += 1
            self.expected[caller] = self.kept[key]
            return None
        flight = self.flight_of(key)
        if flight is not None:
            flight["waiters"].append(caller)
            return None
        self.flights.append({"key": key, "waiters": [caller], "owner": caller, "listed": True})
        self.begun += 1
        return self.flights[-1]

    def cancel(self, caller):
        self.expected[caller] = "cancelled"
        for flight in self.flights:
            if caller in flight["waiters"]:
                flight["waiters"].remove(caller)
                if not flight["waiters"]:
                    self.flights.remove(flight)
                return

    def answer(self, flight, value):
        self.flights.remove(flight)
        if flight["listed"]:
            self.kept[flight["key"]] = value
        for caller in flight["waiters"]:
            self.expected[caller] = value
            self.waited += caller != flight["owner"]

    def refuse(self, flight, error):
        self.expected[flight["waiters"].pop(0)] = error
        if not flight["waiters"]:
            self.flights.remove(flight)
            return None
        flight["owner"] = flight["waiters"][0]
        self.begun += 1
        return flight

    def forget(self, key):
        self.kept.pop(key, None)
        flight = self.flight_of(key)
        if flight is not None:
            flight["listed"] = False


async def step_of(dice, model, source, number):
    """One event, for the model and for what is tested. The task, if a call was made."""
    weights = [8, 4, 2, 2, dice.choice([0, 1])]
    action = dice.choices(["start", "cancel", "answer", "refuse", "forget"], weights)[0]
    flight = dice.choice(model.flights) if model.flights else None
    key, task, began = dice.randrange(3), None, None
    if action == "start":
        began = model.start(number, key)
        task = source.call(key)
    elif action == "forget":
        assert source.function.cache_forget(key) == (key in model.kept)
        model.forget(key)
    elif flight is not None and action == "answer":
        model.answer(flight, (flight["key"], number))
        flight["entry"][1].set_result((flight["key"], number))
    elif flight is not None and action == "refuse":
        error = ValueError(number)
        flight["entry"][1].set_exception(error)
        began = model.refuse(flight, error)
    await settle()
    if began is not None:
        began["entry"] = source.running[-1]
    return action, task


async def against_model(seed):
    dice, model, source = random.Random(seed), Model(), Source()
    waiting = {}
    for number in range(120):
        action, task = await step_of(dice, model, source, number)
        if task is not None:
            waiting[number] = task
        if action == "cancel" and waiting:
            caller = dice.choice(list(waiting))
            model.cancel(caller)
            waiting[caller].cancel()
            await settle()
        for caller in [each for each, task in waiting.items() if task.done()]:
            assert outcome(waiting.pop(caller)) == model.expected[caller]
        assert waiting.keys() == {one for each in model.flights for one in each["waiters"]}
        assert sorted(key for key, _ in source.running) == sorted(f["key"] for f in model.flights)
        assert source.begun == model.begun
    info = source.function.cache_info()
    assert (info.misses, info.waited) == (model.begun, model.waited)
    assert info.hits == model.hits + model.waited
    assert dict(source.function.cache_export()) == model.kept
    for task in waiting.values():
        task.cancel()
    await settle()
    assert not source.running


def outcome(task):
    if task.cancelled():
        return "cancelled"
    return task.exception() or task.result()


@pytest.mark.parametrize("seed", range(15))
def test_any_order_of_events_against_a_model(run: Run, seed: Any) -> None:
    run(against_model(seed))


async def at_once(seed):
    """No time to settle between events: what must hold is less."""
    dice, alive, most = random.Random(seed), {}, {}
    computed = {}

    @fettle.cache
    async def function(x):
        alive[x] = alive.get(x, 0) + 1
        most[x] = max(most.get(x, 0), alive[x])
        try:
            for _ in range(dice.randrange(4)):
                await asyncio.sleep(0)
            if dice.random() < 0.3:
                raise ValueError
            if x > 0 and dice.random() < 0.5:
                await function(dice.randrange(x))
            computed[x] = computed.get(x, 0) + 1
            return (x,)
        finally:
            alive[x] -= 1

    tasks = []
    for _ in range(150):
        tasks.append((x := dice.randrange(6), asyncio.create_task(function(x))))
        for _ in range(dice.choice([0, 0, 1, 3])):
            await asyncio.sleep(0)
        if dice.random() < 0.3:
            dice.choice(tasks)[1].cancel()
    await asyncio.wait([task for _, task in tasks])
    for x, task in tasks:
        found = outcome(task)
        assert found == (x,) or found == "cancelled" or isinstance(found, ValueError)
    await settle()
    assert set(computed.values()) <= {1} and not any(alive.values())
    assert len(function.cache_export()) == len(computed)


@pytest.mark.parametrize("seed", range(25))
def test_events_at_once(run: Run, seed: Any) -> None:
    run(at_once(seed))
