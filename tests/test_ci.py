# SPDX-License-Identifier: Apache-2.0
""".ci/run: green where every part is, and red where one fails."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

pytestmark = pytest.mark.once
RUN = Path(__file__).parent.parent / ".ci" / "run"
MAKE = """#!/bin/sh
echo "$1" >>made
test "$1" != "$FAILS"
"""
COMPILED = {"test-c", "asan", "tsan", "fuzz"}
LOOKED_AT = {"lint", "site", "viewer-check"}
TESTED = {"test-python", "test-all", "regression", "peers"}
EVERY = sorted({"setup", "consumers", *COMPILED, *LOOKED_AT, *TESTED})


def run(folder: Path, fails: str) -> tuple[int, list[str], str]:
    """Its status, what was made, and what it printed, where one target fails."""
    for name, text in (("make", MAKE), (".venv/bin/python", "#!/bin/sh\necho 3.11\n")):
        program = folder / name
        program.parent.mkdir(parents=True, exist_ok=True)
        program.write_text(text)
        program.chmod(0o755)
    (folder / ".ci").mkdir()
    shutil.copy(RUN, folder / ".ci")
    done = subprocess.run(
        [folder / ".ci" / "run"],
        env=os.environ | {"PATH": f"{folder}:{os.environ['PATH']}", "FAILS": fails},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, sorted((folder / "made").read_text().split()), done.stdout


def test_what_is_green_is_said_to_be(tmp_path: Path) -> None:
    status, made, printed = run(tmp_path, "")
    assert (status, made) == (0, EVERY)
    assert re.search(r"^all green in \d+ s$", printed, re.MULTILINE)
    assert "FAILED" not in printed


@pytest.mark.parametrize("part", EVERY)
def test_a_part_that_fails_is_red(tmp_path: Path, part: str) -> None:
    status, made, printed = run(tmp_path, part)
    assert status != 0
    assert part in made
    assert printed.count("FAILED") == 1
    assert "all green" not in printed
