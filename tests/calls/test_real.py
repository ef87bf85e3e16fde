# SPDX-License-Identifier: Apache-2.0
"""Programs that use the standard library, and PyPI packages where they are installed: every call of
every function, and of every caller and callee, is what cProfile counts."""

import pytest

from .compare import differences
from .expectations import expected_of
from .harness import programs

REAL = pytest.mark.parametrize("script", programs("real"), ids=lambda p: p.stem)
LEAST_PROGRAMS = 15
LEAST_CALLS = 500


@REAL
def test_counts_and_edges_equal_cprofile(script, recording, reference):
    expected_of(script)
    ended, theirs = reference(script)
    assert ended.status == 0, ended.stderr
    assert sum(calls.calls for calls in theirs.functions.values()) >= LEAST_CALLS
    assert differences(theirs, recording(script).main_counts) == []


@REAL
def test_output_is_the_same(script, recording, reference):
    expected_of(script)
    ended, theirs = recording(script), reference(script)[0]
    assert (ended.status, ended.stdout) == (theirs.status, theirs.stdout)
    assert ended.stderr == theirs.stderr


def test_there_are_enough_programs():
    standard = [script for script in programs("real") if not script.stem.startswith("pypi_")]
    assert len(standard) >= LEAST_PROGRAMS
