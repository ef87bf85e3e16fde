# SPDX-License-Identifier: Apache-2.0
"""tools/suite.py: what fails is run again, and nothing else passes for it."""

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.once
SUITE = Path(__file__).parent.parent / "tools" / "suite.py"
NOW_AND_THEN = """
import pathlib
def test_now_and_then():
    runs = pathlib.Path("runs")
    runs.open("a").write("x")
    assert runs.read_text() == "xx"
"""


def suite(folder: Path, program: str) -> tuple[int, str]:
    """The status and what was printed."""
    (folder / "test_it.py").write_text(f"def test_good(): pass\n{program}")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:fettle"]
    done = subprocess.run(
        [sys.executable, str(SUITE), "cache", *command],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout


def test_what_passes_is_run_once(tmp_path: Path) -> None:
    status, printed = suite(tmp_path, "")
    assert (status, printed.count("1 passed")) == (0, 1)
    assert "second time" not in printed


def test_what_passes_the_second_time_is_named(tmp_path: Path) -> None:
    status, printed = suite(tmp_path, NOW_AND_THEN)
    assert status == 0
    assert printed.endswith("\npassed, the second time: test_it.py::test_now_and_then\n")
    assert "AssertionError" in printed  # of the first


def test_what_fails_twice_fails(tmp_path: Path) -> None:
    status, printed = suite(tmp_path, NOW_AND_THEN + "def test_bad(): assert 0\n")
    assert status == 1
    assert printed.endswith("\nfailed twice: test_it.py::test_bad\n")


def test_many_that_fail_are_no_accident(tmp_path: Path) -> None:
    many = "\n".join(f"def test_{i}(): assert 0" for i in range(5))
    status, printed = suite(tmp_path, NOW_AND_THEN + many)
    assert status == 1
    assert "once more" not in printed
    assert (tmp_path / "runs").read_text() == "x"


@pytest.mark.parametrize(
    ("program", "expected"),
    [
        ("import os\ndef test_end(): os.kill(os.getpid(), 11)", 128 + 11),
        ("def test_interrupted(): raise KeyboardInterrupt", 2),
        ("import nothing_of_that_name", 2),
    ],
)
def test_an_end_of_another_kind_is_one(tmp_path: Path, program: str, expected: int) -> None:
    status, printed = suite(tmp_path, NOW_AND_THEN + program)
    assert status == expected
    assert "second time" not in printed
    runs = tmp_path / "runs"
    assert (runs.read_text() if runs.exists() else "") == ("" if "import n" in program else "x")
