# SPDX-License-Identifier: Apache-2.0
"""Edge cases: each program's counts follow from how it is written (its docstring says them), and
cProfile must find the same: first that, so that a wrong expectation is not blamed on the probe."""

import pytest

from .compare import differences
from .expectations import expected_of, wrong_counts
from .harness import programs

EDGE = pytest.mark.parametrize("script", programs("edge"), ids=lambda p: p.stem)


@EDGE
def test_cprofile_counts_what_was_reasoned(script, reference):
    said = expected_of(script)
    if said.cprofile_differs:
        pytest.skip(said.cprofile_differs)
    assert wrong_counts(script, reference(script)[1], said) == []


@EDGE
def test_recording_counts_what_was_reasoned(script, recording):
    said = expected_of(script)
    assert wrong_counts(script, recording(script).counts, said) == []


@EDGE
def test_recording_equals_cprofile(script, recording, reference):
    said = expected_of(script)
    if said.cprofile_differs:
        pytest.skip(said.cprofile_differs)
    assert differences(reference(script)[1], recording(script).main_counts) == []


@EDGE
def test_program_behaves_as_without(script, recording, plain):
    expected_of(script)
    ended, alone = recording(script), plain(script)
    assert (ended.status, ended.stdout) == (alone.status, alone.stdout)
    assert ended.stderr == alone.stderr
