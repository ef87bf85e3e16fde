# SPDX-License-Identifier: Apache-2.0
"""The data of numpy's arrays, beside what numpy tells the interpreter's own tracemalloc of it."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from . import consumers

THEIRS = ["numpy 2", "numpy 1"]

# One statement a line, so that a line that differs says what is wrong. np.void is not here: its
# data are not allocated by a handler (docs/adr/0012).
PROGRAM = """\
import contextvars, threading

def in_thread(function):
    thread = threading.Thread(target=function)
    thread.start()
    thread.join()

def work(np, old):
    kept = []
    kept.append(np.zeros(1000))
    kept.append(np.ones((100, 100)))
    kept.extend(np.arange(i + 1) for i in range(50))
    kept.append(np.empty(0))
    kept.append(np.empty((0, 3)))
    kept.append(np.array(["abc", "defgh"]))
    kept.append(np.array([1, "x", None], dtype=object))
    kept.append(np.arange(1000).reshape(10, 100) @ np.ones((100, 5)))
    kept.append(np.sort(np.arange(5000)[::-1]))
    kept.append(np.where(np.arange(100) % 2)[0])
    kept.append(np.linalg.inv(np.eye(20)))
    kept.append(np.concatenate([kept[0], kept[0]]))
    kept.append(np.frombuffer(b"not allocated", dtype="u1"))
    grown, shrunk = np.arange(10), np.arange(10_000)
    grown.resize(10_000, refcheck=False)
    shrunk.resize(10, refcheck=False)
    kept += [grown, shrunk]
    for array in old:
        array.resize(300, refcheck=False)
    del old[:10]
    for i in range(1000):
        np.sin(np.arange(i + 10.0))
    in_thread(lambda: kept.append(np.zeros(2000)))
    in_thread(lambda: [np.zeros(300) for _ in range(30)])
    shared = [np.zeros(400) for _ in range(40)]
    in_thread(shared.clear)
    kept.append(contextvars.Context().run(np.ones, 600))
    return kept
"""

# Prints of each line of PROGRAM what of numpy's is alive.
COMPARED = """\
import json, sys, tracemalloc
from fettle._core import Recorder

tool, when, program = sys.argv[1:]
space = {}
with open(program) as file:
    exec(compile(file.read(), program, "exec"), space)
old = []
if when == "numpy first":
    import numpy
    old = [numpy.arange(i) for i in range(20)]
lines = {}
if tool == "tracemalloc":
    tracemalloc.start()
    import numpy
    kept = space["work"](numpy, old)
    snapshot = tracemalloc.take_snapshot()
    domain = tracemalloc.DomainFilter(True, numpy.lib.tracemalloc_domain)
    for row in snapshot.filter_traces([domain]).statistics("lineno"):
        if row.traceback[0].filename == program:
            lines[row.traceback[0].lineno] = [row.size, row.count]
else:
    recorder = Recorder(calls=False, mem=True)
    recorder.start()
    import numpy
    kept = space["work"](numpy, old)
    for (domain, size, ((file, line), *_), _), count in recorder.traces():
        if domain == numpy.lib.tracemalloc_domain and file == program:
            sum = lines.setdefault(line, [0, 0])
            sum[0] += size * count
            sum[1] += count
    recorder.stop()
print(json.dumps(lines))
"""

# What programs below begin with: rows() is what of numpy's is alive in this file, by line.
HEAD = """\
import collections, ctypes, json, os, sys
from fettle._core import Profile, Recorder
DOMAIN = 389047

def recording(**options):
    recorder = Recorder(calls=False, **{"mem": True} | options)
    recorder.start()
    return recorder

def rows(recorder):
    sizes = collections.Counter()
    for (domain, size, (place, *_), _), count in recorder.traces():
        if domain == DOMAIN and place[0] == __file__:
            sizes[size] += count
    return [sum(size * count for size, count in sizes.items()), sizes.total()]

def say(*what):
    print(json.dumps(what))
"""

# numpy's default handler, by way of ctypes: pointer() is what its capsule leads to.
HANDLERS = """\
class Handler(ctypes.Structure):
    _fields_ = [("name", ctypes.c_char * 127), ("version", ctypes.c_uint8)]
    _fields_ += [(name, ctypes.c_void_p) for name in "context malloc calloc realloc free".split()]

def find():
    from numpy.linalg import _umath_linalg
    module = sys.modules.get("numpy._core._multiarray_umath") or np.core._multiarray_umath
    get = ctypes.pythonapi.PyCapsule_GetPointer
    get.restype, get.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]
    table = ctypes.cast(get(module._ARRAY_API, None), ctypes.POINTER(ctypes.c_void_p))
    return get, table

def capsule():
    _, table = find()
    return ctypes.cast(table[306], ctypes.POINTER(ctypes.py_object)).contents.value

def pointer():
    return find()[0](capsule(), b"mem_handler")

def lead_to(address):
    change = ctypes.pythonapi.PyCapsule_SetPointer
    change.argtypes = [ctypes.py_object, ctypes.c_void_p]
    assert change(capsule(), address) == 0

def copied():
    return Handler.from_buffer_copy(ctypes.string_at(pointer(), ctypes.sizeof(Handler)))
"""


@pytest.fixture(params=THEIRS)
def numpy(request: pytest.FixtureRequest) -> str:
    """The folder of one version."""
    return consumers.path(request.param)


def run(numpy: str, *words: str | Path) -> str:
    done = subprocess.run(
        [sys.executable, *words],
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": numpy, "OPENBLAS_NUM_THREADS": "1"},
        capture_output=True,
        check=False,
        text=True,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def said(numpy: str, folder: Path, program: str) -> list[Any]:
    """What the program says, one list a call of say()."""
    path = folder / "program.py"
    path.write_text(HEAD + program)
    return [json.loads(line) for line in run(numpy, path).splitlines()]


@pytest.mark.parametrize("when", ["numpy first", "recording first"])
def test_each_line_has_what_tracemalloc_gives_it(numpy: str, tmp_path: Path, when: str) -> None:
    compared, program = tmp_path / "compared.py", tmp_path / "program.py"
    compared.write_text(COMPARED)
    program.write_text(PROGRAM)
    ours, theirs = (
        json.loads(run(numpy, compared, tool, when, program)) for tool in ["fettle", "tracemalloc"]
    )
    assert len(theirs) > 10
    assert ours == theirs


def test_all_that_was_allocated_counts(numpy: str, tmp_path: Path) -> None:
    program = """
import numpy as np
recorder = recording()
made = 0
for i in range(1000):
    made += np.zeros(i + 1).nbytes
here = [site for site in recorder.profile().sites() if site.domain == DOMAIN]
recorder.stop()
say(made, 1000)
say(sum(site.total_bytes for site in here), sum(site.total_count for site in here))
say(sum(site.temporary_count for site in here) > 990, sum(site.alive_count for site in here))
"""
    made, counted, ends = said(numpy, tmp_path, program)
    assert counted == made
    assert ends == [True, 0]


def test_a_thread_that_imports_numpy_while_the_main_one_waits(numpy: str, tmp_path: Path) -> None:
    program = """
import threading
recorder, kept = recording(), []
def work():
    import numpy as np
    kept.append(np.zeros(1000))
thread = threading.Thread(target=work)
thread.start()
thread.join()
say(rows(recorder))
recorder.stop()
"""
    assert said(numpy, tmp_path, program) == [[[8000, 1]]]


def test_a_sample_has_what_arrays_take(numpy: str, tmp_path: Path) -> None:
    """Blocks of eight times the mean interval: one in three thousand is missed."""
    program = """
recorder = recording(mem="sample")
import numpy as np
kept = [np.zeros(1 << 17) for _ in range(200)]
say(rows(recorder)[0] / (200 << 20))
recorder.stop()
"""
    [[part]] = said(numpy, tmp_path, program)
    assert part == pytest.approx(1, abs=0.05)


def test_the_handler_is_numpys_own_again(numpy: str, tmp_path: Path) -> None:
    program = """
import numpy as np
first = pointer()
for _ in range(100):
    recorder = recording()
    assert pointer() != first
    assert copied().name == b"default_allocator"
    recorder.stop()
say(pointer() == first)
"""
    assert said(numpy, tmp_path, HANDLERS + program) == [[True]]


def test_arrays_outlive_the_recording_of_their_making(numpy: str, tmp_path: Path) -> None:
    program = """
import numpy as np
first = recording()
arrays = [np.arange(i * 100) for i in range(100)]
first.stop()
for array in arrays:
    array.resize(50, refcheck=False)
del arrays[:50]
second = recording()
del arrays[:]
others = [np.arange(1000)]
say(rows(second))
second.stop()
"""
    assert said(numpy, tmp_path, program) == [[[8000, 1]]]


def test_recordings_overlap(numpy: str, tmp_path: Path) -> None:
    program = """
import numpy as np
first = recording()
a = np.zeros(100)
second = recording()
b = np.zeros(200)
say(rows(first), rows(second))
first.stop()
c = np.zeros(300)
del a, b
say(rows(second))
second.stop()
"""
    assert said(numpy, tmp_path, program) == [[[2400, 2], [1600, 1]], [[2400, 1]]]


def test_another_tools_handler_over_ours_stays(numpy: str, tmp_path: Path) -> None:
    """It calls ours, which calls numpy's: each block counts once, with it and without."""
    program = """
import numpy as np
own = pointer()
recorder = recording()
ours, theirs = pointer(), copied()
lead_to(ctypes.addressof(theirs))
a = np.zeros(100)
say(rows(recorder))
recorder.stop()
say(pointer() == ctypes.addressof(theirs))
recorder = recording()
b = np.zeros(200)
say(rows(recorder))
lead_to(ours)
del a
c = np.zeros(300)
say(rows(recorder))
recorder.stop()
say(pointer() == own)
"""
    expected = [[[800, 1]], [True], [[1600, 1]], [[4000, 2]], [True]]
    assert said(numpy, tmp_path, HANDLERS + program) == expected


def test_a_handler_that_was_put_back_over_ours(numpy: str, tmp_path: Path) -> None:
    """A tool that began before fettle and ends before it takes ours away with its own."""
    program = """
import numpy as np
own, theirs = pointer(), copied()
lead_to(ctypes.addressof(theirs))
first = recording()
lead_to(own)
a = np.zeros(100)
say(rows(first))
first.stop()
second = recording()
b = np.zeros(200)
say(rows(second))
second.stop()
say(pointer() == own)
"""
    assert said(numpy, tmp_path, HANDLERS + program) == [[[0, 0]], [[1600, 1]], [True]]


def test_an_allocator_of_the_programs_own_is_left_alone(numpy: str, tmp_path: Path) -> None:
    program = """
import numpy as np
theirs, name = copied(), ctypes.c_char_p(b"mem_handler")
new = ctypes.pythonapi.PyCapsule_New
new.restype, new.argtypes = ctypes.py_object, [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p]
own = new(ctypes.addressof(theirs), name, None)
set = ctypes.PYFUNCTYPE(ctypes.py_object, ctypes.py_object)(find()[1][304])
recorder = recording()
before = set(own)
a = np.zeros(100)
say(rows(recorder))
set(before)
b = np.zeros(200)
del a
say(rows(recorder))
recorder.stop()
c = np.zeros(300)
"""
    assert said(numpy, tmp_path, HANDLERS + program) == [[[0, 0]], [[1600, 1]]]


def test_each_process_of_a_run_has_its_arrays(numpy: str, tmp_path: Path) -> None:
    app, show = tmp_path / "app.py", tmp_path / "show.py"
    app.write_text("""\
import os
import numpy as np
kept = [np.zeros(1000)]
if os.fork() == 0:
    kept.append(np.zeros(2000))
else:
    assert os.wait()[1] == 0
""")
    show.write_text("""\
import json, sys
from fettle._core import Profile
sites = [site for site in Profile.read(sys.argv[1]).sites() if site.file == sys.argv[2]]
print(json.dumps([(site.line, site.alive_bytes) for site in sites if site.domain]))
""")
    run(numpy, "-m", "fettle", "run", "-M", "-q", "-o", tmp_path / "app.fettle", app)
    shown = json.loads(run(numpy, show, tmp_path / "app.fettle", app))
    assert sorted(shown) == [[3, 8000], [5, 16000]]
