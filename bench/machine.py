# SPDX-License-Identifier: Apache-2.0
"""On what a benchmark ran: without it its figures mean nothing."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import subprocess
import sys
import sysconfig
from pathlib import Path


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.processor()


def _version_of(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def _commit() -> str | None:
    """The commit of this source tree, with a plus when there is more than that."""
    command = ["git", "-C", str(Path(__file__).parent), "describe", "--always", "--dirty=+"]
    try:
        done = subprocess.run(command, capture_output=True, text=True)
    except OSError:
        return None
    return done.stdout.strip() or None


def optimised() -> bool:
    """Was the interpreter compiled with a profile of itself? One that was not flatters an extension
    in C. Distributions do it in their own way, which the configuration does not tell.
    """
    by_configuration = "--enable-optimizations" in (sysconfig.get_config_var("CONFIG_ARGS") or "")
    return by_configuration or sys.base_prefix == "/usr"


def facts() -> dict[str, object]:
    return {
        "fettle": _version_of("fettle"),
        "commit": _commit(),
        "yappi": _version_of("yappi"),
        "line_profiler": _version_of("line_profiler"),
        "joblib": _version_of("joblib"),
        "diskcache": _version_of("diskcache"),
        "redis": _version_of("redis"),
        "python": sys.version,
        "executable": os.path.realpath(sys.executable),
        "optimised": optimised(),
        "configured": sysconfig.get_config_var("CONFIG_ARGS"),
        "compiled": sysconfig.get_config_var("PY_CFLAGS"),
        "system": platform.platform(),
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)),
    }
