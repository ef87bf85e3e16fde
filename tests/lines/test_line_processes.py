# SPDX-License-Identifier: Apache-2.0
"""Lines of launched programs: their children too, and however they end."""

import signal
from pathlib import Path

import pytest

from .launched import launch

MARKED = """
import multiprocessing, os, signal, subprocess, sys, threading, time
from fettle._core import mark, Recorder

@mark
def work(n):
    total = 0
    for i in range(n):
        total += i
    return total

@mark
def ends(how):
    work(2)
    how()
"""


def work(*runs: int) -> dict[int, int]:
    """Hits of work(n) for each n."""
    hits = {3: len(runs), 4: sum(runs) + len(runs), 5: sum(runs), 6: len(runs)}
    return {line: n for line, n in hits.items() if n}


def test_the_program_itself(tmp_path: Path) -> None:
    ended = launch(tmp_path, MARKED + "work(5); work(0); print('done')")
    assert (ended.status, ended.stdout, ended.stderr) == (0, "done\n", "")
    table = ended.tables["work"]
    assert (table.hits, table.calls) == (work(5, 0), 2)
    assert ended.tables["ends"].calls == 0


def test_fork_in_the_middle(tmp_path: Path) -> None:
    """The child goes on in the line; nothing is counted twice."""
    text = """
    @mark
    def split():
        pid = os.fork()
        work(3)
        if pid == 0:
            work(4)
            os._exit(0)
        os.waitpid(pid, 0)
        work(1)
    split()
    """
    ended = launch(tmp_path, MARKED + "\n" + __import__("textwrap").dedent(text))
    assert (ended.status, ended.stderr) == (0, "")
    assert ended.tables["work"].hits == work(3, 3, 4, 1)
    split = ended.tables["split"]
    assert split.hits == {3: 1, 4: 2, 5: 2, 6: 1, 7: 1, 8: 1, 9: 1}
    assert split.calls == 1


def test_fork_while_threads_run(tmp_path: Path) -> None:
    text = """
stop = threading.Event()
threads = [threading.Thread(target=lambda: work(10)) for _ in range(4)]
threads.append(threading.Thread(target=stop.wait))
for thread in threads: thread.start()
for _ in range(3):
    pid = os.fork()
    if pid == 0:
        work(2)
        os._exit(0)
    os.waitpid(pid, 0)
stop.set()
for thread in threads: thread.join()
"""
    ended = launch(tmp_path, "import warnings; warnings.simplefilter('ignore')\n" + MARKED + text)
    assert (ended.status, ended.stderr) == (0, "")
    assert ended.tables["work"].hits == work(10, 10, 10, 10, 2, 2, 2)


def test_subprocess(tmp_path: Path) -> None:
    text = """
if len(sys.argv) == 1:
    work(2)
    subprocess.run([sys.executable, __file__, "again"], check=True)
else:
    work(3)
"""
    ended = launch(tmp_path, MARKED + text)
    assert (ended.status, ended.stderr) == (0, "")
    assert ended.tables["work"].hits == work(2, 3)


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_multiprocessing(tmp_path: Path, method: str) -> None:
    text = f"""
if __name__ == "__main__":
    context = multiprocessing.get_context({method!r})
    work(1)
    with context.Pool(2) as pool:
        pool.map(work, [4, 5, 6], chunksize=1)
        pool.close()
        pool.join()
"""
    ended = launch(tmp_path, MARKED + text)
    assert (ended.status, ended.stderr) == (0, "")
    assert ended.tables["work"].hits == work(1, 4, 5, 6)


@pytest.mark.parametrize(
    "how, status",
    [
        ("lambda: os._exit(3)", 3),
        ("lambda: os.kill(os.getpid(), signal.SIGKILL)", -signal.SIGKILL),
        ("lambda: os.kill(os.getpid(), signal.SIGTERM)", -signal.SIGTERM),
        ("lambda: os.abort()", -signal.SIGABRT),
        ("lambda: sys.exit(4)", 4),
    ],
)
def test_however_it_ends(tmp_path: Path, how: str, status: int) -> None:
    ended = launch(tmp_path, MARKED + f"ends({how})")
    assert (ended.status, ended.stderr) == (status, "")
    assert ended.tables["work"].hits == work(2)
    assert (ended.tables["ends"].hits, ended.tables["ends"].calls) == ({3: 1, 4: 1}, 1)


def test_killed_in_the_middle_of_a_line(tmp_path: Path) -> None:
    """What the line had lasted until then is its time, and it waited."""
    how = "lambda: (time.sleep(0.2), os.kill(os.getpid(), signal.SIGKILL))"
    ended = launch(tmp_path, MARKED + f"ends({how})")
    line = ended.tables["ends"][4]
    assert line.hits == 1
    assert line.time >= 200e6
    assert ended.tables["ends"][3].time < line.time


def test_calls_and_lines_in_one_run(tmp_path: Path) -> None:
    """callees is known only then. On 3.11 a comprehension is called, which is told a bit before it
    begins."""
    text = """
@mark
def both():
    time.sleep(0.03)
    x = [i for i in range(1000)]
    work(3)
both()
"""
    ended = launch(tmp_path, MARKED + text, words="lines calls")
    both = ended.tables["both"]
    assert 30e6 <= both[3].callees <= both[3].time
    assert both[5].callees > 0 and both[4].callees < both[4].time / 2
    assert {row.name: row.calls for row in ended.profile.functions()}["work"] == 1


def test_lines_alone_record_no_calls(tmp_path: Path) -> None:
    ended = launch(tmp_path, MARKED + "work(3)")
    assert sum(row.calls for row in ended.profile.functions()) == 0
    assert ended.tables["work"].hits == work(3)
    assert all(row.callees == 0 for row in ended.tables["work"].rows.values())


def test_a_recorder_inside_a_launched_recording(tmp_path: Path) -> None:
    text = """
def other():
    work(1)
inner = Recorder(calls=False, lines=True)
inner.mark(other); inner.mark(work)
work(2)
with inner:
    other()
work(3)
for _, _, name, _, calls, rows in inner.profile().lines():
    print(name, calls, [row[1] for row in rows])
"""
    ended = launch(tmp_path, MARKED + text)
    assert ended.stderr == ""
    assert ended.stdout.splitlines() == ["work 1 [1, 2, 1, 1]", "other 1 [1]"]
    assert ended.tables["work"].hits == work(2, 1, 3)
    assert "other" not in ended.tables


def test_selected_from_outside(tmp_path: Path) -> None:
    """Modules that are imported later, and the module itself."""
    (tmp_path / "later.py").write_text(
        "A = 1\ndef f():\n    return 2\nclass C:\n    def g(self): return 3\n"
    )
    text = """
import later
later.f(); later.f(); later.C().g()
"""
    ended = launch(tmp_path, text, words="lines=later")
    tables = ended.tables
    assert tables["f"].hits == {2: 2}
    assert tables["C.g"].hits == {1: 1}
    assert tables["<module>"].hits == {1: 1, 2: 1, 4: 1}
    assert set(tables) == {"f", "C.g", "<module>"}


def test_nothing_marked(tmp_path: Path) -> None:
    ended = launch(tmp_path, "print(1)")
    assert (ended.status, ended.stdout, ended.stderr, ended.tables) == (0, "1\n", "", {})
