# SPDX-License-Identifier: Apache-2.0
"""The contract: what holds for every exporter there is, on every sample."""

import re
from pathlib import Path

import pytest
from fettle._core import Profile, exporters

from .oracle import LARGEST, pruned
from .readers import FORMATS
from .synthetic import SAMPLES, Recording

pytestmark = pytest.mark.once  # the exporters are the engine's

NAMES = [name for name, *_ in exporters()]


@pytest.fixture(params=SAMPLES)
def recording(request: pytest.FixtureRequest) -> Recording:
    return SAMPLES[request.param]()


@pytest.fixture
def profile(recording: Recording, tmp_path: Path) -> Profile:
    return Profile.read(str(recording.write(tmp_path)))


def test_each_format_has_a_reader() -> None:
    assert set(NAMES) == set(FORMATS)


def test_names_can_be_typed_and_told_apart() -> None:
    rows = exporters()
    assert len({name for name, *_ in rows}) == len({suffix for _, suffix, *_ in rows}) == len(rows)
    for name, suffix, description, *_ in rows:
        assert re.fullmatch("[a-z]+", name)
        assert re.fullmatch(r"\.[a-z.]+", suffix)
        assert description.isprintable() and len(description) < 80


@pytest.mark.parametrize("format", NAMES)
def test_what_a_reader_sees_is_what_was_recorded(
    format: str, recording: Recording, profile: Profile
) -> None:
    assert FORMATS[format].read(profile.export(format)) == FORMATS[format].expected(recording)


@pytest.mark.parametrize("format", NAMES)
def test_an_export_changes_nothing(format: str, profile: Profile) -> None:
    before = profile.functions(), profile.threads(), profile.notes(), profile.meta()
    first = profile.export(format)
    assert isinstance(first, bytes)
    assert profile.export(format) == first
    assert before == (profile.functions(), profile.threads(), profile.notes(), profile.meta())


@pytest.mark.parametrize("format", NAMES)
def test_a_merged_profile_is_exported_whole(format: str, tmp_path: Path) -> None:
    both, other = SAMPLES["login"](), SAMPLES["login"]()
    for thread in other.threads:
        thread.process += len(both.processes)
    both.processes += other.processes
    both.threads += other.threads
    merged = Profile.read(str(SAMPLES["login"]().write(tmp_path)))
    merged.merge(Profile.read(str(SAMPLES["login"]().write(tmp_path))))
    assert FORMATS[format].read(merged.export(format)) == FORMATS[format].expected(both)


@pytest.mark.parametrize("format", NAMES)
@pytest.mark.parametrize("limits", [(1, 0), (9, 0), (100, 0), (0, 60), (200, 700), (0, 0)])
def test_a_pruned_profile_reads_as_what_is_left(
    format: str, limits: tuple[int, int], recording: Recording, profile: Profile
) -> None:
    smaller, kept, nodes, seconds = profile.prune(*limits)
    left, left_out = pruned(recording, *limits)
    assert FORMATS[format].read(smaller.export(format)) == FORMATS[format].expected(left)
    assert nodes == len(left_out)
    assert kept == sum(len(thread.nodes) - 1 for thread in recording.threads) - nodes
    assert seconds == min(sum(node.own for node in left_out), LARGEST) / 1e9


@pytest.mark.parametrize("limits", [(1, 0), (50, 0), (0, 100)])
def test_pruning_keeps_totals(limits: tuple[int, int], profile: Profile) -> None:
    smaller, _, nodes, _ = profile.prune(*limits)
    was, now = profile.totals(), smaller.totals()
    assert (now.calls, now.own, now.waiting) == (was.calls, was.own, was.waiting)
    assert now.nodes <= 2 * (was.nodes - nodes)  # below each that is kept at most one [pruned]
    totals_of = [(t.name, t.uses, t.process, t.own, t.waiting) for t in profile.threads()]
    assert [(t.name, t.uses, t.process, t.own, t.waiting) for t in smaller.threads()] == totals_of


def test_an_unknown_format_is_refused_with_the_known_ones() -> None:
    for name in ["", "JSON", "json\0", "jsonx", "\ud800"]:
        with pytest.raises(ValueError, match=f"choose one of {', '.join(NAMES)}"):
            Profile().export(name)
    with pytest.raises(TypeError):
        Profile().export(b"json")  # type: ignore[arg-type]
