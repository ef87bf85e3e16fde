# SPDX-License-Identifier: Apache-2.0
"""Garbage collections of recorded programs, beside what gc.callbacks tell the program itself."""

import json
import signal
import subprocess
import sys
import textwrap
from collections import Counter
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parents[1]))  # how programs are launched is shared
from memory.apart import Ended, environment, launch

# The program's own list of collections; none but what it asks for, or what it does between gc's
# enable and disable.
PROGRAM = """
import gc, json, os, signal, sys, threading, time
gc.disable()
seen = []
def heard(phase, info):
    if phase == "stop":
        seen.append((info["generation"], info["collected"], info["uncollectable"]))
gc.callbacks.append(heard)
class Node: pass
def make(pairs):
    for _ in range(pairs):
        one, other = Node(), Node()
        one.other, other.other = other, one
def say(**more):
    print(json.dumps({"seen": seen} | more), flush=True)
"""


def run(folder: Path, text: str, words: str = "calls", *options: str) -> Ended:
    return launch(folder, PROGRAM + textwrap.dedent(text), *options, words=words)


def said(ended: Ended) -> list[dict]:
    return [json.loads(line) for line in ended.stdout.splitlines()]


def summed(seen: list[list[int]]) -> dict[int, tuple[int, int, int]]:
    """Count, collected, uncollectable by generation."""
    return {
        generation: (
            sum(1 for row in seen if row[0] == generation),
            sum(row[1] for row in seen if row[0] == generation),
            sum(row[2] for row in seen if row[0] == generation),
        )
        for generation in {row[0] for row in seen}
    }


def assert_agree(ended: Ended, seen: list[list[int]], process: int = 0) -> None:
    """Each collection the program heard of has a row, in order; before were only those of the
    imports, until gc was disabled."""
    rows = [row for row in ended.profile.spans()[0] if row.process == process]
    sums = {
        row.generation: row for row in ended.profile.collection_sums() if row.process == process
    }
    before = len(rows) - len(seen)
    assert before >= 0
    assert [(row.generation, row.collected) for row in rows[before:]] == [
        tuple(row[:2]) for row in seen
    ]
    both = [[row.generation, row.collected, 0] for row in rows[:before]] + seen
    assert summed(both) == {
        number: (row.count, row.collected, row.uncollectable) for number, row in sums.items()
    }
    for number, row in sums.items():
        durations = [each.duration for each in rows if each.generation == number]
        assert row.longest == max(durations)
        assert row.time == pytest.approx(sum(durations), abs=1e-8 * len(durations))
    elapsed = ended.profile.processes()[process].elapsed
    ends = [0.0, *(row.start + row.duration for row in rows)]
    assert all(row.start >= end for row, end in zip(rows, ends, strict=False))
    assert ends[-1] <= elapsed + 1e-6


@pytest.mark.parametrize("words", ["calls", "mem", "lines", "calls mem"])
def test_beside_the_programs_own(tmp_path: Path, words: str) -> None:
    ended = run(
        tmp_path,
        """
        for generation in (0, 1, 2, 0):
            make(50 * generation); gc.collect(generation)
        gc.enable(); make(3000); gc.disable()
        say()
        """,
        words,
    )
    assert (ended.status, ended.stderr) == (0, "")
    (it,) = said(ended)
    assert len(it["seen"]) > 4
    assert_agree(ended, it["seen"])


def test_the_longest_of_many_are_kept(tmp_path: Path) -> None:
    """The sums have all of them."""
    ended = run(
        tmp_path,
        """
        for at in range(5000):
            gc.collect(at % 2)
        kept = [[] for _ in range(200_000)]
        gc.collect()
        say()
        """,
    )
    (it,) = said(ended)
    rows = ended.profile.spans()[0]
    sums = {row.generation: row for row in ended.profile.collection_sums()}
    assert 0 < len(rows) <= 1000
    counts = Counter(row[0] for row in it["seen"])
    assert all(0 <= sums[number].count - count <= 60 for number, count in counts.items())
    assert max(row.duration for row in rows) == max(row.longest for row in sums.values())
    assert max(rows, key=lambda row: row.duration).generation == 2
    assert [row.start for row in rows] == sorted(row.start for row in rows)


def test_of_a_killed_process(tmp_path: Path) -> None:
    ended = run(tmp_path, "make(9); gc.collect(); say(); os.kill(os.getpid(), signal.SIGKILL)")
    assert ended.status == -signal.SIGKILL
    assert_agree(ended, said(ended)[0]["seen"])


def test_a_forked_child_begins_anew(tmp_path: Path) -> None:
    ended = run(
        tmp_path,
        """
        make(9); gc.collect(); gc.collect(0)
        child = os.fork()
        if child == 0:
            seen.clear(); make(5); gc.collect(1); say(pid=os.getpid()); os._exit(0)
        os.waitpid(child, 0)
        gc.collect()
        say(pid=os.getpid())
        """,
        "mem",
    )
    pids = [process.pid for process in ended.profile.processes()]
    assert len(pids) == 2
    for it in said(ended):
        assert_agree(ended, it["seen"], pids.index(it["pid"]))


def test_the_program_may_empty_the_list(tmp_path: Path) -> None:
    """What comes after that is not seen, and a note says so."""
    ended = run(
        tmp_path,
        "make(9); gc.collect(); gc.callbacks.clear(); gc.collect(0); gc.collect(); say()",
    )
    assert (ended.status, ended.stderr) == (0, "")
    assert_agree(ended, said(ended)[0]["seen"])
    assert [note.kind for note in ended.profile.notes()] == ["collections"]


def test_the_program_may_call_what_is_in_the_list(tmp_path: Path) -> None:
    """With anything: nothing comes of it but what looks like a collection."""
    ended = run(
        tmp_path,
        """
        ours = gc.callbacks[0]
        for arguments in [(), ("start",), (1, {}), ("start", 1), ("stop", {}),
                          ("stop", {"generation": []}),
                          ("\\udc80", {}), ("stop", {"generation": 2**99}), ("start", {}, 0)]:
            assert ours(*arguments) is None
        try:
            ours(phase="start")
        except TypeError:
            say()
        """,
    )
    assert (ended.status, ended.stderr) == (0, "")
    assert said(ended)[0]["seen"] == []
    assert not any("record_collection" in row.name for row in ended.profile.functions())


def test_no_probe_of_calls_hears_of_it(tmp_path: Path) -> None:
    ended = run(tmp_path, "gc.collect(); gc.collect(); make(9); say()")
    functions = {(row.name, row.calls) for row in ended.profile.functions()}
    names = {name for name, _ in functions}
    assert ("heard", 4) in functions and "make" in names
    assert not any("record_collection" in name for name in names)


def test_what_the_program_sees_of_it() -> None:
    """One function more in gc.callbacks while a recording is on, no object more in the collector's
    lists, no module imported."""
    program = """
    import sys
    had = "gc" in sys.modules
    from fettle import _core
    assert ("gc" in sys.modules) == had
    import gc
    def count():
        return sum(type(one) is type(len) for one in gc.get_objects())
    mine = lambda phase, info: None
    gc.callbacks.append(mine)
    recorders = [_core.Recorder(calls=True), _core.Recorder(calls=False, mem=True)]
    before = count()
    recorders[0].start()
    assert gc.callbacks[0] is mine and len(gc.callbacks) == 2
    assert count() == before
    recorders[1].start()
    assert len(gc.callbacks) == 2
    recorders[0].stop()
    gc.collect()
    assert len(gc.callbacks) == 2
    recorders[1].stop()
    assert gc.callbacks == [mine]
    gc.collect()
    counts = [sum(row.count for row in one.profile().collection_sums()) for one in recorders]
    assert counts[0] < counts[1] <= counts[0] + 9, counts
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)],
        env=environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_beside_the_interpreters_statistics() -> None:
    """In a program's own recording, paused and gone on with."""
    program = """
    import gc, json
    from fettle import _core
    recorder = _core.Recorder()
    def numbers():
        return [[row["collections"], row["collected"]] for row in gc.get_stats()]
    class Node: pass
    sums = [[0, 0] for _ in numbers()]
    gc.disable()
    for pairs in (1, 0, 300):
        before = numbers()
        recorder.start()
        for _ in range(pairs):
            node = Node(); node.node = node
        gc.collect(0); gc.collect(); gc.collect(1)
        recorder.stop()
        for sum_, old, new in zip(sums, before, numbers()):
            sum_[0] += new[0] - old[0]
            sum_[1] += new[1] - old[1]
        gc.collect()
    rows = recorder.profile().collection_sums()
    print(json.dumps([sums, [(row.generation, row.count, row.collected) for row in rows]]))
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)],
        env=environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    theirs, ours = json.loads(done.stdout)
    assert [[at, *row] for at, row in enumerate(theirs)] == ours
