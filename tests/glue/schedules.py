# SPDX-License-Identifier: Apache-2.0
"""Random programs that start and stop recordings while they run, and what each recording must have
seen: the functions themselves keep the books, no hook does.

A program is a tree of actions that the functions f0, f1, ... and the generators g0, g1, ... carry
out. Each is compiled from one template, so that they call each other with nothing between them.
"""

import json
import random
from collections import Counter
from typing import Any

from fettle._core import Recorder

FUNCTIONS = 4
BUILTINS = {
    "max": "<built-in method builtins.max>",
    "next": "<built-in method builtins.next>",
    "close": "<method 'close' of 'generator' objects>",
}
NAMES_OF_C = set(BUILTINS.values())

TEMPLATE = """
def {name}(actions):
    book.enter("{name}")
    try:
        for kind, which, inner in actions:
            if kind == "call":
                functions[which](inner)
            elif kind == "try":
                try:
                    functions[which](inner)
                except Boom:
                    pass
            elif kind == "generate":
                for _ in generators[which](inner):
                    pass
            elif kind == "abandon":
                generator = generators[which](inner)
                with through("next"):
                    next(generator, None)
                with through("close"):
                    generator.close()
            elif kind == "max":
                with through("max"):
                    max([inner], key=functions[which])
            elif kind == "raise":
                raise Boom
            elif kind == "start":
                recorders[which].start()
                book.start(which)
            elif kind == "stop":
                recorders[which].stop()
                book.stop(which)
            elif kind == "enter":
                recorders[which].__enter__()
                book.start(which, "{name}")
            elif kind == "exit":
                recorders[which].__exit__(None, None, None)
                book.stop(which)
            elif kind == "clear":
                recorders[which].clear()
                book.clear(which)
{end}
    finally:
        book.leave()
"""
PAUSE = """
            book.leave()
            try:
                yield
            finally:
                book.enter("{name}")
"""


class Boom(Exception):
    """What a program raises."""


class Seen:
    """What one recording must have seen."""

    def __init__(self, builtins: bool) -> None:
        self.builtins = builtins
        self.starts = 0
        self.stack: list[tuple[int, str]] = []  # (serial number of the call, name)
        self.forget()

    def forget(self) -> None:
        self.calls: Counter[str] = Counter()
        self.primitive: Counter[str] = Counter()
        self.edges: Counter[tuple[str, str]] = Counter()

    def enter(self, serial: int, name: str) -> None:
        self.calls[name] += 1
        self.primitive[name] += all(name != other for _, other in self.stack)
        if self.stack:
            self.edges[self.stack[-1][1], name] += 1
        self.stack.append((serial, name))

    def leave(self, serial: int) -> None:
        if self.stack and self.stack[-1][0] == serial:
            self.stack.pop()


class Book:
    """Of one thread: the calls that run, and what each recording sees of them."""

    def __init__(self, seen: list[Seen]) -> None:
        self.seen = seen
        self.serial = 0
        self.running: list[int] = []

    def enter(self, name: str) -> None:
        self.serial += 1
        self.running.append(self.serial)
        for seen in self.seen:
            if seen.starts > 0 and (seen.builtins or name not in NAMES_OF_C):
                seen.enter(self.serial, name)

    def leave(self) -> None:
        serial = self.running.pop()
        for seen in self.seen:
            seen.leave(serial)

    def through(self, name: str) -> "Through":
        return Through(self, name)

    def start(self, which: int, stands_in: str | None = None) -> None:
        seen = self.seen[which]
        seen.starts += 1
        if seen.starts == 1 and stands_in is not None:
            seen.stack.append((self.running[-1], stands_in))

    def stop(self, which: int) -> None:
        seen = self.seen[which]
        seen.starts -= seen.starts > 0
        if seen.starts == 0:
            seen.stack.clear()

    def clear(self, which: int) -> None:
        self.seen[which].forget()
        self.seen[which].stack.clear()


class Through:
    """A block in which a C function calls what is called. (No generator: that would call next.)"""

    def __init__(self, book: Book, name: str) -> None:
        self.book, self.name = book, BUILTINS[name]

    def __enter__(self) -> None:
        self.book.enter(self.name)

    def __exit__(self, *exception: object) -> None:
        self.book.leave()


def compile_functions(names: dict[str, Any], file: str) -> None:
    names["Boom"] = Boom
    names["through"] = names["book"].through
    for kind, group in ("f", "functions"), ("g", "generators"):
        names[group] = []
        for k in range(FUNCTIONS):
            end = PAUSE if kind == "g" else ""
            name = f"{kind}{k}"
            source = TEMPLATE.format(name=name, end=end.format(name=name))
            exec(compile(source, file, "exec"), names)
            names[group].append(names[name])


Action = tuple[str, int, Any]
CALLS = ["call"] * 6 + ["try"] * 2 + ["generate"] * 2 + ["max"] * 2 + ["abandon"]
SWITCHES = ["start"] * 3 + ["stop"] * 3 + ["enter"] * 2 + ["exit"] * 2 + ["clear"]


def make_program(rng: random.Random, recorders: int, calls: int) -> list[Action]:
    """At most so many calls, and about as many starts and stops."""
    left = [calls]

    def actions(depth: int) -> list[Action]:
        made: list[Action] = []
        for _ in range(rng.randrange(1, 7)):
            if rng.random() < 0.4 or depth == 8:
                made.append((rng.choice(SWITCHES), rng.randrange(recorders), None))
            elif left[0] > 0:
                left[0] -= 1
                kind, which = rng.choice(CALLS), rng.randrange(FUNCTIONS)
                made.append((kind, which, actions(depth + 1)))
        if rng.random() < 0.08:
            made.append(("raise", 0, None))
        return made

    return [("try", rng.randrange(FUNCTIONS), actions(1)) for _ in range(8)]


Tables = tuple[Counter[str], Counter[str], Counter[tuple[str, str]]]


def tables(recorder: Recorder, file: str) -> Tables:
    """What the recording says of file's functions and of BUILTINS: calls, primitive calls, calls of
    (caller, callee)."""
    document = json.loads(recorder.profile().export("json"))
    codes = document["codes"]
    names = [c["name"] if c["file"] == file or c["name"] in NAMES_OF_C else None for c in codes]
    calls, primitive = Counter[str](), Counter[str]()
    for row in document["functions"]:
        if name := names[row["code"]]:
            calls[name] += row["calls"]
            primitive[name] += row["primitive"]
    edges = Counter[tuple[str, str]]()
    for row in document["edges"]:
        caller, callee = names[row["caller"]], names[row["callee"]]
        if caller and callee:
            edges[caller, callee] += row["calls"]
    return +calls, +primitive, +edges


def without_c(seen: Tables) -> Tables:
    """Other threads call the same C functions."""
    calls, primitive, edges = seen
    return (
        Counter({name: calls[name] for name in calls if name not in NAMES_OF_C}),
        Counter({name: primitive[name] for name in primitive if name not in NAMES_OF_C}),
        Counter({pair: edges[pair] for pair in edges if NAMES_OF_C.isdisjoint(pair)}),
    )


class Schedule:
    """One random program and its recordings; each one's builtins as given."""

    def __init__(self, seed: int, builtins: list[bool], calls: int = 60) -> None:
        self.file = f"<schedule {seed}>"
        self.recorders = [Recorder(builtins=each) for each in builtins]
        self.book = Book([Seen(each) for each in builtins])
        self.program = make_program(random.Random(seed), len(builtins), calls)
        self.names: dict[str, Any] = {"book": self.book, "recorders": self.recorders}
        compile_functions(self.names, self.file)

    def run(self) -> None:
        try:
            self.names["f0"](self.program)
        finally:
            for recorder in self.recorders:
                while recorder.active:
                    recorder.stop()

    def compare(self) -> list[tuple[Tables, Tables]]:
        """What each recording saw, and what it must have seen."""
        pairs = []
        for recorder, seen in zip(self.recorders, self.book.seen, strict=True):
            expected = +seen.calls, +seen.primitive, +seen.edges
            pairs.append((tables(recorder, self.file), expected))
        return pairs
