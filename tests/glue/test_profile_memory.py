# SPDX-License-Identifier: Apache-2.0
"""The memory of a fettle._core.Profile: what it gives is what was recorded."""

import sys
from pathlib import Path

from fettle._core import Profile

sys.path.append(str(Path(__file__).parents[1]))  # the recordings and their oracle are shared
from contract import synthetic
from contract.spelling import text

MEMORY = ["heaps", "sites", "moments", "points", "objects", "classes"]


def read(recording: synthetic.Recording, folder: Path) -> Profile:
    return Profile.read(str(recording.write(folder)))


def seconds(value: int) -> float:
    return value / 1e9


def test_memory_is_what_was_recorded(tmp_path: Path) -> None:
    """Texts of any bytes, numbers of 64 bits, a place that is not known."""
    r = synthetic.memory()
    m, profile = r.memory, read(r, tmp_path)

    def names(code: int) -> list[str]:
        c = r.codes[code]
        return [text(c.file), text(c.name), text(c.qualname)] if code else ["<unknown>"] * 3

    assert profile.sites() == [
        (file, line, r.codes[code].line, name, qualname, parent - 1, domain, *numbers)
        for code, line, parent, domain, *numbers in m.sites
        for file, name, qualname in [names(code)]
    ]
    assert profile.heaps() == [(*row[:6], seconds(row[6]), *row[7:]) for row in m.heaps]
    assert profile.moments() == [(row[0], seconds(row[1]), *row[2:]) for row in m.moments]
    assert profile.points() == [
        (
            process,
            text(name),
            seconds(time),
            *numbers,
            [(site - 1, *amounts) for at, site, *amounts in m.point_rows if at == index],
        )
        for index, (process, name, time, *numbers) in enumerate(m.points)
    ]
    assert profile.objects() == [
        (process, text(kind), site - 1, *numbers) for process, kind, site, *numbers in m.objects
    ]
    assert profile.classes() == [
        (process, text(kind), *numbers, text(why)) for process, kind, why, *numbers in m.classes
    ]


def test_memory_of_merged_profiles(tmp_path: Path) -> None:
    """Equal sites are one, the rows of the second's processes follow those of the first."""
    one, two = (read(synthetic.memory(), tmp_path) for _ in range(2))
    alone = read(synthetic.memory(), tmp_path)
    one.merge(two)
    most = 2**64 - 1
    assert [tuple(row) for row in one.sites()] == [
        (*row[:7], *(min(2 * number, most) for number in row[7:])) for row in alone.sites()
    ]
    for table in MEMORY:
        if table != "sites":
            rows = getattr(alone, table)()
            later = [(row[0] + 2, *row[1:]) for row in rows]
            assert [tuple(row) for row in getattr(one, table)()] == [*map(tuple, rows), *later]


def test_pruning_keeps_memory(tmp_path: Path) -> None:
    profile = read(synthetic.memory(), tmp_path)
    smaller, *_ = profile.prune(1)
    for table in MEMORY:
        assert getattr(smaller, table)() == getattr(profile, table)()
