# SPDX-License-Identifier: Apache-2.0
"""What a type checker says of a program that uses caches: nothing."""

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.once  # what a type checker says of the stubs

PROGRAM = Path(__file__).with_name("typed.py")


def complaints(program: Path, tmp_path: Path) -> str:
    """What mypy says of it, without any configuration; "": nothing."""
    pytest.importorskip("mypy")
    options = ["--strict", "--cache-dir", str(tmp_path), "--config-file", str(tmp_path / "none")]
    (tmp_path / "none").write_text("[mypy]\n")
    done = subprocess.run(
        [sys.executable, "-m", "mypy", *options, str(program)],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
    )
    return done.stdout + done.stderr if done.returncode else ""


def test_types(tmp_path: Path) -> None:
    assert complaints(PROGRAM, tmp_path) == ""
