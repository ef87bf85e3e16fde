# SPDX-License-Identifier: Apache-2.0
"""The table from rows made by hand; the oracle is the standard library's own pstats."""

import io
import itertools
import pstats
import re
from typing import ClassVar, NamedTuple

import pytest
from fettle.problem import Problem
from fettle.report import names, notes, order, screen, table

C = "~"


class Row(NamedTuple):
    """What a report uses of fettle.Row."""

    file: str
    line: int
    name: str
    calls: int
    primitive: int
    own: float
    cumulative: float
    cumulative_waiting: float
    own_awaited: float = 0.0
    cumulative_awaited: float = 0.0


def row(
    file: str,
    line: int,
    name: str,
    calls: int = 1,
    primitive: int | None = None,
    own: float = 0.0,
    cumulative: float = 0.0,
    waiting: float = 0.0,
) -> Row:
    few = calls if primitive is None else primitive
    return Row(file, line, name, calls, few, own, cumulative, waiting)


ROWS = [
    row("/app/login.py", 26, "main_app", 1, None, 0.5, 6.02, 5.5),
    row("/app/login.py", 14, "login_user", 2, None, 0.25, 5.25, 5.25),
    row("/app/deep.py", 3, "fib", 177, 1, 1.5, 1.75),
    row(C, 0, "<built-in method time.sleep>", 4, None, 2.5, 2.5, 2.5),
    row(C, 0, "<method 'format' of 'str' objects>", 3, None, 0.125, 0.125),
]


def as_pstats(rows: list[Row]) -> pstats.Stats:
    class Made:
        stats: ClassVar = {
            (each.file, each.line, each.name): (
                each.primitive,
                each.calls,
                each.own,
                each.cumulative,
                {},
            )
            for each in rows
        }

        def create_stats(self) -> None:
            pass

    return pstats.Stats(Made(), stream=io.StringIO()).strip_dirs()


def printed(stats: pstats.Stats) -> list[str]:
    stats.stream.seek(0)
    stats.stream.truncate()
    stats.print_stats()
    lines = stats.stream.getvalue().splitlines()
    start = next(i for i, line in enumerate(lines) if "ncalls" in line)
    return [" ".join(line.split()) for line in lines[start + 1 :] if line.strip()]


def test_numbers_and_names_are_those_of_pstats() -> None:
    files = names.Files([each.file for each in ROWS])
    ours = [
        " ".join((*line[:-2], line[-1]))
        for line in table.lines(order.ordered(ROWS, "cumulative", files), files)
    ]
    assert ours == printed(as_pstats(ROWS).sort_stats("cumulative"))


def ways(key: str) -> list[list[str]]:
    files = names.Files([each.file for each in ROWS])
    results = []
    for rows in itertools.permutations(ROWS):
        results.append([files.label(each) for each in order.ordered(list(rows), key, files)])
    return results


@pytest.mark.parametrize("word", sorted(set(order.WORDS) - {"waiting", "file"}))
def test_sort_order_is_that_of_pstats(word: str) -> None:
    results = ways(order.find(word))
    assert all(result == results[0] for result in results), "the order depends on the input's"
    theirs = [line.split(" ", 5)[5] for line in printed(as_pstats(ROWS).sort_stats(word))]
    if word in {"line", "filename", "module"}:  # has ties, which pstats leaves as they come
        part = 1 if word == "line" else 0
        ours = [label.split("(")[0].split(":")[part] for label in results[0] if label[0] != "{"]
        assert ours == [label.split("(")[0].split(":")[part] for label in theirs if label[0] != "{"]
    else:
        assert results[0] == theirs


def test_every_key_and_prefix_of_pstats_is_known() -> None:
    stats = as_pstats(ROWS)
    for word in stats.get_sort_arg_defs():
        order.find(word)
    assert set(pstats.Stats.sort_arg_dict_default) <= set(order.WORDS)


@pytest.mark.parametrize("number", [-1, 0, 1, 2])
def test_numbers_are_those_of_pstats(number: int) -> None:
    theirs = [line.split(" ", 5)[5] for line in printed(as_pstats(ROWS).sort_stats(number))]
    assert ways(order.find(str(number)))[0] == theirs


SHARED = [  # equal in one key or another
    row("/app/a.py", line, name, calls, None, own, cumulative)
    for line, (name, calls, own, cumulative) in enumerate(
        itertools.product("fg", (1, 2), (0.25, 0.5), (1.0, 2.0))
    )
]


@pytest.mark.parametrize(
    "words", ["calls,time,cumulative", "name,tottime,calls,cumtime", "ncalls,line"]
)
def test_several_keys_sort_as_in_pstats(words: str) -> None:
    files = names.Files(["/app/a.py"])
    ours = order.ordered(SHARED, order.find(words), files)
    theirs = as_pstats(SHARED).sort_stats(*words.split(","))
    assert [files.label(each) for each in ours] == [
        line.split(" ", 5)[5] for line in printed(theirs)
    ]
    back = order.ordered(SHARED, order.find(words), files, reverse=True)
    assert [files.label(each) for each in back] == [
        line.split(" ", 5)[5] for line in printed(theirs.reverse_order())
    ]


def test_shares_are_of_the_whole_and_as_many_columns() -> None:
    files = names.Files([each.file for each in ROWS])
    lines = table.share_lines(ROWS, files, 10.0)
    assert [(line[2], line[4]) for line in lines] == [
        ("5.0", "60.2"),
        ("2.5", "52.5"),
        ("15.0", "17.5"),
        ("25.0", "25.0"),
        ("1.2", "1.2"),
    ]
    plain = table.lines(ROWS, files)
    for share, time in zip(lines, plain, strict=True):
        assert [share[place] for place in (0, 1, 3, 5, 6)] == [
            time[place] for place in (0, 1, 3, 5, 6)
        ]
    assert table.share_lines(ROWS[:1], files, 0.0)[0][2] == ""


@pytest.mark.parametrize("word", ["", "speed", "n", "calls ", "3", "-2", "time,", "time,speed"])
def test_unknown_keys_are_refused_with_the_list(word: str) -> None:
    with pytest.raises(Problem) as refused:
        order.find(word)
    assert refused.value.code == 2
    assert "cumulative" in refused.value.sentence
    assert "waiting" in refused.value.sentence


def test_waiting_is_a_share_of_cumulative_and_blank_when_nothing() -> None:
    files = names.Files([])
    lines = table.lines(
        [
            row("a.py", 1, "half", own=1.0, cumulative=1.0, waiting=0.5),
            row("a.py", 2, "none", own=1.0, cumulative=1.0),
            row("a.py", 3, "instant"),
            row("a.py", 4, "late", own=1.0, cumulative=1.0, waiting=1.001),
        ],
        files,
    )
    assert [line[5] for line in lines] == ["50%", "", "", "100%"]


def test_columns_stay_aligned_whatever_the_numbers() -> None:
    rows = [
        row("a.py", 1, "f", 123456789, 12345678, 12345.678, 98765.432, 90000.0),
        row("a.py", 2, "g", own=0.001, cumulative=0.002),
    ]
    out = io.StringIO()
    screen.page("heading", table.lines(rows, names.Files(["a.py"])), "", out)
    heading, head, *body = out.getvalue().splitlines()
    assert heading == "heading"
    place = head.index("filename:lineno(function)")
    assert [line.index("a.py") for line in body] == [place, place]
    ends = {match.end() for match in re.finditer(r"\S+", head[:place])}
    for line in body:
        assert {match.end() for match in re.finditer(r"\S+", line[:place])} <= ends


@pytest.mark.parametrize(
    ("paths", "shown"),
    [
        (["/a/login.py", "/a/other.py"], ["login.py", "other.py"]),
        (["/a/x/m.py", "/a/y/m.py", "/a/n.py"], ["x/m.py", "y/m.py", "n.py"]),
        (["/a/p/__init__.py"], ["p/__init__.py"]),
        (["/a/p/__main__.py", "/b/p/__main__.py"], ["a/p/__main__.py", "b/p/__main__.py"]),
        (["m.py", "/a/m.py"], ["m.py", "a/m.py"]),
        (["/m.py", "m.py"], ["/m.py", "m.py"]),
        (
            ["<string>", "<frozen importlib._bootstrap>"],
            ["<string>", "<frozen importlib._bootstrap>"],
        ),
        (["__init__.py"], ["__init__.py"]),
    ],
)
def test_files_are_shown_by_their_shortest_own_end(paths: list[str], shown: list[str]) -> None:
    files = names.Files(paths)
    assert [files.shown(path) for path in paths] == shown


def test_shown_files_are_unique_and_are_ends() -> None:
    parts = ["a", "b", "__init__.py", "m.py"]
    paths = ["/" + "/".join(way) for n in (1, 2, 3) for way in itertools.product(parts, repeat=n)]
    files = names.Files(paths)
    shown = [files.shown(path) for path in paths]
    assert len(set(shown)) == len(paths)
    assert all(("/" + path).endswith("/" + end) for path, end in zip(paths, shown, strict=True))


def test_names_can_not_draw_on_the_screen() -> None:
    evil = "a\x1b[31m\n\r\u202e\u2066\u200b\x9b\udcff\u2028b"
    assert names.visible(evil).isprintable()
    assert names.visible("\n\u202e") == "\\n\\u202e"
    assert names.visible("Grüße_日本") == "Grüße_日本"


@pytest.mark.parametrize(
    ("glob", "found"),
    [
        ("/lib/json/decoder.py", True),
        ("json/decoder.py", True),
        ("decoder.py", True),
        ("dec*", True),
        ("json.decoder", True),
        ("json.*", True),
        ("json", False),
        ("*/json/*", True),
        ("encoder.py", False),
        ("lib*", False),
        ("ecoder.py", False),
    ],
)
def test_globs_match_files_and_modules(glob: str, found: bool) -> None:
    files = names.Files(["/lib/json/decoder.py"])
    assert files.match(row("/lib/json/decoder.py", 1, "f"), glob) is found


def test_globs_match_packages_and_c_modules() -> None:
    files = names.Files(["/lib/json/__init__.py", C])
    assert files.match(row("/lib/json/__init__.py", 1, "loads"), "json")
    sleep = row(C, 0, "<built-in method time.sleep>")
    assert files.match(sleep, "time")
    assert files.match(sleep, "*sleep*")
    assert not files.match(sleep, "json")


def test_every_kind_of_note_of_the_contract_has_a_sentence() -> None:
    kinds = re.findall(r'"([a-z ]+)"', (_contract().split("class NoteRow")[1]).split("process:")[0])
    assert len(kinds) >= 10
    assert set(kinds) <= set(notes.SENTENCES)
    for sentence in [*notes.SENTENCES.values(), notes.UNKNOWN, notes.NOTHING]:
        names = {"processes": "2 processes", "threads": "2 threads", "forked": "2 processes"}
        text = sentence.format(kind="x", count=3, **names)
        assert text.endswith(".")
        assert "{" not in text


def _contract() -> str:
    from pathlib import Path

    import fettle

    return Path(fettle.__file__).with_name("_core.pyi").read_text()


def test_what_the_encoding_lacks_is_escaped() -> None:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="ascii")
    screen.page("Grüße", [], "", stream)
    assert raw.getvalue() == b"Gr\\xfc\\xdfe\n"


@pytest.mark.parametrize(
    ("variables", "expected"),
    [({}, False), ({"FORCE_COLOR": "1"}, True), ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, False)],
)
def test_colour_follows_the_conventions(
    variables: dict[str, str], expected: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    out = io.StringIO()
    screen.page("heading", table.lines(ROWS, names.Files([])), "", out)
    assert ("\x1b[" in out.getvalue()) is expected
    bare = re.sub(r"\x1b\[[0-9;]*m", "", out.getvalue())
    assert "login.py" in bare
