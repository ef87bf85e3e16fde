# SPDX-License-Identifier: Apache-2.0
"""The examples in the docstrings of fettle.compat give what they say, and importing it is light."""

import doctest
import importlib
import subprocess
import sys

import pytest

LINE_PROFILER = ["_logger", "cli_utils", "line_profiler", "line_profiler_utils", "line_stats"]
LINE_PROFILER += ["scoping_policy", "text"]
MODULES = [
    "cProfile",
    "dis",
    "entries",
    "functools",
    "timeit",
    "listing",
    "tracemalloc",
    *(f"line_profiler.{name}" for name in LINE_PROFILER),
]


@pytest.mark.parametrize("name", MODULES)
def test_examples(name, monkeypatch):
    module = importlib.import_module(f"fettle.compat.{name}")
    tried = doctest.testmod(module)
    assert tried.attempted > 0
    assert tried.failed == 0


def test_importing_loads_little():
    code = (
        "import sys; before = set(sys.modules); from fettle.compat import cProfile;"
        "print(*sorted(set(sys.modules) - before))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert all(name in {"atexit"} or name.startswith("fettle") for name in done.stdout.split())
