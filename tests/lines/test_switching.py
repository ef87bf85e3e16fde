# SPDX-License-Identifier: Apache-2.0
"""Recorders that are switched on and off: what they count is what ran while they were on, whatever
their functions did in between, and whether or not they linger."""

import random
import sys
from collections import Counter

import pytest
from fettle import _core


def new_functions(count):
    """Functions of three lines with code objects of their own."""
    made = []
    for number in range(count):
        names = {}
        exec(f"def work{number}(n):\n    for _ in range(n):\n        pass\n    return n\n", names)
        made.append(names[f"work{number}"])
    return made


def recorder_of(functions, lingers):
    recorder = _core.Recorder(calls=False, lines=True, lingers=lingers)
    for function in functions:
        recorder.mark(function)
    return recorder


def hits(recorder):
    """{(name, line): hits} without those that never ran."""
    tables = recorder.profile().lines()
    return {(t[2], row[0]): row[1] for t in tables for row in t[5] if row[1]}


class World:
    """Recorders and functions, and what each recorder has to have counted."""

    def __init__(self, seed):
        self.dice = random.Random(seed)
        self.functions = new_functions(4)
        self.recorders = []
        self.add()

    def add(self):
        self.recorders.append((recorder_of((), self.dice.random() < 0.5), set(), Counter()))

    def drop(self):
        if self.recorders:
            self.recorders.pop(self.dice.randrange(len(self.recorders)))

    def switch(self):
        for recorder, _, _ in self.recorders[:]:
            if self.dice.random() < 0.5:
                (recorder.stop if recorder.active else recorder.start)()

    def mark(self):
        for recorder, marked, _ in self.recorders:
            function = self.dice.choice(self.functions)
            recorder.mark(function)
            marked.add(function.__name__)

    def call(self):
        function, count = self.dice.choice(self.functions), self.dice.randrange(4)
        function(count)
        for recorder, marked, expected in self.recorders:
            if recorder.active and function.__name__ in marked:
                for line, times in ((2, count + 1), (3, count), (4, 1)):
                    expected[function.__name__, line] += times

    def check(self):
        for recorder, _, expected in self.recorders:
            assert hits(recorder) == +expected


@pytest.mark.parametrize("seed", range(40))
def test_what_ran_while_it_was_on_is_counted(seed):
    world = World(seed)
    steps = [world.add, world.drop, world.switch, world.mark, world.call, world.check]
    for step in world.dice.choices(steps, weights=[2, 1, 6, 4, 12, 1], k=150):
        step()
    world.check()


@pytest.mark.skipif(sys.version_info < (3, 12), reason="3.11 records from the next call on")
def test_on_and_off_in_the_middle_of_a_function():
    """Of a recorder that does not linger: another counts on until the function ends."""
    names = {}
    lines = ["def work(r):", "r.start()", "a = 1", "r.stop()", "a = 2", "r.start()", "a = 3"]
    exec("\n    ".join(lines), names)
    recorder = recorder_of([names["work"]], lingers=False)
    for _ in range(3):
        names["work"](recorder)
        recorder.stop()
    assert hits(recorder) == {("work", line): 3 for line in (3, 4, 7)}
