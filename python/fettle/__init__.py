# SPDX-License-Identifier: Apache-2.0
"""fettle: measure, find, fix, prove.

Importing this package loads nothing else: every recorded program imports it. What it offers is
loaded when it is first asked for.

    run     records a part of the program: fettle.inside.Run
    lines   marks a function or class for the line profile, and returns it as it is; also: profile
    mark    mark("loaded") is a named point of the memory that is recorded, to compare with others
    sizeof  the bytes that an object takes; deep=True: with all that it leads to
    layout  what an instance of a class takes, and would take with __slots__
    census  who fills the heap, class by class
    slots   a class decorator: the same class with __slots__
    stopwatch  measures a block or a function: elapsed, on the CPU, waiting; also a decorator
    cache   a decorator that keeps the results of a function
    table   a decorator: all answers of a function, computed beforehand
    time    how long statements and functions take, and which is faster
    costs   what the common constructs cost on this machine and this interpreter
    dis     prints the bytecode of an object, with its source, counts and times, or beside another
    Memo    results that outlive the process: Memo("folder") is a decorator

To pytest, which would rewrite what has a plugin of it: PYTEST_DONT_REWRITE
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from fettle._core import mark as lines
    from fettle._core import mark as profile
    from fettle._core import point as mark
    from fettle.bytecode.interface import dis
    from fettle.caching.decorator import cache
    from fettle.caching.lookup import table
    from fettle.caching.memo import Memo
    from fettle.inside import Run as run
    from fettle.objects.census import census
    from fettle.objects.layout import layout
    from fettle.objects.size import sizeof
    from fettle.objects.slotted import slots
    from fettle.timing.costs import costs
    from fettle.timing.interface import time
    from fettle.timing.stopwatch import stopwatch

__all__ = [
    "Memo",
    "cache",
    "census",
    "costs",
    "dis",
    "layout",
    "lines",
    "mark",
    "profile",
    "run",
    "sizeof",
    "slots",
    "stopwatch",
    "table",
    "time",
]
__version__ = "0.1.0"  # as in meson.build; a test holds the two together

_ELSEWHERE = {
    "Memo": "fettle.caching.memo",
    "cache": "fettle.caching.decorator",
    "census": "fettle.objects.census",
    "costs": "fettle.timing.costs",
    "dis": "fettle.bytecode.interface",
    "layout": "fettle.objects.layout",
    "load_ipython_extension": "fettle.notebook.extension",
    "sizeof": "fettle.objects.size",
    "slots": "fettle.objects.slotted",
    "stopwatch": "fettle.timing.stopwatch",
    "table": "fettle.caching.lookup",
    "time": "fettle.timing.interface",
    "unload_ipython_extension": "fettle.notebook.extension",
}


def __getattr__(name: str) -> object:
    found: object = None
    if name == "run":
        from fettle.inside import Run

        found = Run
    elif name in {"lines", "profile"}:
        from fettle import _core

        found = _core.mark
    elif name == "mark":
        from fettle import _core

        found = _core.point
    elif name in _ELSEWHERE:
        found = getattr(__import__(_ELSEWHERE[name], fromlist=[name]), name)
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
