# SPDX-License-Identifier: Apache-2.0
"""Recordings of memory that come and go a thousand times, dropped, nested, interrupted."""

import pytest

from .apart import run

# A round must leave no object, block or memory: fewer than one each in the best of four spans, for
# caches fill slowly, and a leak is in each.
LOOP = """
def resident():
    with open("/proc/self/statm") as file: return int(file.read().split()[1]) * 4096
def work():
    return [{str(i): [i]} for i in range(20)]
KEPT = Recorder()
SAMPLED = Recorder(mem="sample")
ROUNDS = int(sys.argv[1])
def round():
    BODY
def span():
    before = len(gc.get_objects()), sys.getallocatedblocks(), resident()
    for _ in range(ROUNDS): round()
    gc.collect()
    after = len(gc.get_objects()), sys.getallocatedblocks(), resident()
    return [b - a for a, b in zip(before, after)]
span()
spans = [span() for _ in range(4)]
grown = [min(each) for each in zip(*spans)]
assert grown[0] < ROUNDS and grown[1] < ROUNDS and grown[2] < ROUNDS * 3000, spans
"""

BODIES = {
    "made and dropped": "Recorder()",
    "started and dropped": "r = Recorder(); r.start(); work(); del r",
    "started and stopped": "KEPT.start(); work(); KEPT.stop()",
    "and cleared": "KEPT.start(); work(); KEPT.stop(); KEPT.clear()",
    "frames": "r = Recorder(frames=40); r.start(); work(); r.stop()",
    "sampled": "SAMPLED.start(); work(); SAMPLED.stop()",
    "traces": "r = Recorder(frames=3); r.start(); work(); r.traces(); r.stop()",
    "trace of": "KEPT.start(); w = work(); KEPT.trace_of(w); KEPT.trace_of(1); KEPT.stop()",
    "forget": "KEPT.start(); work(); KEPT.forget(); KEPT.reset_peak(); KEPT.stop()",
    "points": "r = Recorder(); r.start(); w = work(); r.point('x'); _core.point('y'); r.stop()",
    "profile": "r = Recorder(); r.start(); w = work(); r.stop(); r.profile().sites()",
    "read": "KEPT.start(); KEPT.traced(); KEPT.overhead(); KEPT.stop()",
    "as a context": "with Recorder() as r: work()",
    "in a cycle": "r = Recorder(); r.start(); c = [r]; c.append(c); del r, c; gc.collect()",
    "dead code": "KEPT.start(); exec('def f(): return [1]\\nf()', {}); KEPT.stop()",
    "two": "r = Recorder(); r.start(); KEPT.start(); w = work(); r.stop(); del w; KEPT.stop()",
    "threads": "KEPT.start(); t = threading.Thread(target=work); t.start(); t.join(); KEPT.stop()",
    "calls too": "r = _core.Recorder(mem=True); r.start(); work(); r.stop(); r.profile()",
    "lines too": "r = _core.Recorder(calls=False, mem=True, lines=True); r.mark(work); r.start();"
    " work(); r.stop()",
    "wrong": "try: Recorder(frames=0)\n    except ValueError: pass",
}


@pytest.mark.parametrize("body", BODIES)
def test_leaves_nothing(body: str) -> None:
    rounds = 30 if "gc.collect" in BODIES[body] else 50
    run(LOOP.replace("BODY", BODIES[body]), arguments=[str(rounds)])


def test_a_thousand_starts() -> None:
    """And each hears its own blocks only: none of those between."""
    run(
        """
        recorder = Recorder(frames=2)
        between, heard = [], []
        for turn in range(1000):
            recorder.start()
            kept = [bytes(5000) for _ in range(3)]
            heard.append(sum(n for row, n in recorder.traces() if row[1] > 5000))
            recorder.stop()
            between.append(bytes(5000))
        assert heard == [3] * 1000, heard
        """,
        LOOP.partition("KEPT")[0],
    )


def test_what_was_alive_at_a_stop_is_not_alive_later() -> None:
    """Totals of a recorder that starts again add up; what is alive, and the peak, do not."""
    run(
        """
        recorder = Recorder()
        def keep(n): return [bytes(300) for _ in range(n)] + [bytes(70000)]
        for turn in range(20):
            recorder.start()
            kept = keep(1000)
            live, peak = recorder.traced()
            assert 400000 < live <= peak < 450000 + 9000, (live, peak)
            total(recorder)
            recorder.stop()
        heap, = recorder.profile().heaps()
        assert heap.alive_bytes < 460000 and heap.peak_bytes < 460000, heap
        assert heap.total_bytes >= 20 * 400000
        assert sum(site.peak_bytes for site in recorder.profile().sites()) == heap.peak_bytes
        """
    )


def test_older_blocks() -> None:
    """What is older than the recording is nobody's: freed, resized or kept, it is not counted."""
    run(
        """
        old = [bytearray(1000 + i % 7) for i in range(3000)] + [[i] * 3 for i in range(3000)]
        lists = [[] for _ in range(500)]
        recorder = Recorder()
        recorder.start()
        del old[::2]
        assert recorder.traced()[0] < 10000, recorder.traced()
        del old
        for each in lists: each.extend(range(100))
        live = recorder.traced()[0]
        assert 500 * 100 * 8 <= live <= 500 * 120 * 8 + 10000, live
        del lists, each
        assert recorder.traced()[0] < 10000, recorder.traced()
        recorder.stop()
        """
    )


def test_collections_and_signals() -> None:
    """Garbage is collected and handlers run wherever they like, ours among their victims."""
    run(
        """
        import signal
        class Loop:
            def __init__(self): self.me, self.kept = self, [1] * 20
            def __del__(self): made.append(str(len(made)))
        made, ticks = [], []
        def handler(number, frame):
            ticks.append([number]); recorder.traced(); Loop()
            if len(ticks) % 10 == 0: recorder.traces(); gc.collect()
            if len(ticks) % 17 == 0: recorder.stop(); recorder.start()
        recorder = Recorder(frames=4)
        signal.signal(signal.SIGALRM, handler)
        signal.setitimer(signal.ITIMER_REAL, 0.002, 0.002)
        gc.set_threshold(5, 2, 2)
        recorder.start()
        while len(ticks) < 200:
            for i in range(200): Loop()
            exec("def f(): return [Loop()]\\nf()", {"Loop": Loop})
        signal.setitimer(signal.ITIMER_REAL, 0)
        total(recorder)
        recorder.stop()
        """
    )


def test_threads_come_and_go() -> None:
    run(
        """
        recorder = Recorder(frames=3)
        recorder.start()
        kept = []
        def work(n): kept.append([str(i) * 5 for i in range(n)])
        for turn in range(40):
            threads = [threading.Thread(target=work, args=(50,)) for _ in range(5)]
            for thread in threads: thread.start()
            for thread in threads: thread.join()
            if turn % 10 == 0: recorder.traces(), recorder.forget()
        del kept[:], threads, thread
        total(recorder)
        recorder.stop()
        """
    )


def test_greenlets() -> None:
    pytest.importorskip("greenlet")
    run(
        """
        import greenlet
        def work(n):
            kept = []
            for i in range(n):
                kept.append([str(i)] * 3)
                greenlet.getcurrent().parent.switch(kept)
            return kept
        recorder = Recorder(frames=5)
        recorder.start()
        running = [greenlet.greenlet(work) for _ in range(50)]
        for turn in range(30):
            going = [each for each in running if not each.dead]
            results = [each.switch(*[20][turn:]) for each in going]
        total(recorder)
        recorder.stop()
        """
    )
