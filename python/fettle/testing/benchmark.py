# SPDX-License-Identifier: Apache-2.0
"""The fixture `benchmark`, as pytest-benchmark has it, where that plugin is not installed.

What is measured is the same as there: rounds of so many calls that the clock can tell them apart,
on the clock of perf_counter, and the loop around the calls is not subtracted.
"""

from __future__ import annotations

import gc
import math
import warnings
from contextlib import contextmanager, nullcontext
from time import perf_counter

import pytest

from fettle import _core
from fettle.testing.benchresults import Metadata, table_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any, TypeVar

    T = TypeVar("T")
    Timer = Callable[[], float]

_core.leave_out(__file__)

_DEFAULTS: dict[str, Any] = {
    "group": None,
    "min_time": 0.000005,
    "max_time": 1.0,
    "min_rounds": 5,
    "timer": perf_counter,
    "disable_gc": False,
    "warmup": False,
    "warmup_iterations": 100_000,
    "calibration_precision": 10,
}
_SHORT = 0.01  # seconds
_LEFT_TO_OTHERS = {"cprofile", "precision", "confidence"}  # they change nothing of what is measured


class FixtureAlreadyUsed(Exception):
    """A test has one benchmark."""


class Benchmark:
    """Calls a function again and again: benchmark(function, *args, **kwargs), which gives what the
    function gives; or benchmark.pedantic(), where one says how often.

    extra_info is a dict for whatever shall stand beside the results; group and name may be set.
    stats has the results, as benchmark.stats["mean"] or benchmark.stats.stats.mean, in seconds."""

    def __init__(self, node: pytest.Item, options: dict[str, Any], off: Any) -> None:
        self.options = {**_DEFAULTS, **options}
        self.name = node.name
        self.fullname = node.nodeid
        callspec = getattr(node, "callspec", None)
        self.params: dict[str, Any] | None = callspec.params if callspec else None
        self.param: str | None = callspec.id if callspec else None
        self.group: str | None = self.options["group"]
        self.extra_info: dict[str, Any] = {}
        self.stats: Metadata | None = None
        self.enabled, self.disabled = True, False
        self._off = off  # the recording of the session, if there is one, is off in it
        self._used = ""

    def __call__(self, function_to_benchmark: Callable[..., T], *args: Any, **kwargs: Any) -> T:
        """Measures for about max_time seconds (1), in at least min_rounds rounds (5)."""
        __tracebackhide__ = True
        self._use("benchmark(...)")
        run = _Calls(function_to_benchmark, args, kwargs, self._timer)
        with self._quiet():
            iterations, duration = self._calibrated(run)
            rounds = math.ceil(self.options["max_time"] / duration)
            rounds = max(rounds, self.options["min_rounds"])
            if self.options["warmup"]:
                for _ in range(min(rounds, self.options["warmup_iterations"] // iterations + 1)):
                    run(iterations)
            samples = [run(iterations) / iterations for _ in range(rounds)]
        self.stats = Metadata(self, samples, iterations)
        return function_to_benchmark(*args, **kwargs)

    def pedantic(
        self,
        target: Callable[..., T],
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
        setup: Callable[[], Any] | None = None,
        teardown: Callable[..., Any] | None = None,
        rounds: int = 1,
        warmup_rounds: int = 0,
        iterations: int = 1,
    ) -> T:
        """Measures so many rounds of so many calls. setup is called before each round, and may give
        (args, kwargs) for it; teardown after it, with these. ValueError for what can not be."""
        __tracebackhide__ = True
        self._use("benchmark.pedantic(...)")
        _check(rounds, warmup_rounds, iterations, setup)
        samples = []
        with self._quiet():
            for number in range(warmup_rounds + rounds):
                given = _arguments(setup, args, kwargs)
                calls = _Calls(target, *given, self._timer)
                seconds = calls(iterations)
                if teardown is not None:
                    teardown(*given[0], **given[1])
                if number >= warmup_rounds:
                    samples.append(seconds / iterations)
        self.stats = Metadata(self, samples, iterations)
        if iterations == 1:
            return calls.result  # type: ignore[no-any-return]
        result = target(*args, **kwargs or {})
        if teardown is not None:
            teardown(*args, **kwargs or {})
        return result

    @property
    def _timer(self) -> Timer:
        return self.options["timer"]  # type: ignore[no-any-return]

    def _use(self, how: str) -> None:
        __tracebackhide__ = True
        if self._used:
            raise FixtureAlreadyUsed(
                f"the fixture benchmark measures one thing a test, and {self._used} was called"
                " before; write a test for each."
            )
        self._used = how

    @contextmanager
    def _quiet(self) -> Iterator[None]:
        """With garbage collection as asked for, and no recording of the session."""
        collects = gc.isenabled()
        with self._off():
            if self.options["disable_gc"]:
                gc.disable()
            try:
                yield
            finally:
                if collects:
                    gc.enable()

    def _calibrated(self, run: Callable[[int], float]) -> tuple[int, float]:
        """How many calls make a round, and the seconds of one."""
        __tracebackhide__ = True
        precision = self.options["calibration_precision"]
        least = max(self.options["min_time"], _resolution(self._timer) * precision)
        count = 1
        while True:
            duration = run(count)
            if duration < _SHORT:  # a first call is longer than others
                duration = min(duration, run(count), run(count))
            if duration >= least:
                return count, duration
            grown = math.ceil(least * count / duration) if duration * precision >= least else 0
            count = max(grown, count + 1) if grown else count * 10


def _check(rounds: int, warmup_rounds: int, iterations: int, setup: object) -> None:
    for name, number, least in (
        ("rounds", rounds, 1),
        ("warmup_rounds", warmup_rounds, 0),
        ("iterations", iterations, 1),
    ):
        if not isinstance(number, int) or isinstance(number, bool) or number < least:
            raise ValueError(f"{name} needs a whole number of {least} or more, not {number!r}")
    if setup is not None and iterations != 1:
        raise ValueError("setup is called once a round, so iterations needs to be 1 with it")


def _arguments(
    setup: Callable[[], Any] | None, args: tuple[Any, ...], kwargs: dict[str, Any] | None
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    made = setup() if setup is not None else None
    if made is None:
        return args, kwargs or {}
    if args or kwargs:
        raise TypeError("setup gives the arguments, so there can be no args and kwargs beside it")
    return made[0], made[1]


class _Calls:
    """Calls a function so many times; gives the seconds. Keeps the result of a single call."""

    def __init__(self, function: Callable[..., Any], args: Any, kwargs: Any, timer: Timer) -> None:
        self.function, self.args, self.kwargs, self.timer = function, args, kwargs, timer
        self.result: Any = None

    def __call__(self, count: int) -> float:
        __tracebackhide__ = True
        function, args, kwargs, timer = self.function, self.args, self.kwargs, self.timer
        if count == 1:
            begun = timer()
            self.result = function(*args, **kwargs)
            return timer() - begun
        loops = range(count)
        begun = timer()
        for _ in loops:
            function(*args, **kwargs)
        return timer() - begun


def _resolution(timer: Timer) -> float:
    """The least step of a clock that is not nothing."""
    least = math.inf
    for _ in range(20):
        begun = now = timer()
        while now == begun:
            now = timer()
        least = min(least, now - begun)
    return least


def _options(node: pytest.Item) -> dict[str, Any]:
    marker = node.get_closest_marker("benchmark")
    options = dict(marker.kwargs) if marker else {}
    unknown = [name for name in options if name not in _DEFAULTS and name not in _LEFT_TO_OTHERS]
    if (marker and marker.args) or unknown:
        named = f"no option {unknown[0]!r}" if unknown else "options by name only"
        pytest.fail(
            f"fettle: @pytest.mark.benchmark has {named}; there are {', '.join(_DEFAULTS)}.",
            pytrace=False,
        )
    return options


@contextmanager
def of(config: pytest.Config, node: pytest.Item) -> Iterator[Benchmark]:
    """The fixture of one test; its results are kept for the end."""
    session: Any = config.pluginmanager.getplugin("fettle-session")
    fixture = Benchmark(node, _options(node), session.off if session else nullcontext)
    results = table_of(config)
    yield fixture
    if not fixture._used:
        warnings.warn(f"{node.nodeid} has the fixture benchmark and did not use it", stacklevel=2)
    elif fixture.stats is not None:
        results.keep(node, fixture.stats)
