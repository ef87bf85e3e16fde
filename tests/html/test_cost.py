# SPDX-License-Identifier: Apache-2.0
"""What is said of the cost of recording: how many events there were, and only what was measured."""

import sys
from pathlib import Path

import pytest
from fettle import _core, properties
from fettle._core import Profile
from fettle.html import cost

sys.path.append(str(Path(__file__).parents[1]))  # the recordings are shared
from contract.synthetic import SAMPLES


def here(name: str, folder: Path) -> Profile:
    """A recording that says it is of this machine and Python."""
    profile = Profile.read(str(SAMPLES[name]().write(folder)))
    for key, value in properties.gather([], "").items():
        profile.set_meta(key, value)
    return profile


def test_events_are_counted(tmp_path: Path) -> None:
    profile = here("lines", tmp_path)
    hits = sum(row[1] for table in profile.lines() for row in table[5])
    calls = sum(row.calls for row in profile.functions())
    assert cost.events(profile) == {"calls": calls, "lines": hits, "mem": 0}
    memory = here("memory", tmp_path)
    blocks = sum(heap.total_count for heap in memory.heaps() if not heap.sample)
    assert cost.events(memory)["mem"] == blocks


def test_the_estimate_is_the_sum(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    prices = {"calls": 2.0, "lines": 0.5, "mem": 100.0}
    monkeypatch.setattr(cost, "of_event", prices.__getitem__)
    profile = here("lines", tmp_path)
    events = cost.events(profile)
    wanted = 2.0 * events["calls"] + 0.5 * events["lines"]
    assert cost.text(profile).startswith(f"about {wanted:.3f} s: {events['calls']} calls, ")


def test_of_another_machine_nothing_is_estimated(tmp_path: Path) -> None:
    for key, value in (("machine", "elsewhere"), ("python", "3.9.1 /bin/python")):
        profile = here("lines", tmp_path)
        profile.set_meta(key, value)
        assert "another machine or Python" in cost.text(profile)


def test_without_hooks_nothing_is_estimated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cost, "of_event", lambda kind: None)
    assert "another tool has the hooks" in cost.text(here("lines", tmp_path))
    assert cost.text(here("lines", tmp_path), may_measure=False).startswith("not estimated: ")


def test_nothing_cost_nothing() -> None:
    assert cost.text(_core.Profile()) == ""


@pytest.mark.parametrize("kind", ["calls", "lines", "mem"])
def test_each_kind_can_be_measured(kind: str) -> None:
    assert cost.of_event(kind) is not None


def test_the_loops_have_the_events_that_are_divided_by() -> None:
    recorder = _core.Recorder(calls=True, builtins=False, one_thread=True)
    with recorder:
        cost._of_calls()
    calls = {row.name: row.calls for row in recorder.profile().functions()}
    assert calls["_nothing"] == cost.EVENTS
    recorder = _core.Recorder(calls=False, mem=True)
    with recorder:
        cost._of_mem()
    blocks = sum(heap.total_count for heap in recorder.profile().heaps())
    assert blocks >= cost.EVENTS
    recorder = _core.Recorder(calls=False, lines=True)
    recorder.mark(cost._of_lines)
    with recorder:
        cost._of_lines()
    hits = sum(row[1] for table in recorder.profile().lines() for row in table[5])
    assert cost.EVENTS <= hits <= cost.EVENTS + 2
