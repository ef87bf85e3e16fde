# SPDX-License-Identifier: Apache-2.0
"""What grew: lines that moved are found again, sums stay, leaks are what grew at every mark."""

import io
import random
from typing import Any

import pytest
from fettle.problem import Problem
from fettle.report import difftable, growth, leaks, pointtable

from .memories import MB, Memory, Site, alive, heap, point


def sides(old: Memory, new: Memory) -> tuple[growth.Side, growth.Side]:
    return growth.Side("old.fettle", old.profile()), growth.Side("new.fettle", new.profile())


def pairs(old: Memory, new: Memory) -> dict[tuple[int | None, int | None], int]:
    """Growth by line numbers, before and after."""
    found, _ = growth.matched(*sides(old, new))
    return {
        (one.old and one.old.line, one.new and one.new.line): one.bytes("alive") for one in found
    }


def at(line: int, size: int, **more: Any) -> Site:
    return Site(line, alive=(1, size), peak=(1, size), total=(1, size), **more)


def test_lines_of_one_place_are_one() -> None:
    old = Memory([at(3, 100), at(5, 100), at(7, 70)])
    new = Memory([at(3, 150), at(7, 60), at(9, 9)])
    assert pairs(old, new) == {(3, 3): 50, (5, None): -100, (7, 7): -10, (None, 9): 9}


def test_a_function_that_moved_takes_its_lines_along() -> None:
    """Even onto the numbers that other lines of it had."""
    old = Memory([at(12, 100, first_line=10), at(14, 10, first_line=10)])
    new = Memory([at(14, 101, first_line=12), at(16, 12, first_line=12)])
    assert pairs(old, new) == {(12, 14): 1, (14, 16): 2}
    remarks = growth.matched(*sides(old, new))[1]
    assert len(remarks) == 1
    assert "distance" in remarks[0]


def test_functions_of_one_name_are_not_taken_for_each_other() -> None:
    old = Memory([at(12, 100, first_line=10)])
    new = Memory([at(14, 1, first_line=13), at(22, 2, first_line=21)])
    assert pairs(old, new) == {(12, None): -100, (None, 14): 1, (None, 22): 2}


def edited(rng: random.Random, lines: list[str]) -> tuple[list[str], dict[int, int]]:
    """Lines with some put in and some taken out, and where those that stayed are."""
    after: list[str] = []
    moved: dict[int, int] = {}
    for number, line in enumerate(lines, 1):
        after += [f"new {rng.random()}"] * (rng.random() < 0.2)
        if rng.random() < 0.9:
            after.append(line)
            moved[number] = len(after)
    return after, moved


def test_edited_source_says_where_lines_are() -> None:
    """Every line is another text, so that there is one right answer."""
    rng = random.Random(10)
    for _ in range(40):
        before = [f"line {number}" for number in range(rng.randrange(1, 60))]
        after, moved = edited(rng, before)
        places = growth.aligned(before, after)
        assert places is not None
        assert {old: places.get(old) for old in moved} == moved
        assert len(set(places.values())) == len(places)
        old = Memory([at(n, n) for n in range(1, len(before) + 1)])
        new = Memory([at(place, 2 * n) for n, place in moved.items()])
        old.sources = {"/app/build.py": "\n".join(before)}
        new.sources = {"/app/build.py": "\n".join(after)}
        found = pairs(old, new)
        assert {pair: found[pair] for pair in moved.items()} == {
            (number, place): number for number, place in moved.items()
        }
        assert sum(found.values()) == sum(site.alive[1] for site in new.site_list) - sum(
            site.alive[1] for site in old.site_list
        )


def test_an_edited_line_is_the_same_line() -> None:
    old, new = Memory([at(2, 10)]), Memory([at(2, 30)])
    old.sources = {"/app/build.py": "a\nx = [0] * 9\nb"}
    new.sources = {"/app/build.py": "a\nx = [0] * 99\nb"}
    assert pairs(old, new) == {(2, 2): 20}


def test_very_different_files_are_matched_without_much_work() -> None:
    assert growth.aligned(["a"] * 9000, ["b"] * 9000) is None
    assert growth.aligned(["a"] * 9000 + ["b"], ["a"] * 9000) is not None


def test_a_checkout_elsewhere_is_the_same_program() -> None:
    old = Memory([at(3, 1, file="/one/app.py"), at(4, 1, file="/lib/x.py")])
    new = Memory([at(3, 9, file="/two/app.py"), at(4, 3, file="/lib/x.py")])
    old.properties, new.properties = {"cwd": "/one"}, {"cwd": "/two"}
    assert pairs(old, new) == {(3, 3): 8, (4, 4): 2}


def test_nothing_is_lost_in_matching() -> None:
    rng = random.Random(11)
    for _ in range(60):
        old, new = (
            Memory(
                [
                    at(
                        rng.randrange(1, 12),
                        rng.randrange(100),
                        qualname=rng.choice("fg"),
                        first_line=rng.choice([1, 4]),
                        file=rng.choice(["/a.py", "/b.py"]),
                        domain=rng.choice([0, 0, 389047]),
                    )
                    for _ in range(rng.randrange(30))
                ]
            )
            for _ in range(2)
        )
        found, _ = growth.matched(*sides(old, new))
        before, now = (sum(site.alive[1] for site in one.site_list) for one in (old, new))
        assert sum(one.bytes("alive") for one in found) == now - before
        assert sum(one.now("alive") for one in found) == now


def compared(old: Memory, new: Memory, **choice: Any) -> list[str]:
    out = io.StringIO()
    out.writelines(difftable.show(*sides(old, new), difftable.Choice(**choice), out))
    return out.getvalue().splitlines()


def test_the_table() -> None:
    old = Memory([at(3, 100), at(5, 4000), at(7, 70)])
    new = Memory([at(3, 2100), at(7, 70), at(9, 9)], sources={"/app/build.py": "\n\nrows = []"})
    assert compared(old, new) == [
        "old.fettle -> new.fettle: peak 4.2 kB -> 2.2 kB (-2.0 kB, -47.7 %);"
        " alive 4.2 kB -> 2.2 kB (-2.0 kB, -47.7 %)",
        "     peak     now  blocks    alive     now  blocks        allocated at",
        "  +2.0 kB  2.1 kB          +2.0 kB  2.1 kB                build.py:3  load  rows = []",
        "     +9 B     9 B      +1     +9 B     9 B      +1   new  build.py:9  load",
        "  -4.0 kB              -1  -4.0 kB              -1  gone  build.py:5  load",
    ]
    assert compared(old, old)[1] == "no line changed"


def test_the_lines_that_changed_most_are_kept() -> None:
    old = Memory([at(3, 100), at(5, 4000), at(7, 70)])
    new = Memory([at(3, 2100), at(7, 70), at(9, 9)])
    lines = compared(old, new, rows=2)
    assert ["build.py:3" in lines[2], "build.py:5" in lines[3]] == [True, True]
    assert lines[4] == " 1 more line changed; -n 0 shows all"
    with pytest.raises(Problem):
        compared(old, new, within="nothing")
    assert "new.fettle" in compared(old, new, within="build")[0]


def test_types_that_grew() -> None:
    old, new = Memory([at(3, 100)]), Memory([at(3, 100)])
    old.object_list = [
        alive("build.P", 0, 10, 800),
        alive("dict", 0, 1, 1),
        alive("list", -1, 2, 9999),  # older than the recording
    ]
    new.object_list = [
        alive("build.P", 0, 30, 2400),
        alive("dict", 0, 2, 3),
        alive("set", 0, 1, 200),
    ]
    assert compared(old, new)[2:] == [
        "    alive     now  objects  type",
        "  +1.6 kB  2.4 kB      +20  build.P",
        "   +200 B   200 B       +1  set",
    ]


# ---- points ----


def marked() -> Memory:
    made = Memory(
        [at(3, 9000), at(5, 50), at(7, 4000)], sources={"/app/build.py": "\n\nrows.append()"}
    )
    made.point_list = [
        point("step", 0.1, [(0, 10, 1000), (1, 1, 50)]),
        point("step", 0.2, [(0, 20, 2000), (1, 1, 60), (2, 1, 1)]),
        point("done", 0.3, [(0, 30, 3000), (1, 1, 60), (2, 2, 2)]),
    ]
    made.object_list = [alive("build.P", 0, 90, 8000), alive("list", 0, 1, 800)]
    return made


def points(made: Memory, **choice: Any) -> list[str]:
    out = io.StringIO()
    pointtable.show(made.profile(), "x.fettle", difftable.Choice(**choice), out)
    return out.getvalue().splitlines()


def test_points_and_what_grew_at_every_one() -> None:
    assert points(marked())[:10] == [
        "x.fettle: 3 points of its memory",
        "     time    alive    growth  blocks      RSS  point",
        "  0.100 s   1.1 kB                11  20.0 MB  step",
        "  0.200 s   2.1 kB   +1.0 kB      22  20.0 MB  step:2",
        "  0.300 s   3.1 kB   +1.0 kB      33  20.0 MB  done",
        "           13.1 kB  +10.0 kB       3           (end)",
        "2 lines grew at every mark",
        "   growth  each time  blocks  mostly   allocated at",
        "  +2.0 kB    +1.0 kB     +20  build.P  build.py:3  load  rows.append()",
        "     +2 B       +1 B      +2           build.py:7  load",
    ]


def test_two_points_and_the_end_are_three_marks() -> None:
    made = marked()
    del made.point_list[2]
    assert "2 lines grew at every mark" in points(made)  # the second stood still at the end
    del made.point_list[1]
    assert not [line for line in points(made) if "every mark" in line]


def test_growth_at_every_mark_is_what_it_says() -> None:
    rng = random.Random(12)
    keys = [("a.py", number, 1, "f", 0) for number in range(6)]
    for _ in range(300):
        marks = [
            {key: rng.randrange(1, 9) for key in keys if rng.random() < 0.9}
            for _ in range(rng.randrange(2, 5))
        ]
        expected = set()
        for key in keys:
            values = [mark.get(key, 0) for mark in marks]
            if values == sorted(set(values)):
                expected.add(key)
        assert leaks.growing(marks) == expected


@pytest.mark.parametrize(
    ("word", "time"), [("step", 0.1), ("step:1", 0.1), ("step:2", 0.2), ("done", 0.3)]
)
def test_a_point_is_found_by_its_name(word: str, time: float) -> None:
    found = pointtable.find(marked().profile(), word, "x.fettle")
    assert found is not None
    assert [each.time for each in found] == [time]


def test_the_end_is_a_point_unless_one_is_called_so() -> None:
    made = marked()
    assert pointtable.find(made.profile(), "end", "x") is None
    made.point_list.append(point("end", 0.4, []))
    found = pointtable.find(made.profile(), "end", "x")
    assert found is not None
    assert found[0].time == 0.4


@pytest.mark.parametrize("word", ["stop", "step:3", "step:0", "step:x", "\x1b"])
def test_points_that_there_are_not(word: str) -> None:
    with pytest.raises(Problem) as refused:
        pointtable.find(marked().profile(), word, "x.fettle")
    assert refused.value.code == 1
    assert "it has step, done and end" in refused.value.sentence
    assert refused.value.sentence.isprintable()


def test_a_recording_without_points_says_how_to_make_one() -> None:
    with pytest.raises(Problem, match=r"fettle\.mark\('loaded'\)"):
        pointtable.find(Memory([], [heap()]).profile(), "loaded", "x.fettle")


def test_points_of_several_processes() -> None:
    made = marked()
    made.heap_list = [heap(0, alive_bytes=MB), heap(1, alive_bytes=MB)]
    made.point_list += [point("step", 0.1, [(0, 1, 7)], process=1)]
    lines = points(made)
    assert [line for line in lines if line.startswith("[process")] == [
        "[process 100: python app.py]",
        "[process 101: python app.py]",
    ]
    assert not [line for line in lines if "(end)" in line]
    found = pointtable.find(made.profile(), "step", "x")
    assert found is not None
    assert growth.Side("", made.profile(), found).bytes("alive") == 1057
