# SPDX-License-Identifier: Apache-2.0
"""Threads and greenlets: counts are what each does by construction. (cProfile of 3.12 and later
counts all threads on one stack and calls most of it recursion: it is no witness here.)"""

import pytest

from .expectations import expected_of, wrong_counts
from .harness import PROGRAMS, programs

THREADS = pytest.mark.parametrize("script", programs("threads"), ids=lambda p: p.stem)
FEW = 100  # threads after one another share a tree


@THREADS
def test_counts(script, recording):
    said = expected_of(script)
    assert wrong_counts(script, recording(script).counts, said) == []


@THREADS
def test_program_behaves_as_without(script, recording, plain):
    expected_of(script)
    ended, alone = recording(script), plain(script)
    assert (ended.status, ended.stdout) == (alone.status, alone.stdout)
    assert ended.stderr == alone.stderr


@THREADS
def test_tables_agree(script, recording):
    """The rows of threads add up to the totals, and those to the rows of functions."""
    expected_of(script)
    profile = recording(script).profile
    totals = profile.totals()
    assert totals.calls == sum(thread.calls for thread in profile.threads())
    assert totals.calls == sum(row.calls for row in profile.functions())
    assert totals.primitive == sum(row.primitive for row in profile.functions())


def test_trees_of_ended_threads_are_used_again(recording):
    threads = recording(PROGRAMS / "threads" / "ten_thousand.py").profile.threads()
    assert len(threads) < FEW
    assert sum(thread.uses for thread in threads) == 10_001
