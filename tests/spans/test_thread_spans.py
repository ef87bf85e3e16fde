# SPDX-License-Identifier: Apache-2.0
"""When the threads of recorded programs ran, beside times that they print themselves."""

import json
import sys
import textwrap
from pathlib import Path

import pytest
from fettle._core import Profile, ThreadSpanRow

sys.path.append(str(Path(__file__).parents[1]))  # how programs are launched is shared
from memory.apart import Ended, launch

PROGRAM = """
import json, os, signal, sys, threading, time
stamps = []
def work(seconds):
    begun = time.monotonic()
    time.sleep(seconds)
    stamps.append((begun, time.monotonic()))
def in_turn(count, seconds):
    for _ in range(count):
        thread = threading.Thread(target=work, args=(seconds,)); thread.start(); thread.join()
        while os.path.exists(f"/proc/self/task/{thread.native_id}"): time.sleep(0.001)
def at_once(count, seconds):
    threads = [threading.Thread(target=work, args=(seconds,)) for _ in range(count)]
    for thread in threads: thread.start()
    for thread in threads: thread.join()
"""


def run(folder: Path, text: str, words: str = "calls") -> Ended:
    return launch(folder, PROGRAM + textwrap.dedent(text), words=words)


def others(profile: Profile, process: int = 0) -> list[ThreadSpanRow]:
    """But the main thread's, by their starts."""
    rows = [row for row in profile.spans()[1] if row.process == process and row.name != "main"]
    return sorted(rows, key=lambda row: row.start)


def assert_around(rows: list[ThreadSpanRow], stamps: list[list[float]]) -> None:
    """There is one moment at which the recording can have begun, so that each span begins before
    its thread's first stamp and ends after the last."""
    assert len(rows) == len(stamps)
    pairs = list(zip(rows, sorted(stamps), strict=True))
    latest = min(begun - row.start for row, (begun, _) in pairs)
    earliest = max(ended - row.end for row, (_, ended) in pairs if row.end is not None)
    assert earliest <= latest + 1e-6


@pytest.mark.parametrize("words", ["calls", "lines=*.py", "mem", "calls mem"])
def test_around_what_threads_print(tmp_path: Path, words: str) -> None:
    ended = run(tmp_path, "at_once(4, 0.03); in_turn(3, 0.01); print(json.dumps(stamps))", words)
    assert (ended.status, ended.stderr) == (0, "")
    rows, stamps = others(ended.profile), json.loads(ended.stdout)
    assert_around(rows, stamps)
    (main,) = [row for row in ended.profile.spans()[1] if row.name == "main"]
    elapsed = ended.profile.processes()[0].elapsed
    assert all(main.start <= row.start and row.end <= elapsed + 1e-6 for row in rows)
    assert main.end <= elapsed + 1e-6
    uses = sum(thread.uses for thread in ended.profile.threads())
    assert uses == len(rows) + 1


def test_one_that_does_not_end(tmp_path: Path) -> None:
    ended = run(
        tmp_path,
        """
        threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
        in_turn(1, 0)
        """,
    )
    rows = others(ended.profile)
    assert [row.end is None for row in rows] == [True, False]
    assert ended.profile.spans()[1][0].end is not None


def test_of_a_killed_process(tmp_path: Path) -> None:
    ended = run(tmp_path, "in_turn(2, 0.001); os.kill(os.getpid(), signal.SIGKILL)")
    assert ended.status == -9
    assert [row.end is None for row in ended.profile.spans()[1]] == [True, False, False]


def test_a_forked_child_begins_anew(tmp_path: Path) -> None:
    """It has the thread that forked alone."""
    ended = run(
        tmp_path,
        """
        def fork():
            child = os.fork()
            if child == 0:
                in_turn(2, 0.001); os._exit(0)
            os.waitpid(child, 0)
        thread = threading.Thread(target=fork); thread.start(); thread.join()
        print(os.getpid())
        """,
    )
    pids = [process.pid for process in ended.profile.processes()]
    parent = pids.index(int(ended.stdout))
    assert len(others(ended.profile, parent)) == 1
    assert len([row for row in ended.profile.spans()[1] if row.process == 1 - parent]) == 3


def test_many_threads(tmp_path: Path) -> None:
    """A row for each, as far as there is room; then rows of several, and none is forgotten."""
    ended = run(tmp_path, "in_turn(1500, 0)")
    rows = ended.profile.spans()[1]
    assert len(rows) == 1050
    spans = json.loads(ended.profile.export("json"))["spans"]
    assert sum(span["uses"] for span in spans) == 1501
    assert all(row.end is not None for row in rows)
