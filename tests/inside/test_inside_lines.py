# SPDX-License-Identifier: Apache-2.0
"""fettle.run(lines=...): a program records lines of its own."""

import functools
import inspect
import io
import json.decoder
import linecache
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import fettle
import pytest
from fettle import _core, inside


def work(number: int) -> int:
    total = 0
    for each in range(number):
        total += each
    return total


def other(number: int) -> int:
    return work(number) + 1


@fettle.lines
def marked(number: int) -> int:
    return other(number)


class Shop:
    def plain(self) -> int:
        return 1

    @classmethod
    def of_class(cls) -> int:
        return 2

    @staticmethod
    def static() -> int:
        return 3

    @property
    def proper(self) -> int:
        return 4

    @functools.cached_property
    def cached(self) -> int:
        return 5


FIRST = inspect.getsourcelines(work)[1]
WORK = {FIRST + 1: 1, FIRST + 2: 6, FIRST + 3: 5, FIRST + 4: 1}  # hits of work(5)


def hits(recording: inside.Run) -> dict[str, dict[int, int]]:
    return {
        table[3]: {row[0]: row[1] for row in table[5] if row[1]}
        for table in recording.profile().lines()
    }


def test_the_functions_of_a_list_alone_are_recorded() -> None:
    with fettle.run(lines=[work]) as recording:
        marked(5)
    work(5)
    assert hits(recording) == {"work": WORK}
    assert recording.stats() == []


def test_all_that_is_marked_is_recorded() -> None:
    with fettle.run(lines=True) as recording:
        marked(5)
    found = hits(recording)
    assert list(found["marked"].values()) == [1]
    assert "work" not in found


def test_calls_and_lines() -> None:
    with fettle.run(calls=True, lines=[other]) as recording:
        marked(5)
    assert {"marked", "other", "work"} <= {row.name for row in recording.stats()}
    assert list(hits(recording)) == ["other"]


@pytest.mark.parametrize("selector", [f"{__name__}:work", f"{__name__}.work", f"{__file__}:work"])
def test_selectors(selector: str) -> None:
    with fettle.run(lines=[selector]) as recording:
        exec(compile("import sys", "<nothing>", "exec"))
        other(5)
    assert hits(recording) == {"work": WORK}


def test_functions_that_the_collector_leaves_alone() -> None:
    """What is loaded before a server forks may be frozen."""
    script = (
        "import fettle, gc, json.decoder\n"
        "gc.freeze()\n"
        "with fettle.run(lines=['json.decoder:JSONDecoder.decode']) as recording:\n"
        "    json.loads('[1]')\n"
        "print([(table[3], table[4]) for table in recording.profile().lines()])\n"
    )
    said = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert said.stdout == "[('JSONDecoder.decode', 1)]\n", said.stderr


def test_modules_and_classes() -> None:
    with fettle.run(lines=[json.decoder, Shop]) as recording:
        shop = Shop()
        assert [shop.plain(), shop.of_class(), shop.static(), shop.proper, shop.cached] == [
            *(1, 2, 3, 4, 5),
        ]
        json.JSONDecoder().decode("[1]")
    found = hits(recording)
    names = ("plain", "of_class", "static", "proper", "cached")
    assert all(list(found[f"Shop.{name}"].values()) == [1] for name in names)
    assert found["JSONDecoder.decode"]


def test_a_decorator_with_lines() -> None:
    @fettle.run(lines=[work])
    def run() -> int:
        return work(5)

    assert run() == 10
    assert hits(run.recording) == {"work": WORK}  # type: ignore[attr-defined]


def test_what_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    with fettle.run(lines=[work]) as recording:
        work(5)
    recording.view()
    plain = capsys.readouterr().out
    assert plain.startswith("lines of 1 function\ntest_inside_lines.py:")
    assert "        total += each\n" in plain
    assert "fettle: " not in plain
    recording.view("lines")
    assert capsys.readouterr().out == plain
    recording.view("lines", unit="us")
    assert "times in us" in capsys.readouterr().out
    out = io.StringIO()
    recording.view("lines", within="test_inside_lines.py", rows=1, file=out)
    assert "total += each" in out.getvalue()
    for wrong in ({"within": "nosuch.py"}, {"unit": "parsec"}, {"unit": ""}):
        with pytest.raises(ValueError, match=r"\."):
            recording.view("lines", **wrong)  # type: ignore[arg-type]


def test_both_are_shown_where_there_is_both(capsys: pytest.CaptureFixture[str]) -> None:
    with fettle.run(calls=True, lines=[work]) as recording:
        work(5)
    recording.view()
    shown = capsys.readouterr().out
    assert shown.index("function call in") < shown.index("lines of 1 function\n")
    recording.view("calls")
    assert "lines of" not in capsys.readouterr().out


def test_nothing_ran_is_said_in_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    with fettle.run(lines=[work]) as recording:
        pass
    recording.view()
    said = [line for line in capsys.readouterr().out.splitlines() if line.startswith("fettle: ")]
    assert len(said) == 1
    assert "nothing ran" in said[0]


@pytest.mark.parametrize("meant", [["no.such:name"], [len]])
def test_lines_of_nothing_are_no_table_of_calls(
    meant: list[object], capsys: pytest.CaptureFixture[str]
) -> None:
    with fettle.run(lines=meant) as recording:
        str(1)
    recording.view()
    printed = capsys.readouterr().out.splitlines()
    assert printed[0] == "lines of 0 functions"
    assert [line.partition(":")[0] for line in printed[1:]] == ["fettle"]
    assert "no function was recorded" in printed[1]


def test_it_is_saved_with_the_source_that_linecache_knows(tmp_path: Path) -> None:
    text = "def made(n):\n    return n\n"
    linecache.cache["<cell 1>"] = (len(text), None, text.splitlines(True), "<cell 1>")
    names: dict[str, Callable[[int], int]] = {}
    exec(compile(text, "<cell 1>", "exec"), names)
    with fettle.run(lines=[names["made"], work]) as recording:
        names["made"](1)
        work(5)
    recording.save(str(tmp_path / "x.fettle"))
    profile = _core.Profile.read(str(tmp_path / "x.fettle"))
    assert profile.source("<cell 1>") == text
    assert profile.source(__file__) == Path(__file__).read_text()
    assert profile.meta()["options"] == "lines"


@pytest.mark.parametrize("wrong", [3, b"work", "", None])
def test_what_has_no_lines_is_refused(wrong: object) -> None:
    with pytest.raises(TypeError, match=f"selectors, and {wrong!r} is none"):
        fettle.run(lines=[work, wrong])


@pytest.mark.parametrize(
    ("wrong", "error"),
    [("work", TypeError), (work, TypeError), (3, TypeError), ([], None), (False, None)],
)
def test_what_lines_may_be(wrong: object, error: type[Exception] | None) -> None:
    if error:
        with pytest.raises(error, match="lines needs True or a list"):
            fettle.run(lines=wrong)  # type: ignore[arg-type]
    else:  # nothing of lines: calls
        with fettle.run(lines=wrong) as recording:  # type: ignore[arg-type]
            work(5)
        assert recording.stats()
        with pytest.raises(ValueError, match="records nothing"):
            fettle.run(calls=False, lines=wrong)  # type: ignore[arg-type]


def things() -> Iterator[object]:
    yield from (1, None, "x", len, print, [].append, str.join, object(), SimpleNamespace(a=1))
    yield from (work, Shop, Shop().plain, Shop.__dict__["static"], Shop.__dict__["of_class"])
    yield from (Shop.__dict__["proper"], Shop.__dict__["cached"], functools.partial(work, 3))
    yield from (functools.lru_cache(work), int, type, lambda: 0, sys)


@pytest.mark.parametrize("thing", list(things()), ids=lambda thing: type(thing).__name__)
def test_a_mark_gives_back_what_it_got(thing: object) -> None:
    assert fettle.lines(thing) is thing
    assert fettle.profile(fettle.profile(thing)) is thing


def test_marks_are_free_to_import() -> None:
    code = "import sys, fettle\nprint('lines' in dir(fettle), 'fettle._core' in sys.modules)\n"
    code += (
        "from fettle import profile, lines\nprint(profile is lines, 'fettle.inside' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["True", "False", "True", "False"]
