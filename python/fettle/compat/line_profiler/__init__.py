# SPDX-License-Identifier: Apache-2.0
"""line_profiler's interface over fettle's engine.

    from fettle.compat.line_profiler import LineProfiler, profile

    python -m fettle.compat.kernprof -l -v app.py
    python -m fettle.compat.line_profiler app.py.lprof

The names, arguments, tables and files are line_profiler's own, so that what was written for it goes
on working; recording costs less, and is right for recursion and threads. `profile` decorates, and
records when LINE_PROFILE is set in the environment.
"""

from ._line_profiler import __version__
from .explicit_profiler import profile
from .line_profiler import (
    LineProfiler,
    LineStats,
    load_ipython_extension,
    load_stats,
    main,
    show_func,
    show_text,
)

__all__ = (
    "LineProfiler",
    "LineStats",
    "__version__",
    "line_profiler",
    "load_ipython_extension",
    "load_stats",
    "main",
    "profile",
    "show_func",
    "show_text",
)
