# SPDX-License-Identifier: Apache-2.0
"""The process that measures: what runs in it. processes.py starts it and listens.

It gets one order when it starts, answers, and then does what it is asked until its pipe ends. Both
ways a message is its length and a marshalled tuple whose first item says what it is. Standard input
is empty; what is printed goes to a file while the first calls run, so that somebody can tell, and
nowhere from then on.

What a candidate does to this process (forks, exceptions, exits) stays here. It imports as little as
it can, and nothing before the order says where from.
"""

import os
import sys
from marshal import dumps, loads
from time import monotonic

from fettle import _core
from fettle.timing.runner import Dice, Raised, Runner, place_of, placed, resolve, text_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, NoReturn

    from fettle.timing.runner import Inner

FLUSH = 0.05  # seconds between two messages; samples in between are kept back
_LENGTH = 8


class Unprepared(Exception):
    """It cannot be measured in a process of its own; the text says why."""


class _Pipes:
    """To and from the process that started this one."""

    def __init__(self, inward: int, outward: int) -> None:
        self._inward, self._outward = inward, outward
        self._process = os.getpid()
        os.set_inheritable(inward, False)
        os.set_inheritable(outward, False)

    def get(self) -> "Any":
        """The next message; None: there will be none."""
        length = self._read(_LENGTH)
        return loads(self._read(int.from_bytes(length, "little"))) if length else None

    def put(self, *message: "Any") -> None:
        if os.getpid() != self._process:
            os._exit(0)  # a child that the candidate forked, and that came back from it
        data = dumps(message)
        data = len(data).to_bytes(_LENGTH, "little") + data
        while data:
            data = data[os.write(self._outward, data) :]

    def _read(self, count: int) -> bytes:
        parts = []
        while count > 0:
            part = os.read(self._inward, count)
            if not part:
                return b""
            parts.append(part)
            count -= len(part)
        return b"".join(parts)


def main(inward: int, outward: int, parent: int) -> "NoReturn":
    """Serves the pipes and ends the process."""
    if not _core.end_with(parent):
        os._exit(1)
    pipes = _Pipes(inward, outward)
    order = pipes.get()
    if order is None:
        os._exit(1)
    Runner.passes = ()  # nobody interrupts this process from a keyboard
    padding = _padding(order["seed"])
    try:
        runner = _runner(order)
        runner.tick = lambda: pipes.put("tick")
        _serve(pipes, runner, order)
    except Unprepared as why:
        pipes.put("unprepared", str(why))
    except Raised as raised:
        error = raised.__cause__ or raised
        files = order["files"]
        file = files[raised.index] if raised.index < len(files) else ""
        pipes.put("raised", raised.index, text_of(error), *place_of(error, file))
    del padding
    sys.exit(0)


def _padding(seed: int) -> list[bytes]:
    """Blocks of several sizes, so that what comes later lies elsewhere in each process."""
    return [bytes(16 + (seed >> i) % 500) for i in range(seed % 60)]


def _runner(order: "dict[str, Any]") -> Runner:
    sys.path[:] = order["path"]
    candidates = order["candidates"]
    found = [_found(candidate) for candidate in candidates]

    def make(index: int) -> "Inner":
        names: dict[str, Any] = {"__name__": "__main__", "__builtins__": __builtins__}
        names |= found[index]
        exec(loads(candidates[index]["code"]), names)
        inner: Inner = names.pop("inner")
        return inner

    inners, between = placed(make, len(candidates), Dice(order["seed"]))
    asyncs = [candidate["async"] for candidate in candidates]
    return Runner(inners, asyncs, order["gc"], order["counters"], order["seed"], between)


def _found(candidate: "dict[str, Any]") -> dict[str, object]:
    """The function that a candidate calls, and its arguments, by the names its code has for them.

    They belong to the user: whatever they raise while they are loaded is a reason not to be here.
    """
    if not candidate["name"]:
        return {}
    try:
        names: dict[str, object] = {"_f": resolve(*candidate["name"])}
        if candidate["arguments"]:
            import pickle

            args, values = pickle.loads(candidate["arguments"])
            names |= {f"_{i}": value for i, value in enumerate(args)}
            names |= {f"_k{i}": value for i, value in enumerate(values)}
    except BaseException as error:
        raise Unprepared(text_of(error)) from None
    return names


def _serve(pipes: _Pipes, runner: Runner, order: "dict[str, Any]") -> None:
    runner.warm_up()
    has_printed = _silence()
    if order["loops"] is not None:
        runner.prepare(order["loops"])
    pipes.put("ready", runner.loops, runner.counters, has_printed)
    while True:
        wish = pipes.get()
        if wish is None:
            runner.close()
            return
        if wish[0] == "rounds":
            _rounds(pipes, runner, *wish[1:])
        else:
            pipes.put("allocated", runner.allocated())


def _rounds(pipes: _Pipes, runner: Runner, least: int, seconds: float) -> None:
    """As many as fit, but so many at least."""
    begun = flushed = monotonic()
    kept: list[object] = []
    done = 0
    while True:
        kept.append(runner.round())
        done += 1
        now = monotonic()
        is_last = done >= least and now - begun >= seconds
        if is_last or done == 1 or now - flushed >= FLUSH:
            pipes.put("rounds", kept, is_last)
            kept = []
            flushed = now
        if is_last:
            return


def _silence() -> bool:
    """From here on what is printed goes nowhere. True: something was, so far."""
    sizes = []
    for stream, fd in ((sys.stdout, 1), (sys.stderr, 2)):
        try:
            if stream is not None:
                stream.flush()
            sizes.append(os.fstat(fd).st_size)
        except (OSError, ValueError):
            pass  # the candidate closed it
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for fd in (1, 2):
        if nowhere != fd:
            os.dup2(nowhere, fd)
    if nowhere > 2:
        os.close(nowhere)
    return any(sizes)
