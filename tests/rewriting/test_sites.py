# SPDX-License-Identifier: Apache-2.0
"""What sites tell while programs run is what a trace function is told of the original."""

import gc
import sys
from collections import Counter
from types import CodeType, FrameType
from typing import Any

import pytest
from fettle import _core

from .programs import PROGRAMS

Event = tuple[str, str, int]  # kind, function, line


class Log:
    """Sites that write down when they are reached."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    def make(self, code: CodeType, kind: str, line: int) -> Any:
        events, event = self.events, (kind, code.co_qualname, line)

        class Site:
            def __invert__(self) -> None:
                events.append(event)

        return Site()

    def lines(self) -> list[tuple[str, int]]:
        starts = [event for event in self.events if event[0] in ("enter", "line") and event[2]]
        return [(name, line) for _, name, line in starts]


def rewritten(source: str, name: str, log: Log) -> CodeType:
    code = compile(source, f"<{name}>", "exec")
    new = _core._rewrite(code, log.make, lambda _: True)
    assert isinstance(new, CodeType) and new is not code
    return new


def run(code: CodeType) -> None:
    exec(code, {"__name__": "program"})
    gc.collect()


def traced(code: CodeType) -> list[Event]:
    """The events of a trace function in the program's own file."""
    seen: list[Event] = []

    def trace(frame: FrameType, kind: str, _: Any) -> Any:
        if frame.f_code.co_filename != code.co_filename:
            return None
        seen.append((kind, frame.f_code.co_qualname, frame.f_lineno))
        return trace

    sys.settrace(trace)
    try:
        run(code)
    finally:
        sys.settrace(None)
    return seen


def lines(events: list[Event]) -> list[tuple[str, int]]:
    return [(name, line) for kind, name, line in events if kind == "line"]


def names(events: list[Event], *kinds: str) -> Counter[str]:
    return Counter(name for kind, name, _ in events if kind in kinds)


@pytest.mark.parametrize("name", PROGRAMS)
def test_lines_are_those_of_a_trace_function(name: str) -> None:
    expected = lines(traced(compile(PROGRAMS[name], f"<{name}>", "exec")))
    log = Log()
    run(rewritten(PROGRAMS[name], name, log))
    assert log.lines() == expected


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_trace_function_sees_no_difference(name: str) -> None:
    expected = traced(compile(PROGRAMS[name], f"<{name}>", "exec"))
    code = compile(PROGRAMS[name], f"<{name}>", "exec")
    assert traced(_core._rewrite(code, lambda *_: 0, lambda _: True)) == expected


@pytest.mark.parametrize("name", PROGRAMS)
def test_what_begins_ends(name: str) -> None:
    log = Log()
    run(rewritten(PROGRAMS[name], name, log))
    began, ended = names(log.events, "enter"), names(log.events, "leave", "unwound")
    assert began == ended
    assert names(log.events, "yield", "await") == names(log.events, "resumed")


def kinds(source: str, of: str) -> str:
    log = Log()
    run(rewritten(source, "kinds", log))
    return ",".join(f"{kind} {line}" for kind, name, line in log.events if name == of)


def test_a_generator() -> None:
    source = """
def g():
    x = yield 1
    yield x
i = g(); next(i); i.send(2); i.close()
"""
    expected = "enter 3,yield 3,resumed 3,line 4,yield 4,resumed 4,unwound 0"
    assert kinds(source, "g") == expected


def test_a_coroutine_awaits() -> None:
    source = """
class A:
    def __await__(self):
        yield
async def c():
    await A()
    return 1
i = c(); i.send(None)
try: i.send(None)
except StopIteration: pass
"""
    assert kinds(source, "c") == "enter 6,await 6,resumed 6,line 7,leave 7"
    assert kinds(source, "A.__await__") == "enter 4,yield 4,resumed 4,leave 4"


def test_a_value_of_an_asynchronous_generator_is_not_awaited() -> None:
    source = """
import asyncio
async def g():
    await asyncio.sleep(0)
    yield 1
async def c():
    async for x in g(): pass
asyncio.run(c())
"""
    expected = "enter 4,await 4,resumed 4,line 5,yield 5,resumed 5,leave 5"
    assert kinds(source, "g") == expected


def test_a_delegation_that_ends_by_throw_is_resumed() -> None:
    source = """
def inner():
    try: yield
    except KeyError: return 2
def outer():
    x = yield from inner()
    yield x
i = outer(); next(i)
assert i.throw(KeyError) == 2
i.close()
"""
    assert kinds(source, "outer") == "enter 6,yield 6,resumed 6,line 7,yield 7,resumed 7,unwound 0"


def test_a_thrown_exception_resumes() -> None:
    source = """
def g():
    try:
        yield
    except KeyError:
        return
i = g(); next(i)
try: i.throw(KeyError)
except StopIteration: pass
"""
    assert kinds(source, "g") == "enter 3,line 4,yield 4,resumed 4,line 5,line 6,leave 6"


def test_exceptions_keep_their_tracebacks() -> None:
    source = """
def f(n):
    if n == 0:
        return [1,
                n / 0]
    try:
        f(n - 1)
    finally:
        n = 0
try: f(3)
except ZeroDivisionError as error: caught.append(error)
"""

    def places(code: CodeType) -> list[Any]:
        caught: list[ZeroDivisionError] = []
        exec(code, {"caught": caught})
        error, found = caught[0], []
        assert error.__context__ is None
        trace = error.__traceback__
        while trace is not None:
            positions = list(trace.tb_frame.f_code.co_positions())
            found.append((trace.tb_lineno, trace.tb_frame.f_lineno))
            found.append(positions[trace.tb_lasti // 2])
            trace = trace.tb_next
        return found

    code = compile(source, "<traceback>", "exec")
    assert places(rewritten(source, "traceback", Log())) == places(code)


def test_an_exception_thrown_through_a_delegation_resumes() -> None:
    source = """
def inner():
    yield
def outer():
    try:
        yield from inner()
    except KeyError:
        return
i = outer(); next(i)
try: i.throw(KeyError)
except StopIteration: pass
"""
    expected = "enter 5,line 6,yield 6,resumed 6,line 7,line 8,leave 8"
    assert kinds(source, "outer") == expected
    assert kinds(source, "inner") == "enter 3,yield 3,resumed 3,unwound 0"
