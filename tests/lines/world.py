# SPDX-License-Identifier: Apache-2.0
"""What a generated program (writer.py) calls: decisions, and counters of its lines.

Everything that takes a line number counts that line, in the moment the interpreter is at it.
"""

import random
from collections import Counter
from collections.abc import Awaitable, Coroutine, Generator, Iterable
from contextlib import suppress
from types import TracebackType
from typing import Any


class OopsError(Exception):
    """What the programs raise."""


class OtherError(Exception):
    """What they never raise."""


class Each:
    """Iterates, also asynchronously; each step is one more time at the loop's line."""

    def __init__(self, world: "World", line: int, inner: Iterable[int] | None) -> None:
        self.world, self.line = world, line
        self.inner = iter(range(world.choices.randrange(4)) if inner is None else inner)

    def __iter__(self) -> "Each":
        return self

    def __aiter__(self) -> "Each":
        return self

    def __next__(self) -> int:
        self.world.c[self.line] += 1
        self.world.burn()
        return next(self.inner)

    async def __anext__(self) -> int:
        self.world.c[self.line] += 1
        self.world.burn()
        await Pause(self.world.choices.randrange(2))
        for item in self.inner:
            return item
        raise StopAsyncIteration


class Context:
    """Entered and left at the line of its `with`."""

    def __init__(self, world: "World", line: int) -> None:
        self.world, self.line = world, line
        self.swallows = world.choices.random() < 0.3

    def __enter__(self) -> None:
        self.world.c[self.line] += 1

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool:
        self.world.c[self.line] += 1
        return self.swallows and kind is OopsError

    async def __aenter__(self) -> None:
        self.world.c[self.line] += 1
        await Pause(self.world.choices.randrange(2))

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool:
        self.world.c[self.line] += 1
        await Pause(self.world.choices.randrange(2))
        return self.swallows and kind is OopsError


class Pause(Awaitable[None]):
    """Suspends a coroutine so many times."""

    def __init__(self, times: int) -> None:
        self.times = times

    def __await__(self) -> Generator[None, None, None]:
        for _ in range(self.times):
            yield


class Patterns:
    """`case p.n17():` asks for the attribute at line 17."""

    def __init__(self, world: "World") -> None:
        self.world = world

    def __getattr__(self, name: str) -> type:
        self.world.c[int(name[1:])] += 1
        return self.world.choices.choice([int, str])


class World:
    """One run of a program: its decisions and what it counted."""

    def __init__(self, seed: int, fuel: int = 3000) -> None:
        self.choices = random.Random(seed)
        self.c: Counter[int] = Counter()
        self.fuel = fuel

    def burn(self) -> bool:
        self.fuel -= 1
        return self.fuel > 0

    def yes(self, line: int) -> bool:
        self.c[line] += 1
        return self.burn() and self.choices.random() < 0.5

    def again(self, line: int) -> bool:
        self.c[line] += 1
        return self.burn() and self.choices.random() < 0.7

    def at(self, line: int, *values: Any) -> Any:
        self.c[line] += 1
        return values[0] if values else line

    def may_fail(self) -> None:
        if self.burn() and self.choices.random() < 0.3:
            raise OopsError

    def each(self, line: int, inner: Iterable[int] | None = None) -> Each:
        return Each(self, line, inner)

    def names(self) -> dict[str, Any]:
        """The globals of the program."""
        return {
            "__name__": "generated",
            "c": self.c,
            "p": Patterns(self),
            "yes": self.yes,
            "again": self.again,
            "at": self.at,
            "may_fail": self.may_fail,
            "each": self.each,
            "context": lambda line: Context(self, line),
            "pause": lambda: Pause(self.choices.randrange(3)),
            "alive": lambda: self.fuel > 0,
            "drive": drive,
            "some": self.some,
            "OopsError": OopsError,
            "OtherError": OtherError,
        }

    def some(self, generator: Generator[int, None, None]) -> None:
        """Begins it, and closes it, throws into it, exhausts it or lets it go."""
        end = self.choices.choice(["close", "throw", "exhaust", "let go"])
        with suppress(StopIteration):
            for _ in range(self.choices.randrange(3)):
                next(generator)
            if end == "close":
                generator.close()
            elif end == "throw":
                generator.throw(OopsError)
            elif end == "exhaust":
                list(generator)


def drive(coroutine: Coroutine[Any, Any, Any]) -> Any:
    """Runs it to its end, as an event loop that has nothing else to do."""
    try:
        while True:
            coroutine.send(None)
    except StopIteration as end:
        return end.value
