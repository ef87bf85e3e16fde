# SPDX-License-Identifier: Apache-2.0
"""Process trees: fork, exec, subprocess and multiprocessing, counted over all processes."""

import pytest

from .expectations import expected_of, wrong_counts
from .harness import programs

PROCESSES = pytest.mark.parametrize("script", programs("processes"), ids=lambda p: p.stem)


@PROCESSES
def test_counts(script, recording):
    said = expected_of(script)
    assert wrong_counts(script, recording(script).counts, said) == []


@PROCESSES
def test_processes_are_told_apart(script, recording):
    said = expected_of(script)
    if said.processes is None:
        pytest.skip("helpers of multiprocessing may or may not be there")
    rows = recording(script).profile.processes()
    assert len(rows) == said.processes
    pids = {row.pid for row in rows}
    assert len(pids) == said.processes
    if script.stem.startswith("fork"):  # else a shell may stand between
        begun_outside = [row for row in rows if row.parent_pid not in pids]
        assert begun_outside == [min(rows, key=lambda row: row.started)]


@PROCESSES
def test_program_behaves_as_without(script, recording, plain):
    expected_of(script)
    ended, alone = recording(script), plain(script)
    assert (ended.status, ended.stdout) == (alone.status, alone.stdout)
    assert ended.stderr == alone.stderr
