# SPDX-License-Identifier: Apache-2.0
"""Line recorders in hostile programs: code of the program's that runs while functions are marked or
let go of, and ends the recorder meanwhile; another tool that takes the hooks. Each program runs in
a process of its own, where freed memory is overwritten: what is used after it was freed crashes."""

import os
import subprocess
import sys
import threading
import time

import pytest

from .tables import lines_of, tables_of

FUNCTIONS = """
import gc, sys, weakref
from fettle._core import Recorder, mark
def function(i, names={}):
    body = "".join(f" x = {n}\\n" for n in range(100))
    exec(compile(f"def f{i}():\\n{body}", f"f{i}.py", "exec"), names)
    return names[f"f{i}"]
functions = [function(i) for i in range(100)]
"""


def survives(program: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", FUNCTIONS + program],
        env=os.environ | {"MALLOC_PERTURB_": "165"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def test_an_attribute_that_ends_the_recorder_while_it_is_marked() -> None:
    out = survives("""
class Property(property):
    @property
    def fget(self):
        recorder.stop()
        recorder.clear()
        return functions[0]
recorder = Recorder(calls=False, lines=True)
recorder.start()
marked = Property(len)
print(recorder.mark(marked) is marked)
functions[0]()
print([table[4] for table in recorder.profile().lines()], recorder.active)
""")
    assert out == "True\n[0] False\n"


@pytest.mark.parametrize("marks", [False, True])
def test_a_finaliser_that_ends_the_recorder_while_functions_are_marked(marks: bool) -> None:
    out = survives(f"""
class Bomb:
    def __init__(self):
        self.me = self
    def __del__(self):
        global recorder
        if recorder is not None:
            recorder.stop()
            recorder.clear()
            recorder = None
gc.set_threshold(1, 1, 1)
for function in functions:
    recorder = Recorder(calls=False, lines=True, marks={marks})
    recorder.start()
    Bomb()
    (mark if {marks} else recorder.mark)(function)
    function()
    gc.collect()
    assert recorder is None
print(gc.isenabled())
""")
    assert out == "True\n"


def test_a_callback_that_clears_the_recorder_when_code_is_let_go_of() -> None:
    out = survives("""
recorder = Recorder(calls=False, lines=True)
for function in functions:
    recorder.mark(function)
recorder.start()
references = [weakref.ref(f.__code__, lambda _: recorder.clear()) for f in functions]
for function in functions:
    function()
recorder.stop()
recorder.start()
functions[0]()
recorder.stop()
print(recorder.profile().lines()[0][4:5], len(recorder.profile().lines()))
""")
    # 3.11 lets go of the rewritten code, so the callbacks run and what was recorded is forgotten
    assert out == ("(1,) 100\n" if sys.version_info < (3, 12) else "(2,) 100\n")


def test_a_callback_that_starts_the_recorder_again_while_it_is_cleared() -> None:
    out = survives("""
recorder = Recorder(calls=False, marks=True)
recorder.select("nowhere.to_be_found")
forgotten = function(1000, {})
mark(forgotten)
recorder.start()
forgotten()
recorder.stop()
reference = weakref.ref(forgotten.__code__, lambda _: recorder.start())
del forgotten
gc.collect()
print(recorder.active)
mark(functions[0])
recorder.clear()
print(recorder.active)
functions[0]()
recorder.stop()
recorder.clear()
print(recorder.profile().lines(), recorder.active)
""")
    assert out == "False\nTrue\n[] False\n"


def test_a_suspended_lambda_whose_function_is_marked_meanwhile() -> None:
    out = survives("""
def outer():
    return lambda: [
        (yield 1),
        (yield 2)]
inner = outer()
recorder = Recorder(calls=False, lines=True)
recorder.mark(inner)
recorder.start()
values = inner()
print(next(values))
for function in functions:
    recorder.mark(function)
recorder.mark(outer)
print(next(values), next(values, None))
recorder.stop()
print({table[2]: sum(row[1] for row in table[5]) for table in recorder.profile().lines()}["outer"])
""")
    assert (
        out == "1\n2 None\n1\n"
    )  # the line of (yield 2), after that of (yield 1) in its own table


@pytest.mark.skipif(sys.version_info < (3, 12), reason="there are no tools before 3.12")
def test_a_tool_that_takes_the_hooks() -> None:
    out = survives("""
one, other, third = functions[:3]
recorder, later = (Recorder(calls=False, marks=True) for _ in range(2))
mark(one)
recorder.start()
one()
for tool in range(6):
    if (sys.monitoring.get_tool(tool) or "").startswith("fettle"):
        sys.monitoring.free_tool_id(tool)
mark(other)
later.start()
mark(third)
for function in one, other, third:
    function()
recorder.stop()
later.stop()
print([table[4] for table in recorder.profile().lines()])
print([table[4] for table in later.profile().lines()])
print(recorder.profile().notes())
""")
    tables, later, notes = out.splitlines()
    assert (tables, later) == ("[2, 1, 1]", "[1, 1, 1]")
    assert "hook" in notes


def test_what_another_thread_waits_when_the_recorder_is_stopped() -> None:
    begun, done = threading.Event(), threading.Event()

    def wait() -> None:
        begun.set()
        done.wait()

    recorder = lines_of(wait)
    thread = threading.Thread(target=wait)
    with recorder:
        thread.start()
        begun.wait()
        until = time.thread_time() + 0.2
        while time.thread_time() < until:
            pass
    done.set()
    thread.join()
    (table,) = tables_of(recorder.profile()).values()
    row = table[3]
    assert row.time > 2e8
    assert row.waiting > 0.9 * row.time  # it had no CPU at all, whatever the thread that stops had
