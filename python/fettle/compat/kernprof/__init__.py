# SPDX-License-Identifier: Apache-2.0
"""kernprof's interface over fettle's engine: runs a script, a module or a line of code, and
records its lines (-l) or its calls.

    python -m fettle.compat.kernprof -lv app.py

The options, the name `profile` among the builtins and the files are kernprof's own.
"""

from fettle.compat.line_profiler import __version__

from .arguments import parse
from .contextual import ContextualProfile
from .execution import execfile, main
from .found import find_module_script, find_script
from .repeated import RepeatedTimer

__all__ = [
    "ContextualProfile",
    "RepeatedTimer",
    "__version__",
    "execfile",
    "find_module_script",
    "find_script",
    "main",
    "parse",
]
