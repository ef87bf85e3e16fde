# SPDX-License-Identifier: Apache-2.0
"""A process that measures constructs: runs as a script on any CPython from 3.8 on, without fettle.

stdin: JSON {"constructs": [{name, statement, setup, before, free, is_async, repeated}],
"seconds": S}.
stdout: a line of JSON for each round, {"done": share}; then one {"samples": {name: [nanoseconds of
one statement, ...]}, "skipped": {name: why}}.

Each construct is compiled into a loop of its own, as in timeit: what the setup names are local
variables there, and the statement stands in it as often as `repeated` says. The empty loop is
measured too, and subtracted.

A round has one sample of each construct, in random order: what disturbs the machine hits all alike.
"""

from __future__ import annotations

import gc
import json
import random
import sys
import time
from itertools import repeat

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

CLOCK = getattr(time, "thread_time_ns", time.process_time_ns)
SAMPLE = 200_000  # ns: a thousand readings of the clock
WARM = 10  # a sample's first part in so many is not measured: caches and predictors find back
SPECIALISED = 1_000_000  # ns of running, before which the interpreter may still adapt the code
LEAST_ROUNDS = 3
EMPTY = ""  # the name of the empty loop

TEMPLATE = """\
def _make():
{setup}
    {kind}def _loop(_times, _clock{names}):
{before}
        _begin = _clock()
        for _ in _times:
{statement}
        return _clock() - _begin
    return _loop
"""
NAMES = """\
def _names():
{setup}
    return list(locals())
"""


def indented(text: str, columns: int) -> str:
    return "\n".join(" " * columns + line for line in text.split("\n"))


class Measured:
    """A construct, ready to run. What its setup or statement raises passes through."""

    def __init__(self, construct: dict[str, Any], reading: int) -> None:
        self.construct = construct
        self.reading = reading  # ns: what reading the clock itself adds
        self.samples: list[float] = []
        self.repeated: int = construct["repeated"]
        self.run = self._compiled()
        self.loops = max(1, round(SAMPLE / self._settle()))

    def _compiled(self) -> Any:
        construct = self.construct
        setup = indented(construct["setup"] or "pass", 4)
        namespace: dict[str, Any] = {"__name__": "__main__"}
        exec(compile(NAMES.format(setup=setup), "<setup>", "exec"), namespace)
        names = [name for name in namespace["_names"]() if name not in construct["free"]]
        lines = [construct["statement"]] * self.repeated
        text = TEMPLATE.format(
            setup=setup,
            kind="async " if construct["is_async"] else "",
            names="".join(f", {name}={name}" for name in names),
            before=indented(construct["before"] or "pass", 8),
            statement=indented("\n".join(lines), 12),
        )
        exec(compile(text, "<construct>", "exec"), namespace)
        return namespace["_make"]()

    def time(self, loops: int) -> int:
        """ns of so many loops, less the reading of the clock."""
        result = self.run(repeat(None, loops), CLOCK)
        if self.construct["is_async"]:
            try:
                result.send(None)
            except StopIteration as end:
                result = end.value
        return max(int(result) - self.reading, 1)

    def _settle(self) -> float:
        """Runs until the interpreter has adapted the code; gives ns of one loop."""
        loops, spent = 1, 0
        while True:
            took = self.time(loops)
            spent += took
            if spent > SPECIALISED or (took > SAMPLE and loops == 1 and spent > SAMPLE):
                return took / loops
            if took < SAMPLE:
                loops *= 4

    def sample(self) -> None:
        self.time(max(1, self.loops // WARM))
        self.samples.append(self.time(self.loops) / self.loops)


def reading() -> int:
    """ns that lie between two readings of the clock."""
    differences = sorted(-(CLOCK() - CLOCK()) for _ in range(1001))
    return differences[500]


def prepared(constructs: list[dict[str, Any]]) -> tuple[list[Measured], dict[str, str]]:
    """Those that run here, the empty loop first, and why others do not."""
    adds = reading()
    empty = {"name": EMPTY, "statement": "pass", "setup": "", "before": "", "free": []}
    ready = [Measured(dict(empty, is_async=False, repeated=1), adds)]
    skipped: dict[str, str] = {}
    for construct in constructs:
        try:
            ready.append(Measured(construct, adds))
        except Exception as error:  # an older Python lacks it
            skipped[construct["name"]] = f"{type(error).__name__}: {error}"
    return ready, skipped


def say(line: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


def main() -> None:
    order = json.load(sys.stdin)
    begin = time.monotonic()
    gc.disable()
    ready, skipped = prepared(order["constructs"])
    gc.collect()
    if hasattr(gc, "freeze"):
        gc.freeze()
    done, rounds = 0.0, 0
    while done < 1.0 or rounds < LEAST_ROUNDS:
        random.shuffle(ready)
        for each in ready:
            each.sample()
        gc.collect()  # what classes and exceptions leave behind
        rounds += 1
        done = (time.monotonic() - begin) / order["seconds"]
        say({"done": min(done, 1.0)})
    say({"samples": prices(ready), "skipped": skipped})


def prices(ready: list[Measured]) -> dict[str, list[float]]:
    """ns of one statement: the samples, less the loop, by the repetitions in it."""
    empty = next(each.samples for each in ready if each.construct["name"] == EMPTY)
    loop = sorted(empty)[len(empty) // 2]
    return {
        each.construct["name"]: [round((ns - loop) / each.repeated, 3) for ns in each.samples]
        for each in ready
        if each.construct["name"] != EMPTY
    }


if __name__ == "__main__":
    main()
