# SPDX-License-Identifier: Apache-2.0
"""The callgrind format as Valgrind's own callgrind_annotate sees it."""

import re
import shutil
import subprocess
from collections import Counter
from pathlib import Path

import pytest
from fettle._core import Profile

from . import callgrind
from .synthetic import SAMPLES, Recording

ANNOTATE = shutil.which("callgrind_annotate")
pytestmark = pytest.mark.skipif(not ANNOTATE, reason="callgrind_annotate (valgrind) is not here")


def annotate(recording: Recording, folder: Path, *options: str) -> str:
    """In a folder of its own: callgrind_annotate cuts the current one off the names of files."""
    assert ANNOTATE
    path = folder / "out.callgrind"
    path.write_bytes(Profile.read(str(recording.write(folder))).export("callgrind"))
    (folder / "elsewhere").mkdir()
    done = subprocess.run(
        [ANNOTATE, "--threshold=100", "--show-percs=no", "--auto=no", *options, str(path)],
        cwd=folder / "elsewhere",
        env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"},
        capture_output=True,
        check=True,
    )
    assert done.stderr == b""
    return done.stdout.decode("utf-8", "surrogateescape")


def costs(printed: str) -> Counter[str]:
    """The rows of the table of functions: "  6,000 file:function []"."""
    rows = re.findall(r"^ *([0-9,]+) +(?![*<>] )(\S.*?)(?: \[\])?$", printed, re.MULTILINE)
    return Counter({name: int(number.replace(",", "")) for number, name in rows})


# callgrind_annotate finds nothing to show in a recording of nothing, and counts past 2**63 in
# floating point.
READABLE = [name for name in SAMPLES if name not in ("empty", "extremes")]


@pytest.mark.parametrize("sample", READABLE)
def test_own_times_and_total(sample: str, tmp_path: Path) -> None:
    recording = SAMPLES[sample]()
    seen = costs(annotate(recording, tmp_path))
    expected = callgrind.expected(recording)
    assert seen.pop("PROGRAM TOTALS") == expected.total
    assert seen == {":".join(key): ns for key, ns in expected.own.items()}


def test_calls_and_inclusive_times(tmp_path: Path) -> None:
    printed = annotate(SAMPLES["login"](), tmp_path, "--inclusive=yes", "--tree=both")
    blocks = [re.sub(" +", " ", block).splitlines() for block in printed.split("\n\n")]
    assert [
        "6,003,000,001 < login.py:main_app:26 (2x) []",
        "6,003,000,001 * login.py:login_user:14",
        "6,000,000,001 > ~:<built-in method time.sleep> (4x) []",
    ] in blocks
    assert [
        "7,006,001,201 * login.py:<module>:1",
        "7,005,001,201 > login.py:main_app:26 (1x) []",
    ] in blocks
