# SPDX-License-Identifier: Apache-2.0
"""meddler.c, compiled for this Python."""

import functools
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

import pytest

SOURCE = Path(__file__).with_name("meddler.c")
TRACING = {  # what the flag is called; from 3.13 on objects in reused blocks are heard of by both
    (3, 11): "_Py_tracemalloc_config.tracing",
    (3, 12): "_PyRuntime.tracemalloc.config.tracing",
}


@functools.cache
def library() -> str:
    """The path of the library; without a compiler the test is skipped."""
    compiler = shutil.which(os.environ.get("CC", "cc")) or shutil.which("gcc")
    include = sysconfig.get_path("include")
    if compiler is None or not Path(include, "Python.h").exists():
        pytest.skip("there is no C compiler, or no headers of this Python")
    folder = tempfile.mkdtemp(prefix="fettle-meddler-")
    made = Path(folder, "meddler.so")
    version = sys.version_info[:2]
    words = [f"-DSETS_TRACING={TRACING[version]}"] if version in TRACING else ["-DHAS_TRACER"]
    command = [compiler, "-shared", "-fPIC", "-O1", "-Wall", "-Werror", f"-I{include}", *words]
    subprocess.run([*command, str(SOURCE), "-o", str(made), "-lpthread"], check=True)
    return str(made)
