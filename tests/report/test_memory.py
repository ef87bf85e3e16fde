# SPDX-License-Identifier: Apache-2.0
"""The tables of memory by line, by type and over time, of recordings made by hand."""

import io
import random
import re
from collections import defaultdict

import pytest
from fettle.problem import Problem
from fettle.report import livetypes, memory, sitelines, timeline

from .memories import MB, Memory, Site, a_class, alive, heap, moment, point

SOURCE = "import x\n\ndef load(n):\n    rows = []\n    for i in range(n):\n        rows.append(i)\n"
BLOCKS = ("peak", "alive", "total", "temporary")


def build() -> Memory:
    """A program with one line that matters."""
    return Memory(
        [
            Site(31, "<module>", total=(1, 100)),
            Site(
                6,
                peak=(50_000, 4_800_000),
                alive=(50_000, 4_800_000),
                total=(60_000, 5_800_000),
                temporary=(20, 200),
            ),
            Site(4, peak=(1, 400_000), alive=(1, 300_000), total=(18, 1_000_000)),
            Site(0, "", file="", total=(3, 99)),
            Site(9, "f", "/np/core.py", domain=389047, peak=(1, 100_000), total=(1, 100_000)),
        ],
        sources={"/app/build.py": SOURCE},
    )


def shown(made: Memory, choice: memory.Choice | None = None) -> list[str]:
    out = io.StringIO()
    memory.show(made.profile(), choice or memory.Choice(), out)
    return out.getvalue().splitlines()


def test_the_table_of_lines() -> None:
    assert shown(build()) == [
        "peak 5.3 MB after 0.250 s, 4.8 MB of it at build.py:6 load; 5.1 MB still alive;"
        " 6.9 MB in 60 023 allocations",
        "      peak  blocks     alive  blocks     total  blocks  temporary  blocks  allocated at",
        "    4.8 MB  50 000    4.8 MB  50 000    5.8 MB  60 000      200 B      20"
        "  build.py:6  load            rows.append(i)",
        "  400.0 kB       1  300.0 kB       1    1.0 MB      18                   "
        "  build.py:4  load            rows = []",
        "  100.0 kB       1                    100.0 kB       1                   "
        "  core.py:9  f  [numpy data]",
    ]


@pytest.mark.parametrize(
    ("kind", "places"),
    [
        ("peak", ["build.py:6", "build.py:4", "core.py:9"]),
        ("alive", ["build.py:6", "build.py:4"]),
        ("total", ["build.py:6", "build.py:4", "core.py:9", "build.py:31", "<unknown>:0"]),
        ("temporary", ["build.py:6"]),
    ],
)
def test_each_kind_orders_its_own_lines(kind: str, places: list[str]) -> None:
    lines = shown(build(), memory.Choice(kind=kind))
    assert lines[1].split()[0] == kind
    assert [re.findall(r"\S+:\d+", line)[0] for line in lines[2:]] == places


def test_rows_are_limited_and_the_rest_is_counted() -> None:
    lines = shown(build(), memory.Choice(rows=1, kind="total"))
    assert len(lines) == 4
    assert lines[-1] == " 4 more lines with 1.1 MB; -n 0 shows all"
    assert len(shown(build(), memory.Choice(rows=0, kind="total"))) == 7


def test_lines_of_a_glob() -> None:
    lines = shown(build(), memory.Choice(within="core"))
    assert [line for line in lines[2:] if ":9" not in line] == []
    with pytest.raises(Problem) as refused:
        shown(build(), memory.Choice(within="nothing.*"))
    assert refused.value.code == 1


def test_a_line_is_summed_over_all_ways_to_it() -> None:
    """Beside a plain sum over what a random program did."""
    rng = random.Random(7)
    for _ in range(30):
        sites: list[Site] = []
        sums: dict[tuple[object, ...], dict[str, list[int]]] = defaultdict(
            lambda: {kind: [0, 0] for kind in BLOCKS}
        )
        for at in range(rng.randrange(1, 60)):
            numbers = {kind: (rng.randrange(9), rng.randrange(999)) for kind in BLOCKS}
            place = (rng.choice(["a.py", "b.py"]), rng.randrange(3), rng.choice("fg"))
            sites.append(
                Site(place[1], place[2], place[0], parent=rng.randrange(-1, at), **numbers)
            )
            for kind, pair in numbers.items():
                sums[place][kind] = [sum(two) for two in zip(sums[place][kind], pair, strict=True)]
        found = sitelines.by_line(Memory(sites).sites())
        assert len(found) == len(sums)
        for line in found:
            expected = sums[line.file, line.line, line.qualname]
            assert {kind: [line.blocks[kind], line.bytes[kind]] for kind in BLOCKS} == expected


def test_names_from_the_program_can_not_draw() -> None:
    evil = "\x1b[31m\u202egnp.py"
    made = Memory(
        [Site(1, evil, f"/{evil}", peak=(1, 5), alive=(1, 5))], sources={f"/{evil}": evil}
    )
    made.object_list = [alive(evil, 0, 1, 5)]
    made.class_list = [a_class(evil, 1, 80, 0, evil)]
    made.point_list = [point(evil, 0.1, [(0, 1, 5)])]
    made.moment_list = [moment(0.1, 5, 9)]
    parts = ("mem", "timeline", "objects")
    text = "\n".join(shown(made, memory.Choice(source=evil, target=evil, parts=parts)))
    assert "\\x1b[31m\\u202e" in text
    assert "\x1b" not in text
    assert "\u202e" not in text


def test_sampled_memory_is_called_an_estimate() -> None:
    made = build()
    made.heap_list = [heap(sample=512_000, peak_bytes=5 * MB, peak_time=0.5)]
    heading = shown(made)[0]
    assert heading.startswith("peak about 5.0 MB after 0.500 s")
    assert heading.endswith("(estimated: one sample for every 512.0 kB or so)")


def test_processes_peak_each_at_its_own_time() -> None:
    made = build()
    made.heap_list = [heap(at, peak_bytes=at * MB, peak_time=0.1) for at in (1, 2, 3)]
    assert "peak 6.0 MB in 3 processes, each at its own time (the largest 3.0 MB)" in shown(made)[0]


def test_nothing_allocated_is_no_error() -> None:
    assert shown(Memory([], [heap()])) == [
        "peak 0 B after 0.000 s; 0 B still alive; 0 B in 0 allocations"
    ]


class Screen(io.StringIO):
    """A terminal, as wide as COLUMNS says."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("width", "kinds"),
    [
        (200, ["alive", "peak", "total", "temporary"]),
        (105, ["alive", "peak", "total", "temporary"]),
        (85, ["alive", "peak", "total"]),
        (60, ["alive", "peak"]),
        (10, ["alive"]),
    ],
)
def test_a_narrow_terminal_has_room_for_places(
    width: int, kinds: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    monkeypatch.setenv("NO_COLOR", "1")
    out = Screen()
    memory.show(build().profile(), memory.Choice(kind="alive"), out)
    lines = out.getvalue().splitlines()
    table = [line for line in lines[1:] if not line.startswith(" (")]
    if width > 10:
        assert table[0].split() == [word for kind in kinds for word in (kind, "blocks")] + [
            *sitelines.HEAD.split()
        ]
        assert all("build.py:6  load" in line or "build.py:4  load" in line for line in table[1:])
    missing = [kind for kind in ("alive", "peak", "total", "temporary") if kind not in kinds]
    assert any(line.startswith(" (no r") for line in lines) == bool(missing)
    if width > 80 and missing:
        assert f"--{missing[0]}" in lines[-1]


# ---- types ----


def types(made: Memory, choice: memory.Choice | None = None) -> list[str]:
    chosen = choice or memory.Choice()
    chosen.parts = ("objects",)
    return shown(made, chosen)[1:]


def objects() -> Memory:
    made = build()
    made.object_list = [
        alive("build.P", 1, 30_000, 2_400_000),
        alive("build.P", 1, 20_000, 1_600_000, process=1),
        alive("list", 2, 1, 300_000),
        alive("str", -1, 10, 1000),
    ]
    made.class_list = [
        a_class("build.Q", 10, 104, 0, "it uses its __dict__"),
        a_class("build.R", 3, 88, 48),
        a_class("build.P", 30_000, 80, 40),
        a_class("build.P", 20_000, 80, 40, process=1),
        a_class("build.Slotted", 7, 40, 40),
    ]
    return made


def test_types_by_line_and_what_slots_would_save() -> None:
    assert types(objects()) == [
        "     alive  objects  type     allocated at",
        "    4.0 MB   50 000  build.P  build.py:6  load",
        "  300.0 kB        1  list     build.py:4  load",
        "    1.0 kB       10  str      (before the recording)",
        "build.P: 50 000 instances, 80 B each; with __slots__ 40 B each: saves 2.0 MB",
        " 2 more classes; -n 0 shows all",
    ]
    assert types(objects(), memory.Choice(rows=0))[4:] == [
        "build.P: 50 000 instances, 80 B each; with __slots__ 40 B each: saves 2.0 MB",
        "build.R: 3 instances, 88 B each; with __slots__ 48 B each: saves 120 B",
        "build.Q: 10 instances, 104 B each; no __slots__: it uses its __dict__",
    ]


def test_classes_of_the_program_are_called_by_its_name() -> None:
    made = objects()
    made.object_list.append(alive("__main__.P", 1, 1, 80))
    made.class_list = [
        a_class("__main__.R", 90_000, 88, 48),
        a_class("__main__.N", 90_000, 8, 0, "x"),
    ]
    text = "\n".join(types(made))
    assert "app.P" in text  # the program is app.py
    assert "app.R: 90 000 instances" in text
    assert "app.N: 90 000 instances, 8 B each; no __slots__: x" in text
    assert "__main__" not in text


def test_types_are_limited_and_chosen() -> None:
    lines = types(objects(), memory.Choice(rows=1))
    assert lines[2] == " 2 more rows; -n 0 shows all"
    assert lines[3].startswith("build.P")
    assert lines[4] == " 2 more classes; -n 0 shows all"
    lines = types(objects(), memory.Choice(within="build.py"))
    assert len(lines) == 3
    assert "str" not in "".join(lines)
    with pytest.raises(Problem):
        types(objects(), memory.Choice(within="nothing"))


def test_processes_without_objects_are_counted() -> None:
    made = objects()  # of the processes 0 and 1
    chosen = memory.Choice(parts=("objects",))
    made.heap_list = [heap(0), heap(1)]
    assert memory.show(made.profile(), chosen, io.StringIO()) == []
    made.heap_list = [heap(at) for at in range(4)]
    (said,) = memory.show(made.profile(), chosen, io.StringIO())
    assert said.startswith("2 processes of 4 left no objects")
    made.class_list.append(a_class("build.P", 1, 80, 40, process=3))
    (said,) = memory.show(made.profile(), chosen, io.StringIO())
    assert said.startswith("1 process of 4 left no objects")


def test_without_objects_a_sentence_says_so() -> None:
    made = build()
    assert memory.show(made.profile(), memory.Choice(parts=("objects",)), io.StringIO()) == [
        livetypes.NO_OBJECTS
    ]


# ---- over time ----


def drawn(made: Memory, encoding: str = "utf-8") -> list[str]:
    raw = io.BytesIO()
    out = io.TextIOWrapper(raw, encoding)
    timeline.show(made.profile(), out)
    out.flush()
    return raw.getvalue().decode(encoding).splitlines()


def heights(lines: list[str], bars: str, edge: str) -> list[float]:
    """How high each column stands, in rows."""
    rows = [line.partition(edge)[2].ljust(timeline.WIDTH) for line in lines[: timeline.HEIGHT]]
    return [
        sum(max(bars.find(row[at]), 0) for row in rows if row[at] != " ") / 8
        for at in range(timeline.WIDTH)
    ]


def test_the_bars_are_as_high_as_what_was_live() -> None:
    rng = random.Random(8)
    for _ in range(20):
        moments = [(at / 500, rng.randrange(10 * MB)) for at in range(501)]
        made = Memory(build().site_list)
        made.moment_list = [moment(time, live, 0) for time, live in moments]
        lines = drawn(made)
        found = heights(lines, timeline.BARS, "│")
        most = max(live for _, live in moments)
        for at in range(timeline.WIDTH):
            span = [
                live
                for time, live in moments
                if min(int(timeline.WIDTH * time), timeline.WIDTH - 1) == at
            ]
            assert found[at] == pytest.approx(max(span) / most * timeline.HEIGHT, abs=0.07)


def test_what_was_live_last_lasts_until_the_next_moment() -> None:
    made = Memory(build().site_list)
    made.moment_list = [moment(0.0, 4 * MB, 0), moment(0.5, 8 * MB, 0), moment(0.5, 2 * MB, 0)]
    made.moment_list.append(moment(1.0, 2 * MB, 0))
    found = heights(drawn(made), timeline.BARS, "│")
    half = timeline.WIDTH // 2
    assert set(found[:half]) == {timeline.HEIGHT / 2}
    assert found[half] == timeline.HEIGHT
    assert set(found[half + 1 :]) == {timeline.HEIGHT / 4}


def test_a_plain_terminal_gets_plain_letters() -> None:
    made = Memory(build().site_list)
    made.moment_list = [moment(at / 9, at * MB, 12 * MB) for at in range(10)]
    made.point_list = [point("loaded", 0.2, [(0, 1, 1)]), point("done", 0.9, [(0, 1, 1)])]
    plain, full = drawn(made, "ascii"), drawn(made)
    assert all(line.isascii() for line in plain)
    assert len(plain) == len(full)
    assert "█" in "".join(full)
    assert sum("\\" in line for line in plain) == 0
    for name, time in (("loaded", 0.2), ("done", 0.9)):
        line = next(line for line in full if name in line)
        assert line.index("^") == 12 + int(timeline.WIDTH * time)


def test_each_process_has_its_chart() -> None:
    made = Memory(build().site_list)
    made.moment_list = [
        moment(0.1 * at, at * MB, MB, process) for process in (0, 1) for at in (1, 2)
    ]
    assert [line for line in drawn(made) if line.startswith("[")] == [
        "[process 100: python app.py]",
        "[process 101: python app.py]",
    ]
    assert drawn(Memory([], [heap()])) == []


@pytest.mark.parametrize("width", [200, 76, 75, 50, 30])
def test_a_chart_is_as_wide_as_there_is_room(width: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    monkeypatch.setenv("NO_COLOR", "1")
    made = Memory(build().site_list)
    made.moment_list = [moment(at / 9, at * MB, 12 * MB) for at in range(10)]
    out = Screen()
    timeline.show(made.profile(), out)
    lines = out.getvalue().splitlines()
    assert not any("..." in line for line in lines)
    assert max(map(len, lines)) == min(width, 76)
    assert any(line.endswith("1.000 s") for line in lines)
    highest = next(line for line in lines if "#" in line)
    assert highest.endswith("#")  # the last moment has the most, and it is there
