# SPDX-License-Identifier: Apache-2.0
"""Other tools beside a recording of memory: each hears what it should, in whichever order they
come and go."""

import itertools
import sys

import pytest

from .apart import run
from .meddling import library

KEEPING = """
kept = []
def keep(n):
    kept.append([bytes(1000) for _ in range(n)])  # KEEP
LINE, SIZE = keep.__code__.co_firstlineno + 1, sys.getsizeof(bytes(1000))
def ours(recorder):
    return sum(count for row, count in recorder.traces() if row[1] == SIZE and row[2][0][1] == LINE)
def theirs():
    traces = tracemalloc.take_snapshot().traces
    return sum(t.size == SIZE and t.traceback[-1].lineno == LINE for t in traces)
"""


@pytest.mark.parametrize(
    "order", sorted(set(itertools.permutations(["t+", "t-", "o+", "o-"]))), ids="".join
)
def test_tracemalloc_comes_and_goes(order: tuple[str, ...]) -> None:
    """Three times over. Who starts hears from then on; whoever was there before and stops puts back
    what it had found, and who came later hears no more."""
    run(
        KEEPING,
        f"""
        recorder = Recorder()
        for step in {order!r} * 3:
            if step == "t+": tracemalloc.start()
            if step == "t-": tracemalloc.stop()
            if step == "o+": recorder.start()
            if step == "o-": recorder.stop()
            keep(30)
            if step == "o+":
                assert ours(recorder) >= 30, (step, ours(recorder))
            if step == "t+":
                assert theirs() >= 30, (step, theirs())
        while recorder.active: recorder.stop()
        tracemalloc.stop()
        del kept[:]
        """,
    )


@pytest.mark.parametrize("frames", ["1", "7"])
def test_started_with_tracemalloc(frames: str) -> None:
    run(
        KEEPING,
        """
        recorder = Recorder()
        recorder.start()
        keep(300)
        assert ours(recorder) == theirs() == 300, (ours(recorder), theirs())
        tracemalloc.stop()  # it was there first, and takes us along
        keep(300)
        recorder.stop()
        recorder.clear()
        recorder.start()
        keep(200)
        assert ours(recorder) == 200, ours(recorder)
        """,
        options=("-X", f"tracemalloc={frames}"),
    )


SETTINGS = [
    {"PYTHONMALLOC": "malloc"},
    {"PYTHONMALLOC": "debug"},
    {"PYTHONMALLOC": "malloc_debug"},
    {"PYTHONMALLOC": "pymalloc_debug"},
    {"PYTHONDEVMODE": "1"},
    {"PYTHONTRACEMALLOC": "3"},
]


@pytest.mark.parametrize("setting", SETTINGS, ids=str)
def test_other_allocators(setting: dict[str, str]) -> None:
    run(
        KEEPING,
        """
        keep(100)
        recorder = Recorder(frames=2)
        recorder.start()
        keep(300)
        del kept[0]
        assert ours(recorder) == 300, ours(recorder)
        for i in range(300):
            exec(f"def f(): return [{i}] * {i}\\nf()", {})
        del kept[:]
        assert ours(recorder) == 0
        total(recorder)
        recorder.stop()
        """,
        **setting,
    )


MEDDLER = "library = ctypes.PyDLL(sys.argv[1])\n"


@pytest.mark.parametrize("when", ["below", "above"])
def test_another_tools_hooks(when: str) -> None:
    run(
        KEEPING,
        MEDDLER,
        f"""
        recorder = Recorder()
        if {when!r} == "below": library.meddler_cover()
        recorder.start()
        if {when!r} == "above": library.meddler_cover()
        keep(300)
        assert ours(recorder) == 300, ours(recorder)
        assert library.meddler_uncover() > 300
        keep(50)
        if {when!r} == "above": assert ours(recorder) == 350, ours(recorder)
        recorder.stop()
        notes = dict((note[0], note) for note in recorder.profile().notes())
        print(sorted(notes))
        recorder.clear()
        recorder.start()
        keep(50)
        assert ours(recorder) == 50, ours(recorder)
        recorder.stop()
        """,
        arguments=[library()],
    )


def test_another_tools_hooks_stay_over_ours() -> None:
    """Ours are below and can not be taken out: they call through, and hear again when asked to."""
    run(
        KEEPING,
        MEDDLER,
        """
        recorder = Recorder()
        recorder.start()
        library.meddler_cover()
        recorder.stop()
        for _ in range(50):
            recorder.clear()
            recorder.start()
            keep(20)
            assert ours(recorder) == 20, ours(recorder)
            recorder.stop()
        assert library.meddler_uncover() > 50 * 20
        recorder.clear()
        recorder.start()
        keep(20)
        assert ours(recorder) == 20, ours(recorder)
        recorder.stop()
        """,
        arguments=[library()],
    )


@pytest.mark.skipif(sys.version_info < (3, 13), reason="PyRefTracer is of 3.13")
def test_another_tools_tracer_is_left_alone() -> None:
    run(
        KEEPING,
        MEDDLER,
        """
        library.meddler_tracer(1)
        recorder = Recorder()
        recorder.start()
        keep(300)
        assert ours(recorder) == 300
        recorder.stop()
        assert library.meddler_has_tracer() and library.meddler_tracer(1) > 300
        assert recorder.profile().notes(), "nothing says that the tracer was another's"
        library.meddler_tracer(0)
        recorder.clear()
        recorder.start()
        library.meddler_tracer(1)  # takes ours away
        keep(300)
        recorder.stop()
        assert library.meddler_has_tracer()
        assert recorder.profile().notes()
        """,
        arguments=[library()],
    )


def test_no_room_for_the_shadow() -> None:
    """RLIMIT_AS so small that the table of tags can not be mapped: all is in the hash, and said."""
    run(
        KEEPING,
        """
        import resource
        recorder = Recorder()
        with open("/proc/self/statm") as file:
            used = int(file.read().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (used + (12 << 20), resource.RLIM_INFINITY))
        recorder.start()
        keep(300)
        del kept[:]
        keep(300)
        assert ours(recorder) == 300
        recorder.stop()
        resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY,) * 2)
        print([tuple(note) for note in recorder.profile().notes()])
        """,
    )


def test_memory_with_calls_and_lines() -> None:
    run(
        KEEPING,
        """
        recorder = _core.Recorder(lines=True, mem=True, frames=3)
        recorder.mark(keep)
        recorder.start()
        keep(300)
        assert ours(recorder) == 300, ours(recorder)
        recorder.stop()
        profile = recorder.profile()
        assert profile.totals().calls > 0 and profile.sites() and profile.heaps()
        """,
    )


def test_several_recorders() -> None:
    run(
        KEEPING,
        """
        recorders = [Recorder(frames=n) for n in (1, 2, 5, 60)] + [Recorder(mem="sample")]
        for number, recorder in enumerate(recorders):
            recorder.start()
            keep(100)
        for number, recorder in enumerate(recorders[:4]):
            assert ours(recorder) == 100 * (5 - number), (number, ours(recorder))
        recorders[1].stop()
        keep(100)
        assert ours(recorders[0]) == 600 and ours(recorders[3]) == 300
        more = [Recorder() for _ in range(5)]
        for each in more[:4]: each.start()
        try:
            more[4].start()
            raise AssertionError("nine heaps")
        except RuntimeError as error:
            assert "stop one" in str(error)
        assert not more[4].active
        del recorders, recorder, more, each  # dropped while they are on
        keep(10)
        last = Recorder()
        with last: keep(100)
        assert last.traced()[1] >= 100 * 1033
        """,
    )


def test_what_a_tracer_above_keeps_of_a_block_goes_with_it() -> None:
    """tracemalloc gives back its note of a large block in the middle of our hook: an allocator
    that frees what it allocated has as much alive after each turn."""
    run(
        """
        import tracemalloc
        recorder = Recorder()
        recorder.start()
        tracemalloc.start()
        def turn():
            kept = [bytes(600) for _ in range(3000)]
        alive = []
        for _ in range(4):
            turn()
            alive.append((recorder.traced()[0], tracemalloc.get_traced_memory()[0]))
        tracemalloc.stop()
        recorder.stop()
        ours, its = zip(*alive)
        assert max(its[1:]) - min(its[1:]) < 1000, its
        assert max(ours[1:]) - min(ours[1:]) < 1000, ours
        """
    )
