# SPDX-License-Identifier: Apache-2.0
"""How a program ends while its memory is recorded: quietly, with what it said and its status."""

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from .apart import PRELUDE, run
from .meddling import library

ENDINGS = {
    "left on": "recorder.start(); kept = [[i] for i in range(1000)]",
    "frames": "recorder = Recorder(frames=30); recorder.start(); kept = [[i] for i in range(999)]",
    "sampled": "recorder = Recorder(mem='sample'); recorder.start(); kept = [bytes(9999)] * 999",
    "in a builtin": "import builtins; builtins.kept = recorder; recorder.start()",
    "never freed": "recorder.start(); ctypes.pythonapi.Py_IncRef(ctypes.py_object(recorder))",
    "in a cycle": "recorder.start(); c = [recorder]; c.append(c); del recorder, c",
    "finaliser": """
        class Last:
            def __del__(self):
                self.made = [str(i) * 50 for i in range(2000)]
                recorder and recorder.traced()
        recorder.start(); last = Last(); last.me = last; sys.last = Last()
    """,
    "finaliser stops": """
        class Last:
            def __init__(self, recorder): self.recorder = recorder
            def __del__(self): [str(i) for i in range(99)]; self.recorder.stop(); [[] for _ in 'ab']
        recorder.start(); sys.last = Last(recorder); del recorder
    """,
    "starts at the end": """
        import atexit
        atexit.register(recorder.start)
        atexit.register(lambda: [str(i) for i in range(1000)])
    """,
    "daemon threads": """
        def work():
            while True: kept = [str(i) for i in range(100)]
        recorder.start()
        for _ in range(3): threading.Thread(target=work, daemon=True).start()
    """,
    "weak references": """
        import weakref
        class C: pass
        recorder.start(); c = C(); r = weakref.ref(c, lambda _: [str(i) for i in range(500)])
        f = weakref.finalize(c, lambda: [[] for _ in range(500)])
    """,
    "generators": """
        def g():
            try: yield 1
            finally: made = [[i] for i in range(300)]
        recorder.start(); kept = g(); next(kept); sys.kept = g(); next(sys.kept)
    """,
    "exit": "recorder.start(); os._exit(0)",
    "system exit": "recorder.start(); sys.exit(0)",
}


@pytest.mark.parametrize("ending", ENDINGS)
def test_ends(ending: str) -> None:
    run("recorder = Recorder()\n" + textwrap.dedent(ENDINGS[ending]))


def test_threads_without_the_gil_at_the_end() -> None:
    """They go on while the interpreter takes its thread states away."""
    for _ in range(5):
        run(
            """
            library = ctypes.CDLL(sys.argv[1])
            def work():
                library.meddler_here(ctypes.c_long(2000000))
            recorder = Recorder()
            recorder.start()
            for _ in range(2): threading.Thread(target=work, daemon=True).start()
            import time; time.sleep(0.05)
            """,
            arguments=[library()],
        )


def test_killed(tmp_path: Path) -> None:
    """A program that records itself in memory and kills itself leaves nothing but its status."""
    text = "recorder = Recorder(); recorder.start(); os.kill(os.getpid(), 9)"
    command = [sys.executable, "-c", PRELUDE + text]
    done = subprocess.run(command, capture_output=True, env=dict(os.environ), check=False)
    assert (done.returncode, done.stderr) == (-9, b"")


FORKS = """
kept = []
def keep(n):
    kept.append([bytes(1000) for _ in range(n)])  # KEEP
LINE, SIZE = keep.__code__.co_firstlineno + 1, sys.getsizeof(bytes(1000))
def ours(recorder):
    return sum(count for row, count in recorder.traces() if row[1] == SIZE and row[2][0][1] == LINE)
def in_child(work):
    child = os.fork()
    if child == 0:
        status = 1
        try: work(); status = 0
        finally: sys.stderr.flush(); os._exit(status)
    assert os.waitpid(child, 0)[1] == 0
"""


def test_a_forked_child_goes_on_with_a_copy() -> None:
    run(
        FORKS,
        """
        recorder = Recorder()
        recorder.start()
        keep(100)
        def child():
            assert ours(recorder) == 100
            keep(200)
            assert ours(recorder) == 300
            del kept[0]
            assert ours(recorder) == 200
            in_child(lambda: keep(10))
            recorder.stop(); recorder.clear(); recorder.start()
            keep(50)
            assert ours(recorder) == 50
        in_child(child)
        assert ours(recorder) == 100
        keep(10)
        assert ours(recorder) == 110
        recorder.stop()
        in_child(lambda: (recorder.clear(), recorder.start(), keep(9), recorder.stop()))
        """,
    )


def test_forks_in_a_storm() -> None:
    """A thread may be in the middle of a block when another one forks."""
    run(
        FORKS,
        """
        library = ctypes.CDLL(sys.argv[1])
        def storm():
            library.meddler_storm(2, ctypes.c_long(150000), ctypes.byref(ctypes.c_uint64()))
        recorder = Recorder(frames=2)
        recorder.start()
        thread = threading.Thread(target=storm)
        thread.start()
        while thread.is_alive():
            in_child(lambda: (keep(20), recorder.traces(), recorder.stop()))
        """,
        arguments=[library()],
        options=("-W", "ignore"),
    )
