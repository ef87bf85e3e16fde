# SPDX-License-Identifier: Apache-2.0
"""The timings of the json format, field by field as docs/export.md has them."""

import json
import os
import random
import shutil
import struct
import subprocess
import sys
from array import array
from pathlib import Path

import pytest
from fettle._core import Profile


def test_the_rows_are_the_series() -> None:
    profile = Profile()
    groups = array("d", [1.5, -2e-9]), array("d")
    counters = {"instructions": 12.25, 'a "quote"': 0.0}
    profile.add_timing("x\n\N{SNOWMAN}", "cpu", 2**64 - 1, 1e-9, groups, (3, 1), 0, counters)
    profile.add_timing("y", "wall", 1, 0.0, (), together=True)
    assert json.loads(profile.export("json"))["timings"] == [
        {
            "label": "x\n\N{SNOWMAN}",
            "clock": "cpu",
            "loops": 2**64 - 1,
            "empty_s": 1e-9,
            "bytes": 3,
            "blocks": 1,
            "peak_bytes": 0,
            "together": False,
            "counters": counters,
            "groups_s": [[1.5, -2e-9], []],
        },
        {
            "label": "y",
            "clock": "wall",
            "loops": 1,
            "empty_s": 0.0,
            "bytes": None,
            "blocks": None,
            "peak_bytes": None,
            "together": True,
            "counters": {},
            "groups_s": [],
        },
    ]
    assert profile.export("json").isascii()


def doubles() -> "array[float]":
    rng = random.Random(1)
    drawn = [struct.unpack("<d", rng.randbytes(8))[0] for _ in range(20_000)]
    usual = [rng.lognormvariate(-14, 3) for _ in range(20_000)]
    edges = [0.0, -0.0, 5e-324, -1.7976931348623157e308, 0.1, 1 / 3, 2.0**53, 1e22, 1e23]
    return array("d", [one for one in drawn if abs(one) < float("inf")] + usual + edges)


def test_every_double_comes_back() -> None:
    profile, group = Profile(), doubles()
    profile.add_timing("x", "cpu", 1, 0.0, [group])
    back = json.loads(profile.export("json"))["timings"][0]["groups_s"][0]
    assert array("d", back).tobytes() == group.tobytes()


IN_GERMAN = """
import locale
from array import array
from fettle._core import Profile
locale.setlocale(locale.LC_NUMERIC, "de_DE.UTF-8")
assert locale.localeconv()["decimal_point"] == ","
profile = Profile()
profile.add_timing("x", "cpu", 1, 0.0, [array("d", [0.5, -1.25e-9])])
print(profile.export("json").decode("ascii"), end="")
"""


def test_the_point_is_one_in_every_locale(tmp_path: Path) -> None:
    if shutil.which("localedef") is None:
        pytest.skip("needs localedef")
    make = ["localedef", "-i", "de_DE", "-f", "UTF-8", str(tmp_path / "de_DE.UTF-8")]
    subprocess.run(make, capture_output=True, check=False)  # warnings have an exit code too
    if not (tmp_path / "de_DE.UTF-8" / "LC_NUMERIC").exists():
        pytest.skip("needs the sources of a locale")
    words = [sys.executable, "-c", IN_GERMAN]
    ran = subprocess.run(
        words, env={**os.environ, "LOCPATH": str(tmp_path)}, capture_output=True, check=True
    )
    assert json.loads(ran.stdout)["timings"][0]["groups_s"] == [[0.5, -1.25e-9]]
