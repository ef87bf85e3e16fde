# SPDX-License-Identifier: Apache-2.0
"""Programs that use other tools on themselves: they see what they see without us, and are recorded;
where a tool needs the one hook that we use too, a note says so."""

import subprocess
import sys

import pytest

from .expectations import expected_of, wrong_counts
from .harness import environment, programs

BESIDE = pytest.mark.parametrize("script", programs("beside"), ids=lambda p: p.stem)
TOOL_IDS = 6


@BESIDE
def test_program_sees_what_it_sees_without(script, recording, plain):
    expected_of(script)
    ended, alone = recording(script), plain(script)
    assert alone.status == 0, alone.stderr
    assert (ended.status, ended.stdout) == (alone.status, alone.stdout)
    said = [line for line in ended.stderr.splitlines() if line.startswith("fettle: ")]
    assert len(said) <= (1 if expected_of(script).yields else 0)
    assert [
        line for line in ended.stderr.splitlines() if line not in said
    ] == alone.stderr.splitlines()


@BESIDE
def test_counts(script, recording):
    said = expected_of(script)
    assert wrong_counts(script, recording(script).counts, said) == []


@BESIDE
def test_counted_or_said(script, recording):
    said = expected_of(script)
    if not said.yields:
        pytest.skip("nothing of ours is taken")
    ended = recording(script)
    notes = {note.kind for note in ended.profile.notes()}
    counted = {name: ended.counts.named(name, str(script)) for name in said.yields}
    assert counted == said.yields or "hook taken" in notes


NO_IDS = f"""
import os, sys
for tool in range({TOOL_IDS}):
    if sys.monitoring.get_tool(tool) is None:
        sys.monitoring.use_tool_id(tool, "greedy")
os.environ.update(FETTLE="calls joined", FETTLE_OUT=sys.argv[1])
import fettle.guest
exec("def f(): return 1")
print(f())
"""


@pytest.mark.skipif(sys.version_info < (3, 12), reason="3.11 has no monitoring tools")
def test_no_tool_id_is_left(tmp_path):
    """The program runs, and the recording says why it is empty."""
    from fettle._core import Profile

    parts = tmp_path / "out.fettle.parts"
    parts.mkdir()
    command = [sys.executable, "-c", NO_IDS, str(tmp_path / "out.fettle")]
    done = subprocess.run(
        command, env=environment(), capture_output=True, text=True, check=False, timeout=60
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "1\n", "")
    profile = Profile()
    assert profile.harvest(str(parts)) == 1
    assert "no tool id" in [note.kind for note in profile.notes()]
    assert profile.functions() == []
