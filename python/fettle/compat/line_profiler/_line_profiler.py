# SPDX-License-Identifier: Apache-2.0
"""What records: the functions of a LineProfiler, their codes, and the engine's recorder for them.

LineProfiler (line_profiler.py) adds everything that decides what a function is and what is printed.
A table is known by its label: file, first line, qualified name. Functions with one label are one.
"""

import sys
import threading
from collections import Counter
from contextlib import suppress
from opcode import opmap
from types import CodeType, FunctionType
from typing import Any
from warnings import warn
from weakref import WeakKeyDictionary, WeakSet

from fettle import _core

from . import _diagnostics

__version__ = "5.0.2"  # of line_profiler: the one whose interface this is

Label = tuple[str, int, str]
Row = tuple[int, int, int]  # line, hits, time in units of the profiler's timer
Timings = dict[Label, list[Row]]

TIMER_UNIT = 1e-9  # seconds; the engine's clock counts nanoseconds
_PADDING = bytes([opmap["RETURN_VALUE"], 0xFF])  # the compiler gives it no such argument

# How many of the functions added so far have the same bytecode, but for padding.
_alike: Counter[bytes] = Counter()
_profilers: "WeakKeyDictionary[Any, WeakSet[LineProfiler]]" = WeakKeyDictionary()


class LineStats:
    """What was recorded: {(file, first line, name): [(line, hits, time), ...]}, and the unit of the
    times in seconds."""

    def __init__(self, timings: Timings, unit: float) -> None:
        self.timings = timings
        self.unit = unit


class LineProfiler:
    """Records the lines of the functions that were added to it, in all threads, while it is on."""

    timer_unit = TIMER_UNIT

    def __init__(
        self,
        *functions: Any,
        wrap_trace: bool | None = None,
        set_frame_local_trace: bool | None = None,
    ) -> None:
        self.functions: list[Any] = []
        self.code_hash_map: dict[CodeType, list[int]] = {}
        self.dupes_map: dict[bytes, list[CodeType]] = {}
        self.threaddata = threading.local()
        self._recorder = _core.Recorder(calls=False, lines=True, alone=True, lingers=True)
        # How a trace function is chained to others: there is none, so both only keep their value.
        self.wrap_trace = _diagnostics.WRAP_TRACE if wrap_trace is None else wrap_trace
        self.set_frame_local_trace = (
            _diagnostics.SET_FRAME_LOCAL_TRACE
            if set_frame_local_trace is None
            else set_frame_local_trace
        )
        for function in functions:
            self.add_function(function)

    def add_function(self, func: Any) -> None:
        """Profiles a Python function, or anything with a `__code__`. Warns where there is none, and
        of a wrapper, whose own lines are rarely what one wants to see."""
        if hasattr(func, "__wrapped__"):
            name = getattr(func, "__name__", repr(func))
            warn(
                "Adding a function with a `.__wrapped__` attribute. You may want to profile the"
                f" wrapped function by adding `{name}.__wrapped__` instead.",
                stacklevel=2,
            )
        function = func if hasattr(func, "__code__") else getattr(func, "__func__", None)
        code = getattr(function, "__code__", None)
        if not isinstance(code, CodeType) or not any(code.co_code):  # Cython's have a mock
            warn(f"Could not extract a code object for the object {func!r}", stacklevel=2)
            return
        for profiler in _distinguish(function, self):
            profiler._mark(function)
        self.dupes_map.setdefault(_unpadded(code), []).append(code)
        self.functions.append(func)

    def _mark(self, function: Any) -> None:
        real = function
        if not isinstance(function, FunctionType):
            real = FunctionType(function.__code__, {})
        self._recorder.mark(real)
        with suppress(RuntimeError):  # no hook is free: that is said when the profiler is enabled
            self._recorder.start()  # 3.11 runs a copy of the code from here on, generators too
            self._recorder.stop()
        code = real.__code__
        if real is not function:
            function.__code__ = code
        lines = {line for _, _, line in code.co_lines() if line is not None}
        self.code_hash_map[code] = [hash((code.co_code, line)) for line in sorted(lines)]

    # ---- on and off ----

    @property
    def enable_count(self) -> int:
        """How often enable_by_count() was called in this thread and not undone."""
        return getattr(self.threaddata, "enable_count", 0)

    @enable_count.setter
    def enable_count(self, value: int) -> None:
        self.threaddata.enable_count = value

    def enable_by_count(self) -> None:
        """Switches recording on; each call needs a disable_by_count() of its own.

        RuntimeError when no hook is free; it then needs none.
        """
        self.enable_count += 1  # first: a finaliser may come here between the two
        if self.enable_count > 1:
            return
        try:
            self.enable()
        except RuntimeError:
            self.enable_count -= 1
            raise

    def disable_by_count(self) -> None:
        """Undoes one enable_by_count(); without one it does nothing."""
        if self.enable_count > 0:
            self.enable_count -= 1
            if self.enable_count == 0:
                self.disable()

    def enable(self) -> None:
        """Switches recording on, unless this thread did. RuntimeError when no hook is free."""
        if not getattr(self.threaddata, "on", False):
            self._recorder.start()
            self.threaddata.on = True

    def disable(self) -> None:
        """Switches recording off, unless another thread has it on."""
        if getattr(self.threaddata, "on", False):
            self.threaddata.on = False
            self._recorder.stop()

    # ---- what was recorded ----

    def get_stats(self) -> LineStats:
        """What was recorded so far: every function that was added, and the lines of it that ran."""
        timings: dict[Label, list[Row]] = {label(code): [] for code in self.code_hash_map}
        for file, first, _, qualname, _, rows in self._recorder.profile().lines():
            timings[file, first, qualname] = [(n, hits, time) for n, hits, time, *_ in rows if hits]
        return LineStats(timings, self.timer_unit)

    @property
    def code_map(self) -> dict[CodeType, dict[int, dict[str, Any]]]:
        """By code and line, {"code", "lineno", "total_time", "nhits"}."""
        timings = self.get_stats().timings
        return {
            code: {
                line: _entry(code, line, hits, time) for line, hits, time in timings[label(code)]
            }
            for code in self.code_hash_map
        }

    @property
    def c_code_map(self) -> dict[int, dict[int, dict[str, Any]]]:
        """As code_map, by the hashes of code_hash_map."""
        return {
            hash((code.co_code, line)): {line: entry}
            for code, entries in self.code_map.items()
            for line, entry in entries.items()
        }

    @property
    def last_time(self) -> dict[CodeType, dict[str, int]]:
        """The functions that are being recorded in this thread right now, and where they are.

        KeyError when the profiler was never on in this thread.
        """
        on = getattr(self.threaddata, "on", None)
        if on is None:
            here = threading.get_ident()
            raise KeyError(f"No profiling data on the current thread ({here})")
        labels = set(map(label, self.code_hash_map))
        found: dict[CodeType, dict[str, int]] = {}
        frame = sys._getframe(1) if on else None
        while frame is not None:
            if label(frame.f_code) in labels:  # 3.11 runs a copy of the code
                found.setdefault(frame.f_code, {"f_lineno": frame.f_lineno})
            frame = frame.f_back
        return found

    @property
    def c_last_time(self) -> dict[int, dict[str, int]]:
        """As last_time, by the hash of the bytecode."""
        return {hash(code.co_code): where for code, where in self.last_time.items()}


def label(code: CodeType | str) -> Label:
    """The key of a table: file, first line, qualified name; ("~", 0, name) for a mere name."""
    if isinstance(code, str):
        return ("~", 0, code)
    return (code.co_filename, code.co_firstlineno, code.co_qualname)


def _entry(code: CodeType, line: int, hits: int, time: int) -> dict[str, Any]:
    return {"code": code, "lineno": line, "total_time": time, "nhits": hits}


def _distinguish(function: Any, profiler: LineProfiler) -> "WeakSet[LineProfiler]":
    """Makes the bytecode of function unlike that of every function added before, this one included.

    Codes that are equal are one key of a dictionary, whatever file they are from; what nothing
    reaches, at their end, makes them differ. Gives the profilers that have the function.
    """
    try:
        owners = _profilers.setdefault(function, WeakSet())
    except TypeError:  # something with a __code__ that is not a function
        owners = WeakSet()
    code = function.__code__
    base = _unpadded(code)
    padded = (len(code.co_code) - len(base)) // len(_PADDING)
    count = _alike[base]
    if count or owners:
        count = max(count, padded + 1)
        function.__code__ = _with_padding(code, count - padded)
    _alike[base] = max(count, padded) + 1
    owners.add(profiler)
    return owners


def _with_padding(code: CodeType, count: int) -> CodeType:
    """With so many instructions after its end, which are at no place of the source."""
    runs = [min(8, count - done) for done in range(0, count, 8)]  # a location is of 8 units at most
    locations = bytes(0b1_1111_000 | run - 1 for run in runs)  # "no location": code 15
    return code.replace(
        co_code=code.co_code + _PADDING * count, co_linetable=code.co_linetable + locations
    )


def _unpadded(code: CodeType) -> bytes:
    base = code.co_code
    while base.endswith(_PADDING):
        base = base[: -len(_PADDING)]
    return base
