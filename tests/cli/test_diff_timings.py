# SPDX-License-Identifier: Apache-2.0
"""`fettle diff` and `fettle view` of what `fettle time` saved: who is compared with whom, what is
said of it, and when --fail-on ends with 1."""

import json
import random
import re
from array import array
from pathlib import Path
from typing import Any

import pytest

_core = pytest.importorskip("fettle._core")

from .harness import Folder  # noqa: E402
from .memoryfiles import written as written_memory  # noqa: E402

pytestmark = pytest.mark.once  # numbers from files, read and compared by the engine

ALIKE = {"python": "3.11.2 /usr/bin/python3", "machine": "here Linux 2 CPUs", "recorded": "timing"}


def samples(seed: int, seconds: float = 1e-6, noise: float = 0.02) -> "tuple[array[float], ...]":
    """Of five processes, each with a little luck of its own."""
    rng = random.Random(seed)
    luck = [rng.gauss(0, 0.003) for _ in range(5)]
    return tuple(
        array("d", [seconds * (1 + mine + abs(rng.gauss(0, noise))) for _ in range(40)])
        for mine in luck
    )


def recording(*series: dict[str, Any], **meta: str) -> Any:
    profile = _core.Profile()
    for at, each in enumerate(series):
        sound = {"clock": "cpu", "loops": 100, "empty": 0.0, "together": at > 0}
        profile.add_timing(**sound | each)
    for key, value in (ALIKE | meta).items():
        profile.set_meta(key, value)
    return profile


def write(path: Path, profile: Any) -> None:
    with path.open("wb") as file:
        profile.begin(file.fileno())
        profile.append(file.fileno())


def of(label: str, seed: int, **others: Any) -> dict[str, Any]:
    seconds = others.pop("seconds", 1e-6)
    return {"label": label, "groups": samples(seed, seconds)} | others


def row(text: str, label: str) -> str:
    """What stands behind the label."""
    (line,) = [line for line in text.splitlines() if line.startswith(f"  {label} ")]
    return line.removeprefix(f"  {label} ").strip()


def numbers(words: str) -> list[float]:
    return [float(number) for number in re.findall(r"[0-9]+\.[0-9]+|\b[0-9]+\b", words)]


@pytest.fixture
def two(folder: Folder) -> Folder:
    """f takes 1.4 times as long, g half as long, h is the same; old and new are in one only."""
    write(
        folder.path / "time.prev.fettle",
        recording(of("f()", 1), of("g()", 2), of("h()", 3), of("old()", 4)),
    )
    write(
        folder.path / "time.fettle",
        recording(
            of("new()", 5),
            of("f()", 6, seconds=1.4e-6),
            of("g()", 7, seconds=0.5e-6),
            of("h()", 8),
        ),
    )
    return folder


def test_without_words_the_newest_is_compared_with_the_one_before(two: Folder) -> None:
    ended = two.fettle("diff")
    assert (ended.code, ended.stderr) == (0, "")
    heading = ended.stdout.splitlines()[0]
    assert heading == "time.prev.fettle -> time.fettle: CPU clock, medians"
    assert two.fettle("diff", "time.prev", "time").stdout == ended.stdout
    assert two.fettle("diff", "time").stdout == ended.stdout


def test_what_was_injected_is_found(two: Folder) -> None:
    text = two.fettle("diff").stdout
    for label, word, factor in (("f()", "slower", 1.4), ("g()", "faster", 2.0)):
        words = row(text, label)
        assert f"x {word} (95%: " in words
        _, _, ratio, percent, low, high = numbers(words)
        assert percent == 95
        assert low <= factor <= high
        assert low <= ratio <= high
        assert high / low < 1.1
    assert re.search("unclear|as before", row(text, "h()"))


def test_medians_stand_beside_each_other(two: Folder) -> None:
    words = row(two.fettle("diff").stdout, "f()")
    assert re.match(r"1\.0[0-9] us +1\.4[0-9] us  ", words)


def test_labels_of_one_side_only(two: Folder) -> None:
    text = two.fettle("diff").stdout
    assert re.fullmatch(r"1\.0[0-9] us  new", row(text, "new()"))
    assert re.fullmatch(r"1\.0[0-9] us +gone", row(text, "old()"))
    labels = [line.split()[0] for line in text.splitlines()[2:]]
    assert labels == ["new()", "f()", "g()", "h()", "old()"]  # as in the new one, then what is gone


def test_a_recording_is_as_it_was(folder: Folder) -> None:
    write(folder.path / "a.fettle", recording(of("f()", 1), of("f()", 2)))
    text = folder.fettle("diff", "a", "a").stdout
    assert len(re.findall("unclear|as before", text)) == 2
    assert text.count("  f()") == 2  # the first with the first, the second with the second


@pytest.mark.parametrize(
    ("condition", "code"),
    [
        ("time>5%", 1),
        ("time>20%", 1),
        ("time>30%", 1),
        ("time>45%", 0),  # 40 % it is
        ("time>1000%", 0),
        ("time > 5%, time>90%", 1),
    ],
)
def test_fail_on(two: Folder, condition: str, code: int) -> None:
    ended = two.fettle("diff", "--fail-on", condition)
    assert ended.code == code
    assert "x slower" in ended.stdout  # the table in any case
    if code:
        assert "f() took longer" in ended.sentence()
        assert "h()" not in ended.sentence()
    else:
        assert ended.stderr == ""


def test_what_is_not_sure_does_not_fail(folder: Folder) -> None:
    """Twice as long, by a single sample."""
    write(folder.path / "a.fettle", recording({"label": "f", "groups": [array("d", [1.0])]}))
    write(folder.path / "b.fettle", recording({"label": "f", "groups": [array("d", [2.0])]}))
    ended = folder.fettle("diff", "a", "b", "--fail-on", "time>0%")
    assert (ended.code, ended.stderr) == (0, "")
    assert "unclear" in row(ended.stdout, "f")


def test_faster_does_not_fail(two: Folder) -> None:
    ended = two.fettle("diff", "time", "time.prev", "--fail-on", "time>5%")
    assert ended.code == 1
    assert "g() took longer" in ended.sentence()
    assert "f()" not in ended.sentence()


@pytest.mark.parametrize("condition", ["time>1ms", "time>", "time", "time>-1%", "calls>5%", "x>1%"])
def test_conditions_that_are_none(two: Folder, condition: str) -> None:
    ended = two.fettle("diff", "--fail-on", condition)
    assert (ended.code, ended.stdout) == (2, "")
    assert ended.sentence()


def test_a_condition_of_what_is_not_there(two: Folder) -> None:
    ended = two.fettle("diff", "--fail-on", "mem>5%")
    assert (ended.code, ended.stdout) == (2, "")
    assert "time>5%" in ended.sentence()


def test_nothing_in_common(folder: Folder) -> None:
    write(folder.path / "a.fettle", recording(of("f()", 1)))
    write(folder.path / "b.fettle", recording(of("g()", 1)))
    ended = folder.fettle("diff", "a", "b")
    assert ended.code == 0
    assert "no label is in both" in ended.stdout
    ended = folder.fettle("diff", "a", "b", "--fail-on", "time>5%")
    assert ended.code == 1
    assert "nothing could be compared" in ended.sentence()


def test_two_clocks_are_not_compared(folder: Folder) -> None:
    write(folder.path / "a.fettle", recording(of("f()", 1)))
    write(folder.path / "b.fettle", recording(of("f()", 1, clock="wall")))
    ended = folder.fettle("diff", "a", "b")
    assert ended.code == 0
    assert row(ended.stdout, "f()").endswith("not compared: cpu clock before, wall clock now")
    assert "the same --clock" in ended.stdout


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("machine", "there Linux 8 CPUs", "the machines differ (here Linux 2 CPUs before, there"),
        ("python", "3.14.0 /usr/bin/python3", "the interpreters differ (3.11.2 /usr/bin/python3"),
        ("machine", "", "before, not known now"),
    ],
)
def test_what_else_differs_is_said(folder: Folder, key: str, value: str, said: str) -> None:
    write(folder.path / "a.fettle", recording(of("f()", 1)))
    write(folder.path / "b.fettle", recording(of("f()", 1), **{key: value}))
    ended = folder.fettle("diff", "a", "b")
    assert ended.code == 0
    assert said in ended.stdout
    assert "differ" not in folder.fettle("diff", "a", "a").stdout


def test_memory_and_timings_are_two_things(folder: Folder) -> None:
    from report.memories import Memory, Site

    written_memory(folder.path / "m.fettle", Memory([Site(31, "<module>", total=(1, 100))]))
    write(folder.path / "t.fettle", recording(of("f()", 1)))
    ended = folder.fettle("diff", "m", "t")
    assert (ended.code, ended.stdout) == (2, "")
    assert "m.fettle holds memory and t.fettle holds timings" in ended.sentence()


@pytest.mark.parametrize("words", [["--peak"], ["--alive"], ["--total"], ["--in", "*"]])
def test_options_of_the_memory(two: Folder, words: list[str]) -> None:
    ended = two.fettle("diff", *words)
    assert (ended.code, ended.stdout) == (2, "")
    assert words[0] in ended.sentence()


def test_no_recording_before(folder: Folder) -> None:
    write(folder.path / "time.fettle", recording(of("f()", 1)))
    ended = folder.fettle("diff")
    assert (ended.code, ended.stdout) == (3, "")
    assert "fettle time" in ended.sentence()


def test_rows(two: Folder) -> None:
    text = two.fettle("diff", "-n", "2").stdout
    assert "3 more labels; -n 0 shows all" in text
    assert "h()" not in text
    assert len(two.fettle("diff", "-n", "0").stdout.splitlines()) == 7


# ---- view ----


def test_view_shows_the_table_of_fettle_time(folder: Folder) -> None:
    shown = folder.fettle("time", "[0]*100", "[0 for _ in range(100)]", "--budget", "1")
    assert shown.code == 0
    table = shown.stdout.replace("    -> time.fettle", "")
    assert folder.fettle("view").stdout == table
    assert folder.fettle("view", "time").stdout == table
    both = folder.fettle("view", "time", "time")
    assert both.stdout.startswith(table + "\n")


def test_time_keeps_the_one_before(folder: Folder) -> None:
    for _ in range(2):
        assert folder.fettle("time", "-q", "--budget", "0.5", "pass").code == 0
    assert folder.names() == {"time.fettle", "time.prev.fettle"}
    ended = folder.fettle("diff")
    assert (ended.code, ended.stderr) == (0, "")
    assert "  pass " in ended.stdout


def test_reports_of_what_there_is_not(two: Folder) -> None:
    for option in ("--calls", "--lines", "--mem", "--tree"):
        ended = two.fettle("view", option)
        assert (ended.code, ended.stdout) == (1, ""), option
        assert ended.sentence()


def test_export(two: Folder) -> None:
    assert two.fettle("export", "time", "-f", "json", "-o", "out.json").code == 0
    rows = json.loads((two.path / "out.json").read_text())["timings"]
    assert [each["label"] for each in rows] == ["new()", "f()", "g()", "h()"]
    assert rows[1]["groups_s"] == [list(group) for group in samples(6, 1.4e-6)]
    for name in ("pstats", "collapsed", "speedscope", "callgrind", "pprof", "lprof"):
        ended = two.fettle("export", "time", "-f", name, "-o", "out")
        assert (ended.code, ended.stdout) == (2, ""), name
        assert ended.sentence()


HOSTILE = [
    {"groups": []},
    {"groups": [array("d"), array("d")]},
    {"groups": [array("d", [0.0] * 9)]},
    {"groups": [array("d", [-1.0] * 9)], "empty": 1e308},
    {"groups": [array("d", [1.7e308] * 9)], "loops": 2**64 - 1, "memory": (2**64 - 1, 2**64 - 1)},
    {"groups": [array("d", [1e308, -1e308, 0.0, 5e-324])], "peak": 2**64 - 1},
    {"groups": samples(1), "label": "\x1b[31m\0\udfff" * 100, "counters": {"\x1b[0m": -1e308}},
    {"groups": samples(1), "label": ""},
]


def test_hostile_numbers_and_labels(folder: Folder) -> None:
    """Each alone, and all together; nothing breaks and no control character gets through."""
    everything = [{"label": f"f{at}"} | each for at, each in enumerate(HOSTILE)]
    files = [[each] for each in everything] + [everything]
    for at, series in enumerate(files):
        write(folder.path / f"{at}.fettle", recording(*series))
        for words in (["view", f"{at}.fettle"], ["diff", f"{at}.fettle", f"{at}.fettle"]):
            ended = folder.fettle(*words, PYTHONIOENCODING="utf-8")
            assert (ended.code, ended.stderr) == (0, ""), (words, series)
            assert ended.stdout.replace("\n", "").isprintable(), (words, series)


@pytest.mark.parametrize(
    "told",
    [
        "[]",
        "{}",
        "nonsense",
        "[" * 100_000,
        '{"comparisons": 3, "notes": []}',
        '{"comparisons": [["g()", 1.0]], "notes": []}',
        '{"comparisons": [["g()", 1.0, 2.0, 3.0, 5, "faster"]], "notes": []}',
        '{"comparisons": [["g()", 1.0, 0.5, 2.0, 5, "marvellous"]], "notes": []}',
        '{"comparisons": [["other", 3.0, 2.0, 4.0, 5, "faster"]], "notes": []}',
        '{"comparisons": [["g()", NaN, NaN, NaN, 5, "faster"]], "notes": []}',
    ],
)
def test_what_the_meta_says_is_not_trusted(folder: Folder, told: str) -> None:
    """What does not fit is computed again."""
    series = of("f()", 1), of("g()", 2, seconds=2e-6)
    write(folder.path / "a.fettle", recording(*series))
    write(folder.path / "b.fettle", recording(*series, timing=told))
    plain = folder.fettle("view", "a.fettle")
    assert plain.code == 0
    assert "B is " in plain.stdout
    assert folder.fettle("view", "b.fettle").stdout == plain.stdout


def test_a_cut_file_shows_what_stands_before(folder: Folder) -> None:
    write(folder.path / "a.fettle", recording(of("f()", 1), of("g()", 2)))
    data = (folder.path / "a.fettle").read_bytes()
    (folder.path / "a.fettle").write_bytes(data[:-10])  # its END
    ended = folder.fettle("view", "a")
    assert ended.code == 0
    assert ended.stdout.startswith("A  f()")
    assert "cut off or damaged" in ended.stdout
