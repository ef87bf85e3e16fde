# SPDX-License-Identifier: Apache-2.0
"""Programs whose memory is recorded from outside: they end as they do plain, and every process's
own blocks are counted, whichever way it ended."""

import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from .apart import Ended, environment, launch
from .meddling import library

KEEP = """
import os, signal, sys, threading, time
kept = []
def keep(n):
    for size in [1000] * n:
        kept.append(bytes(size))  # KEEP
def wait(child):
    return os.waitpid(child, 0)[1]
"""


def run(folder: Path, text: str, *arguments: str, words: str = "mem") -> Ended:
    return launch(folder, KEEP + textwrap.dedent(text), *arguments, words=words)


def counted(ended: Ended) -> tuple[int, int]:
    """Blocks of KEEP in all processes: ever allocated, alive at their ends. The list grows there,
    too, which its own bytes tell apart: each of its blocks is of another size."""
    line = 1 + (KEEP.splitlines()).index("        kept.append(bytes(size))  # KEEP")
    sites = [site for site in ended.profile.sites() if site.line == line and site.name == "keep"]
    size = sys.getsizeof(bytes(1000))
    return sum(s.total_bytes for s in sites) // size, sum(s.alive_bytes for s in sites) // size


def test_one_process(tmp_path: Path) -> None:
    ended = run(tmp_path, "keep(3000); del kept[1000:]")
    total, alive = counted(ended)
    assert (ended.status, ended.stderr) == (0, "")
    assert 3000 <= total < 3300 and 1000 <= alive < 1030, (total, alive)
    (heap,) = ended.profile.heaps()
    assert heap.peak_bytes >= heap.alive_bytes and heap.alive_bytes >= 1000 * 1033


FORKS = {
    "a child": "keep(1000); c = os.fork(); keep(500 if c else 2000); c and wait(c)",
    "and its child": """
        keep(500)
        for _ in range(3):
            c = os.fork()
            if c: assert wait(c) == 0; break
            keep(1000)
    """,
    "in a thread": """
        def work():
            c = os.fork()
            keep(1500)
            if c == 0: os._exit(0)
            assert wait(c) == 0
        t = threading.Thread(target=work); t.start(); t.join(); keep(500)
    """,
    "multiprocessing": """
        import multiprocessing
        context = multiprocessing.get_context("fork")
        keep(500)
        all = [context.Process(target=keep, args=(1000,)) for _ in range(3)]
        for each in all: each.start()
        for each in all: each.join(); assert each.exitcode == 0
    """,
    "killed": """
        c = os.fork()
        keep(1750)
        if c == 0: os.kill(os.getpid(), signal.SIGKILL)
        wait(c)
    """,
    "goes on by itself": """
        c = os.fork()
        keep(1750)
        if c == 0: os.execv(sys.executable, [sys.executable, "-S", "-c", "pass"])
        wait(c)
    """,
}


@pytest.mark.parametrize("way", FORKS)
@pytest.mark.parametrize("words", ["mem", "mem frames=4", "mem calls"])
def test_forks(tmp_path: Path, way: str, words: str) -> None:
    """3500 blocks in all of each program's processes; none of a parent's counts in a child."""
    ended = run(tmp_path, FORKS[way], "-W", "ignore", words=words)
    assert (ended.status, ended.stderr) == (0, "")
    total, alive = counted(ended)
    assert 3500 <= total < 4000 and 3500 <= alive < 3650, (total, alive)


ENDINGS = {
    "exit": "keep(100); os._exit(3)",
    "system exit": "keep(100); sys.exit(4)",
    "exception": "keep(100); raise SystemExit('gone')",
    "terminated": "keep(100); os.kill(os.getpid(), signal.SIGUSR1)",
    "at exit": "import atexit; atexit.register(keep, 100); atexit.register(print, 'last')",
    "finaliser": """
        class Last:
            def __del__(self): keep(50); print("del")  # when recording has ended
        sys.last = Last(); last = Last(); last.me = last; keep(100)
    """,
    "daemon": """
        def work():
            while True: made = [str(i) for i in range(100)]
        for _ in range(3): threading.Thread(target=work, daemon=True).start()
        keep(100); time.sleep(0.05)
    """,
    "tracemalloc": """
        import tracemalloc
        tracemalloc.start(); keep(100); print(tracemalloc.get_traced_memory()[0] > 100000)
    """,
    "tracemalloc for a while": """
        import tracemalloc
        for _ in range(3):
            keep(100); tracemalloc.start(); keep(30); tracemalloc.stop()
    """,
    "full pipe": "keep(100); print('x' * 10)\nsignal.raise_signal(signal.SIGTERM)",
}


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("options", [(), ("-X", "dev"), ("-X", "tracemalloc=3")], ids=str)
def test_ends_as_it_does_plain(tmp_path: Path, ending: str, options: tuple[str, ...]) -> None:
    ended = run(tmp_path, ENDINGS[ending], *options)
    plain = subprocess.run(
        [sys.executable, *options, str(ended.path)],
        capture_output=True,
        text=True,
        env=environment(),
        cwd=tmp_path,
        check=False,
    )
    said = ended.status, ended.stdout, ended.stderr
    assert said == (plain.returncode, plain.stdout, plain.stderr)
    blocks = counted(ended)[0]
    if "while" in ending:  # who was there before takes us along as it stops, and that is said
        assert 390 <= blocks < 430 if "tracemalloc=3" not in options else ended.profile.notes()
    else:
        assert 100 <= blocks < 140


def test_threads_without_the_gil(tmp_path: Path) -> None:
    ended = run(
        tmp_path,
        f"""
        import ctypes
        library = ctypes.CDLL({library()!r})
        library.meddler_storm.restype = ctypes.c_long
        size = ctypes.c_uint64()
        def storm(): print(library.meddler_storm(4, ctypes.c_long(20000), ctypes.byref(size)))
        thread = threading.Thread(target=storm); thread.start()
        while thread.is_alive():
            keep(10)
            c = os.fork()
            if c == 0: keep(5); os._exit(0)
            assert wait(c) == 0
        """,
        "-W",
        "ignore",
    )
    assert (ended.status, ended.stderr) == (0, "")
    (here,) = [row for row in ended.profile.heaps() if row.process == 0]
    assert here.alive_count >= int(ended.stdout)


def test_killed_in_the_middle(tmp_path: Path) -> None:
    ended = run(tmp_path, "keep(2000); os.kill(os.getpid(), signal.SIGKILL)")
    assert ended.status == -signal.SIGKILL
    total, alive = counted(ended)
    assert 2000 <= alive <= total < 2200
