# SPDX-License-Identifier: Apache-2.0
"""A recorder that lingers keeps its hooks between a stop and the next start, and counts nothing."""

import sys

import pytest

_core = pytest.importorskip("fettle._core")


def marked(n):
    total = 0
    for i in range(n):
        total += i
    return total


def hits(recorder):
    ((_, _, _, _, calls, rows),) = recorder.profile().lines()
    return calls, [row[1] for row in rows if row[1]]


def test_what_runs_while_it_rests_is_not_counted():
    recorder = _core.Recorder(calls=False, lines=True, lingers=True)
    recorder.mark(marked)
    for _ in range(3):
        recorder.start()
        marked(5)
        recorder.stop()
        marked(7)
    assert hits(recorder) == (3, [3, 18, 15, 3])


def test_what_rests_says_the_same_times_again():
    recorder = _core.Recorder(calls=False, lines=True, lingers=True)
    recorder.mark(marked)
    for _ in range(5):
        recorder.start()
        marked(500)
        recorder.stop()
        first = recorder.profile().lines()
        assert [recorder.profile().lines() for _ in range(20)] == [first] * 20


def test_clear_forgets_and_goes_on():
    recorder = _core.Recorder(calls=False, lines=True, lingers=True)
    recorder.mark(marked)
    recorder.start()
    marked(5)
    recorder.stop()
    recorder.clear()
    recorder.start()
    marked(2)
    recorder.stop()
    assert hits(recorder) == (1, [1, 3, 2, 1])


def test_a_recorder_of_calls_does_not_linger():
    with pytest.raises(ValueError, match="calls=False"):
        _core.Recorder(lines=True, lingers=True)


@pytest.mark.skipif(sys.version_info < (3, 12), reason="3.11 has no tool ids")
def test_its_tool_id_is_free_again_when_it_is_gone():
    def held():
        return [id for id in range(6) if sys.monitoring.get_tool(id) == "fettle lines"]

    before = held()
    recorder = _core.Recorder(calls=False, lines=True, lingers=True)
    recorder.mark(marked)
    recorder.start()
    recorder.stop()
    assert len(held()) == 1
    del recorder
    assert held() == before
