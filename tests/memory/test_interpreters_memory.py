# SPDX-License-Identifier: Apache-2.0
"""Subinterpreters beside a recording: their blocks pass untold, and nothing of ours breaks."""

import sys

import pytest

from .apart import run

INTERPRETERS = """
import importlib
def find(*names):
    for name in names:
        try: return importlib.import_module(name)
        except ImportError: pass
    print("none"); sys.exit()
module = find("_interpreters", "_xxsubinterpreters")
def create(): return module.create()
def execute(interpreter, text): module.run_string(interpreter, text)
WORK = '''
class Node:
    def __init__(self, i): self.i, self.kept = i, [i] * (i % 50)
for turn in range(TURNS):
    kept = {}
    for i in range(3000):
        kept[i % 97] = [Node(i), {i: str(i)}, bytearray(i), f"{i}" * (i % 9)]
        if i % 100 == 0: exec(f"def f{i}(x): return [x, {i}]", {})
'''
def churn(turns): exec(WORK.replace("TURNS", str(turns)), {})
"""


def test_in_turn() -> None:
    """In the recording's own thread; most of what they allocate is not the recording's."""
    run(
        INTERPRETERS,
        """
        recorder = Recorder()
        recorder.start()
        for _ in range(5):
            other = create()
            execute(other, WORK.replace("TURNS", "1"))
            churn(1)
            module.destroy(other)
        total(recorder)
        recorder.stop()
        recorder.profile()
        """,
        options=("-W", "ignore"),
    )


@pytest.mark.skipif(sys.version_info < (3, 12), reason="3.11 itself hangs, recorded or not")
def test_at_the_same_time() -> None:
    """From 3.12 on each has a GIL of its own, where it was asked for: their hooks overlap."""
    run(
        INTERPRETERS,
        """
        recorder = Recorder(frames=3)
        recorder.start()
        def work():
            for _ in range(3):
                other = create()
                execute(other, WORK.replace("TURNS", "4"))
                module.destroy(other)
        threads = [threading.Thread(target=work) for _ in range(3)]
        for thread in threads: thread.start()
        while any(thread.is_alive() for thread in threads): churn(1)
        total(recorder)
        recorder.stop()
        recorder.profile()
        """,
        options=("-W", "ignore"),
    )


def test_left_behind_at_the_end() -> None:
    run(
        INTERPRETERS,
        """
        recorder = Recorder()
        recorder.start()
        other = create()
        execute(other, "kept = [str(i) for i in range(1000)]; import sys; sys.kept = kept")
        """,
        options=("-W", "ignore"),
    )


@pytest.mark.skipif(sys.version_info < (3, 12), reason="one GIL for all")
def test_a_recorder_there_is_refused() -> None:
    run(
        INTERPRETERS,
        """
        text = "from fettle import _core; _core.Recorder(calls=False, mem=True).start()"
        refused = "try: exec(" + repr(text) + ")\\nexcept (ImportError, RuntimeError): pass\\n"
        execute(create(), refused + "else: raise AssertionError")
        made = Recorder()
        made.start()
        total(made)
        """,
        options=("-W", "ignore"),
    )
