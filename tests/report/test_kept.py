# SPDX-License-Identifier: Apache-2.0
"""Which sources a recording of memory keeps, and that every note has its sentence."""

import sys
from pathlib import Path

from fettle import sourcetext
from fettle.report import notes

from .memories import Memory, Site

sys.path.append(str(Path(__file__).parents[1]))
from contract.test_json import NOTES


def wanted(*sites: Site) -> list[str]:
    return sourcetext.wanted(Memory(list(sites)).profile())


def test_files_that_matter_in_any_way_are_kept() -> None:
    large = (1, 1_000_000)
    found = wanted(
        Site(1, file="peak.py", peak=large),
        Site(1, file="alive.py", alive=(2, 2_000_000)),
        Site(1, file="total.py", total=large),
        Site(1, file="temporary.py", temporary=large),
        Site(1, file="small.py", peak=(1, 900), alive=(1, 1900), total=(1, 900)),
    )
    assert sorted(found) == ["alive.py", "peak.py", "temporary.py", "total.py"]
    assert wanted() == []
    assert wanted(Site(1, file="none.py")) == []


def test_a_file_is_the_sum_of_its_lines() -> None:
    many = [Site(line, file="many.py", peak=(1, 600)) for line in range(2)]
    assert wanted(Site(1, file="big.py", peak=(1, 1_000_000)), *many) == ["big.py", "many.py"]


def test_so_many_files_and_no_more() -> None:
    sites = [Site(1, file=f"{at}.py", total=(1, 1000 + at)) for at in range(500)]
    found = wanted(*sites)
    assert found == [f"{at}.py" for at in range(499, 499 - sourcetext.MOST_FILES, -1)]


def test_sources_are_read_for_what_is_wanted_only(tmp_path: Path) -> None:
    made = Memory([Site(1, file=str(tmp_path / "app.py"), peak=(1, 5))], properties={"cwd": "/"})
    made.sources = {}
    (tmp_path / "app.py").write_text("x = 1\n")
    (tmp_path / "other.py").write_text("y = 1\n")
    sourcetext.gather(made.profile())
    assert made.sources == {str(tmp_path / "app.py"): "x = 1\n"}


def test_every_kind_of_note_has_a_sentence() -> None:
    of_timelines = {"collections"}  # which say it themselves
    assert set(notes.SENTENCES) == set(NOTES.values()) - of_timelines
    for sentence in notes.SENTENCES.values():
        said = sentence.format(kind="k", count=2, processes="2 processes", forked="a fork")
        assert said.endswith(".")
        assert "{" not in said
