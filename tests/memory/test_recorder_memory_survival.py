# SPDX-License-Identifier: Apache-2.0
"""What a recording of memory takes for itself stays small, and nothing that the program does
while it is looked at ends it."""

import subprocess
import sys

import pytest

GROWTH = """
import sys
from fettle import _core

def resident():
    return int(open("/proc/self/statm").read().split()[1]) << 12

recorder = _core.Recorder(calls=False, mem=True)
kept = [type("Class", (), {{}}) for i in range(3000)]
objects = [made() for made in kept]
{prepare}
for i in range({rounds} + 10):
    if i == 10:
        before = resident()
    {step}
print(resident() - before)
"""

FINALISER = """
import gc
from fettle import _core

recorder = _core.Recorder(calls=False, mem=True, frames=3)
todo = []

class Ended:
    def __init__(self):
        self.itself = self

    def __del__(self):
        while todo:
            todo.pop()()
            junk = [b"\\1" * 40 * i for i in range(900)]

def end():
    recorder.stop()
    recorder.clear()

recorder.start()
kept = [bytearray(i % 900 + 1) for i in range(5000)]
for look in (recorder.traces, lambda: recorder.trace_of(kept[0])):
    for action in (recorder.clear, recorder.forget, recorder.stop, end):
        gc.collect()
        for _ in range(50):
            Ended()
        todo[:] = [action]
        gc.set_threshold(1)
        look()
        gc.set_threshold(700)
        todo.clear()
        recorder.start()
print("ended")
"""


def output(program: str) -> str:
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize(
    ("prepare", "step", "rounds"),
    [
        ("", "with recorder: made = [i]", 60),
        ("recorder.start()", "recorder.profile()", 60),
        (
            "code = compile('made = [1]' + '; x = 1' * 20000, 'long.py', 'exec')\nrecorder.start()",
            "exec(code.replace(co_firstlineno=i + 1))",
            180,
        ),
    ],
    ids=["starts", "profiles", "dead code"],
)
def test_what_is_looked_at_often_does_not_grow(prepare: str, step: str, rounds: int) -> None:
    grown = int(output(GROWTH.format(prepare=prepare, step=step, rounds=rounds)))
    assert grown < 6 << 20


def test_finalisers_end_a_recording_while_it_is_looked_at() -> None:
    """Until 3.11 they run wherever objects are made."""
    assert output(FINALISER) == "ended\n"


NO_MEMORY = """
import _testcapi
from fettle import _core

for failing in range(40):
    recorder = _core.Recorder(calls=False, mem=True, frames=2)
    _testcapi.set_nomemory(failing, failing + 40)
    try:
        recorder.start()
        made = [bytearray(30) for _ in range(5)]
        recorder.traces()
        recorder.trace_of(made)
        recorder.point("made")
        recorder.profile()
    except MemoryError:
        pass
    finally:
        _testcapi.remove_mem_hooks()
    while recorder.active:
        recorder.stop()
    recorder.start()
    made = bytes(3000)
    assert recorder.trace_of(made), failing
    recorder.stop()
print("ended")
"""


def test_memory_runs_out_anywhere() -> None:
    pytest.importorskip("_testcapi")
    assert output(NO_MEMORY) == "ended\n"
