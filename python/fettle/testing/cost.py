# SPDX-License-Identifier: Apache-2.0
"""What recording a call or a block costs here: a limit of time is not broken by it.

Measured once a process, on calls and blocks that do nothing else. In a program it may cost more, up
to twice as much, which is for limits.py to allow.
"""

from __future__ import annotations

from time import perf_counter

from fettle import _core

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Literal

_COUNT = 2000
_TRIES = 5
_known: dict[tuple[str, bool], tuple[float, float]] = {}


def per_event(calls: Literal["all", "python", ""], mem: bool) -> tuple[float, float]:
    """Seconds a call and seconds a block."""
    if (calls, mem) not in _known:
        _known[calls, mem] = (
            _cost(_call, calls, mem) if calls else 0.0,
            _cost(_allocate, calls, mem) if mem else 0.0,
        )
    return _known[calls, mem]


def _cost(events: Callable[[], None], calls: str, mem: bool) -> float:
    recorder = _core.Recorder(calls=bool(calls), builtins=calls != "python", mem=mem)
    with recorder:
        events()
    plain = min(_seconds(events) for _ in range(_TRIES))
    with recorder:
        recorded = sorted(_seconds(events) for _ in range(_TRIES))[_TRIES // 2]
    return max(recorded - plain, 0.0) / _COUNT


def _seconds(events: Callable[[], None]) -> float:
    begun = perf_counter()
    events()
    return perf_counter() - begun


def _nothing() -> None:
    return None


def _call() -> None:
    for _ in range(_COUNT):
        _nothing()


def _allocate() -> None:
    for _ in range(_COUNT):
        bytearray(1000)  # two blocks, counted as one
