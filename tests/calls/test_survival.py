# SPDX-License-Identifier: Apache-2.0
"""However a program ends, its status is its own and the recording holds all up to that moment."""

import pytest

from .expectations import expected_of, wrong_counts
from .harness import PROGRAMS, programs

SURVIVAL = pytest.mark.parametrize("script", programs("survival"), ids=lambda p: p.stem)
SIGNALLED = 128  # a shell's status of a process that died of signal n is 128 + n


@SURVIVAL
def test_program_ends_as_it_says(script, plain):
    said = expected_of(script)
    assert plain(script).status == (-said.signal or said.status)


@SURVIVAL
def test_status_is_the_programs(script, recording):
    said = expected_of(script)
    assert recording(script).status == (SIGNALLED + said.signal if said.signal else said.status)


@SURVIVAL
def test_output_is_the_programs(script, recording, plain):
    ended, alone = recording(script), plain(script)
    assert ended.stdout == alone.stdout
    if script.stem != "fault_handler":  # which writes addresses
        assert ended.stderr == alone.stderr


@SURVIVAL
def test_nothing_recorded_is_lost(script, recording):
    ended = recording(script)
    assert wrong_counts(script, ended.counts, expected_of(script)) == []
    assert ended.profile.ended
    assert not ended.profile.torn


def test_time_of_open_frames_counts(recording):
    """The program was killed after 0.2 s of sleep, two calls deep."""
    rows = {
        row.name: row
        for row in recording(PROGRAMS / "survival" / "kill_itself.py").profile.functions()
    }
    assert rows["outer"].cumulative >= 0.19
    assert rows["<built-in method time.sleep>"].own >= 0.19
