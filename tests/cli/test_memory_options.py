# SPDX-License-Identifier: Apache-2.0
"""What the options of memory mean, and what is said of those that mean nothing."""

import shlex

import fettle
import pytest
from fettle import _core, alone
from fettle.cli import run, view
from fettle.options import parse
from fettle.problem import Problem

from .harness import Folder


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("-M app.py", "mem"),
        ("--mem app.py", "mem"),
        ("--mem=all app.py", "mem"),
        ("--mem=sample app.py", "mem=sample"),
        ("-M --frames 7 app.py", "mem frames=7"),
        ("-M --frames 1 app.py", "mem frames=1"),
        ("-M --frames=128 app.py", "mem frames=128"),
        ("-C -M app.py", "calls mem frames=32"),
        ("-CM --frames 3 app.py", "calls mem frames=3"),
        ("-M -l app.py", "lines mem"),
        ("-CMl --no-builtins app.py", "calls lines mem frames=32 no-builtins"),
        ("app.py -M", "calls"),
    ],
)
def test_the_words_that_the_program_gets(line: str, words: str) -> None:
    assert run._options(parse("run", run.OPTIONS, shlex.split(line))) == words


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("-M --frames 0", "1 to 128"),
        ("-M --frames 100000", "1 to 128"),
        ("-M --frames 129", "1 to 128"),
        ("-M --frames -1", "1 to 128"),
        ("-M --frames ten", "1 to 128"),
        ("-M --frames ²", "1 to 128"),
        ("--frames 5", "add -M"),
        ("-l --frames 5", "add -M"),
        ("--mem=some", "all or sample"),
        ("--mem=", "--mem="),
        ("-M --no-builtins", "add -C"),
    ],
)
def test_options_that_mean_nothing_are_one_sentence(folder: Folder, line: str, said: str) -> None:
    folder.write("app.py", "open('ran', 'w')")
    ended = folder.fettle("run", *line.split(), "app.py")
    assert ended.code == 2
    assert said in ended.sentence()
    assert folder.names() == {"app.py"}


def test_a_word_after_the_switch_is_the_script(folder: Folder) -> None:
    ended = folder.fettle("run", "-M", "sample", "app.py")
    assert ended.code == 2
    assert "--mem=sample" in ended.sentence()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("mem frames=0", "1 to 128"),
        ("mem frames=100000", "1 to 128"),
        ("mem frames=x", "1 to 128"),
        ("mem=all", "frames=N"),
        ("mem=some", "mem=sample"),
    ],
)
def test_words_of_the_environment_that_mean_nothing(folder: Folder, words: str, said: str) -> None:
    folder.write("app.py", "print('ran')")
    ended = folder.python("app.py", FETTLE=words)
    assert (ended.code, ended.stdout) == (0, "ran\n")
    assert "nothing is recorded" in ended.sentence()
    assert said in ended.stderr
    assert folder.names() == {"app.py"}


@pytest.mark.parametrize(
    ("words", "implied"),
    [
        (["calls", "mem"], ["frames=32"]),
        (["calls", "mem=sample"], ["frames=32"]),
        (["calls", "mem", "frames=2"], []),
        (["mem"], []),
        (["calls"], []),
    ],
)
def test_with_calls_the_memory_has_paths(words: list[str], implied: list[str]) -> None:
    assert alone._implied(words) == implied


@pytest.mark.parametrize(
    ("line", "reports"),
    [
        ("", set()),
        ("--mem", {"mem"}),
        ("--alive", {"mem"}),
        ("--peak --calls --mem", {"calls", "mem"}),
        ("--total --timeline", {"mem", "timeline"}),
        ("--objects", {"objects"}),
        ("--objects --timeline --lines", {"lines", "objects", "timeline"}),
        ("--mem --tree", {"mem", "tree"}),
        ("--temporary --tree --fold 3", {"mem", "tree"}),
        ("--tree", {"tree"}),
    ],
)
def test_what_view_is_asked_for(line: str, reports: set[str]) -> None:
    assert view._reports(parse("view", view.OPTIONS, line.split(), mixed=True)) == reports


@pytest.mark.parametrize(
    "line",
    [
        "--peak --alive",
        "--objects --tree",
        "--mem --tree --callers f",
        "--mem --callees f",
        "--calls --tree --mem",
        "--alive --calls",
        "--total --objects",
        "--mem -s tottime",
        "--alive -r",
        "--mem --tree -p",
        "--mem --fold 3",
        "--objects -t",
    ],
)
def test_reports_that_do_not_go_together(line: str) -> None:
    with pytest.raises(Problem) as refused:
        view._reports(parse("view", view.OPTIONS, line.split(), mixed=True))
    assert refused.value.code == 2
    assert refused.value.sentence.endswith(".")


@pytest.mark.parametrize(
    "words",
    [["a", "b", "c"], ["--peak", "--alive"], ["--fail-on", "time>5MB"], ["-n", "x"], ["@x"]],
)
def test_diff_is_asked_for_nothing_there_is(folder: Folder, words: list[str]) -> None:
    ended = folder.fettle("diff", *words)
    assert (ended.code, ended.stdout) == (2, "")
    assert ended.sentence()


@pytest.mark.parametrize("words", [[], ["no.fettle"], ["no@loaded"], ["no", "new"]])
def test_diff_needs_recordings(folder: Folder, words: list[str]) -> None:
    ended = folder.fettle("diff", *words)
    assert (ended.code, ended.stdout) == (3, "")
    assert ended.sentence()


def test_a_recording_of_calls_has_no_memory(folder: Folder) -> None:
    folder.write("app.py", "pass")
    assert folder.fettle("run", "-q", "app.py").code == 0
    for words in (["view", "--mem"], ["view", "--objects"], ["view", "--mem", "--tree"]):
        ended = folder.fettle(*words)
        assert (ended.code, ended.stdout) == (1, "")
        assert "fettle run -M" in ended.sentence()
    ended = folder.fettle("diff", "app", "app", "--mem")
    assert (ended.code, ended.stdout) == (1, "")
    assert "fettle run -M" in ended.sentence()


def test_what_cprofile_wrote_has_no_memory(folder: Folder) -> None:
    folder.write("app.py", "len('')")
    folder.python("-m", "cProfile", "-o", "prof.out", "app.py")
    for words in (["view", "prof.out", "--mem"], ["view", "prof.out", "--mem", "--tree"]):
        ended = folder.fettle(*words)
        assert (ended.code, ended.stdout) == (1, "")
        assert "fettle run -M" in ended.sentence()
    assert folder.fettle("diff", "prof.out", "prof.out", "--mem").code == 1
    assert folder.fettle("diff", "prof.out", "prof.out").code == 0


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"mem": "some"}, "sample"),
        ({"mem": 3}, "sample"),
        ({"mem": True, "frames": 0}, "1 to 128"),
        ({"mem": True, "frames": 100_000}, "1 to 128"),
        ({"frames": 3}, "mem=True"),
        ({"calls": False}, "nothing"),
    ],
)
def test_fettle_run_checks_what_it_is_given(options: dict[str, object], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        fettle.run(**options)  # type: ignore[arg-type]


def test_mark_is_the_point_of_the_core() -> None:
    assert fettle.mark is _core.point
    assert fettle.mark("nothing records") is None
