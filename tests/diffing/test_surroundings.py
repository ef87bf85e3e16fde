# SPDX-License-Identifier: Apache-2.0
"""What is said where the two sides were not recorded alike."""

import doctest
import io

import fettle
import pytest
from fettle.diffing import comparing, surroundings
from fettle.diffing.side import Side

pytestmark = pytest.mark.once
MACHINE = "here Linux 6.1 x86_64 4 CPUs"


def said(before: dict[str, str], now: dict[str, str]) -> str:
    """Below the tables of two equal recordings with these properties."""
    sides = []
    for meta in (before, now):
        with fettle.run() as recording:
            repr(meta)
        profile = recording.profile()
        for key, value in meta.items():
            profile.set_meta(key, value)
        sides.append(Side("a.fettle", [profile]))
    stream = io.StringIO()
    comparing.show(sides[0], sides[1], "", "", 5, "", stream)
    assert "the times are of one run each" in stream.getvalue()
    return stream.getvalue()


def test_examples() -> None:
    ended = doctest.testmod(surroundings)
    assert (ended.attempted > 0, ended.failed) == (True, 0)


@pytest.mark.parametrize(
    ("before", "now", "is_said"),
    [
        ("0.10 1.00 2.00", "2.50 1.00 2.00", True),
        ("7.00 1.00 2.00", "0.01 9.00 9.00", True),
        ("0.10 9.00 9.00", "2.00 0.00 0.00", False),  # of four CPUs
        ("", "9.00 9.00 9.00", False),
        ("9.00", "high", False),
        ("9.10 1.00 2.00", "16.50 1.00 2.00", False),
    ],
)
def test_a_load_that_differed(before: str, now: str, is_said: bool) -> None:
    text = said({"machine": MACHINE, "load": before}, {"machine": MACHINE, "load": now})
    assert ("the machine's load differed (" in text) == is_said
    assert ("`fettle time --rev`" in text) == is_said
    assert "differ (" not in text


def test_another_machine_and_interpreter() -> None:
    before = {"machine": MACHINE, "load": "0.10 0.10 0.10", "python": "3.12.1 /usr/bin/python3"}
    now = {"machine": "there", "load": "90.00 9.00 9.00", "python": "3.13.0 /usr/bin/python3"}
    text = said(before, now)
    assert f"the machines differ ({MACHINE} before, there now)" in text
    assert "the interpreters differ (3.12.1 /usr/bin/python3 before, 3.13.0" in text
    assert "load differed" not in text


def test_what_one_side_does_not_know_is_no_difference() -> None:
    text = said({}, {"machine": MACHINE, "load": "9.00 9.00 9.00", "python": "3.13.0 python"})
    assert "differ" not in text
