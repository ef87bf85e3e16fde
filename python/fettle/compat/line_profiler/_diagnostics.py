# SPDX-License-Identifier: Apache-2.0
"""Switches for whoever looks into kernprof itself, read from the environment once, and the log."""

import os

from . import _logger

_TRUE = ("1", "on", "true", "yes")


def _switch(name: str) -> bool:
    return os.environ.get(name, "").casefold() in _TRUE


DEBUG = _switch("LINE_PROFILER_DEBUG")
NO_EXEC = _switch("LINE_PROFILER_NO_EXEC")
KEEP_TEMPDIRS = _switch("LINE_PROFILER_KEEP_TEMPDIRS")
STATIC_ANALYSIS = _switch("LINE_PROFILER_STATIC_ANALYSIS")
WRAP_TRACE = _switch("LINE_PROFILER_WRAP_TRACE")
SET_FRAME_LOCAL_TRACE = _switch("LINE_PROFILER_SET_FRAME_LOCAL_TRACE")

log = _logger.Logger("line_profiler")
