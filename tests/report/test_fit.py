# SPDX-License-Identifier: Apache-2.0
"""Tables on a terminal: no wider than that, with bars and links; plain where it is none."""

import doctest
import io
import random
import re
from types import SimpleNamespace
from typing import ClassVar

import pytest
from fettle._core import Profile
from fettle.report import calltree, costs, fit, flat, links, screen
from fettle.report.linetable import LineTable
from fettle.report.unit import Unit
from fettle.timing.costs import Cost

from tests.terminal import Terminal

pytestmark = pytest.mark.once

LINK = re.compile("\x1b]8;[^\x1b]*\x1b\\\\")
COLOUR = re.compile("\x1b\\[[\\d;]*m")


@pytest.fixture(autouse=True)
def quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NO_COLOR", "FORCE_COLOR", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm")


@pytest.fixture(scope="module")
def profile(tmp_path_factory: pytest.TempPathFactory) -> Profile:
    """Deep paths, long names."""
    import fettle

    namespace: dict[str, object] = {}
    name = "a_function_with_a_name_as_long_as_some_people_like_them"
    source = f"def {name}(n):\n    return {name}(n - 1) + len(str(n)) if n else 0\n"
    exec(compile(source, "/some/folder/of/sources/module.py", "exec"), namespace)
    with fettle.run() as recording:
        namespace[name](40)  # type: ignore[operator]
    return recording.profile()


def bare(text: str) -> str:
    return COLOUR.sub("", LINK.sub("", text))


def shown(profile: Profile, report: str, stream: io.StringIO, **choice: object) -> str:
    options = flat.Choice("cumulative", 0, **choice)  # type: ignore[arg-type]
    if report == "tree":
        calltree.show(profile, 0.0, options, stream, [])
    else:
        flat.page(profile, options, stream)
    return stream.getvalue()


@pytest.mark.parametrize("module", [fit, links])
def test_examples(module: object) -> None:
    ended = doctest.testmod(module)  # type: ignore[arg-type]
    assert ended.attempted > 0
    assert ended.failed == 0


@pytest.mark.parametrize("report", ["tree", "flat"])
@pytest.mark.parametrize("width", [20, 40, 60, 80, 132])
def test_no_row_is_wider_than_the_terminal(
    report: str, width: int, profile: Profile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    for kind in ("xterm", "dumb"):
        monkeypatch.setenv("TERM", kind)
        lines = bare(shown(profile, report, Terminal())).splitlines()
        table = [line for line in lines[1:] if not line.startswith((" (", "fettle:"))]
        assert len(table) > 2
        assert max(map(len, table)) <= width


def test_a_name_keeps_its_end_and_its_indentation() -> None:
    chance = random.Random(9)
    for _ in range(2000):
        text = " " * chance.randrange(30) + "x" * chance.randrange(1, 60) + ")"
        room = chance.randrange(4, 90)
        cut = fit.name(text, room)
        assert len(cut) <= max(room, len(text) if len(text) <= room else room)
        assert cut == text if len(text) <= room else cut.endswith(text[-1])
        assert cut == text or "..." in cut


def test_a_table_of_lines_on_a_narrow_terminal_keeps_their_text() -> None:
    row = (2, 12, 3_000_000, 1_000_000, 500_000)
    found = LineTable(("a.py", 1, "f", "f", 1, [row]))
    source = ["def f():", "    return 'a text of some length'"]
    wide = found.lines(source, Unit(), callees=True)
    assert wide == found.lines(source, Unit(), callees=True, room=200)
    fewest = wide[0][0].split()
    for room in (120, 90, 80, 60, 50, 40, 20):
        lines = found.lines(source, Unit(), callees=True, room=room)
        assert [line.endswith(text) for (line, _), text in zip(lines[1:], source, strict=True)]
        heads = lines[0][0].split()
        assert set(heads) <= set(fewest)  # what is gone does not come back
        assert lines[0][0].index("Line Contents") <= max(room - 24, 20)
        assert lines[2][0].split()[0] == "2" and "3.00ms" in lines[2][0]
        fewest = heads
    assert fewest == ["Line", "#", "Time", "Line", "Contents"]


def test_columns_that_stay_keep_their_order_and_numbers() -> None:
    chance = random.Random(4)
    heads = ("ncalls", "tottime", "percall", "cumtime", "percall", "waiting")
    for _ in range(500):
        lines = [
            (*(str(chance.randrange(10**6)) for _ in heads), "n" * chance.randrange(1, 50))
            for _ in range(chance.randrange(1, 6))
        ]
        kept, left, gone = fit.columns(lines, heads, chance.randrange(5, 120))
        assert sorted([*left, *gone]) == sorted(heads)
        places = iter(range(len(heads)))
        chosen = [next(at for at in places if heads[at] == head) for head in left]
        assert 1 <= len(chosen) <= len(heads)
        for before, after in zip(lines, kept, strict=True):
            assert after[-1] == before[-1]
            # equal heads: the last of them went first, so that a kept one is the first
            assert after[:-1] == tuple(before[at] for at in chosen)


def test_bars_are_as_long_as_their_shares(
    profile: Profile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "132")
    lines = bare(shown(profile, "tree", Terminal())).splitlines()[2:]
    seen = 0
    for line in lines:
        if found := re.match(r" *[\d.]+ +([\d.]+) ", line):
            share = float(found[1])
            bar = re.search("[█▏▎▍▌▋▊▉]*", line.lstrip("% .0123456789"))
            assert bar
            eighths = sum(8 if each == "█" else 1 + "▏▎▍▌▋▊▉".index(each) for each in bar[0])
            assert abs(eighths / 64 - share / 100) <= 1 / 64 + 0.0006
            seen += 1
    assert seen > 5


def test_no_bars_where_there_is_no_terminal_or_no_room(
    profile: Profile, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "█" not in shown(profile, "tree", io.StringIO())
    monkeypatch.setenv("COLUMNS", "60")
    assert "█" not in shown(profile, "tree", Terminal())
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setenv("TERM", "dumb")
    text = shown(profile, "tree", Terminal())
    assert "########" in text
    assert text.isascii()


def test_links_only_where_they_are_asked_for_and_there_is_colour(
    profile: Profile, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = "file:///some/folder/of/sources/module.py"
    for report in ("tree", "flat"):
        assert LINK.search(shown(profile, report, Terminal())) is None
        assert wanted in shown(profile, report, Terminal(), links=True)
        assert wanted not in shown(profile, report, io.StringIO(), links=True)
        monkeypatch.setenv("NO_COLOR", "1")
        assert wanted not in shown(profile, report, Terminal(), links=True)
        monkeypatch.delenv("NO_COLOR")


def test_a_link_can_not_end_its_escape(monkeypatch: pytest.MonkeyPatch) -> None:
    for hostile in ("/a\x1b\\b.py", "/a\x07.py", "/a\nb.py", "/\udcff.py", "/a;b.py", "/‮.py"):
        made = links.uri(hostile, "/")
        assert made.startswith("file:///")
        assert re.fullmatch(r"[A-Za-z0-9/:._~%-]+", made)


def test_what_is_no_terminal_is_cut_nowhere(profile: Profile) -> None:
    stream = io.StringIO()
    rows = [("1", "0.5", "n" * 500)]
    screen.page("heading", rows, "", stream, ("ncalls", "tottime"))
    assert "n" * 500 in stream.getvalue()


class Prices(list[Cost]):
    """What the table of prices asks the figures of an interpreter for."""

    interpreter = SimpleNamespace(number="3.99.0", path="/usr/bin/python3.99")
    measured = 0.0
    skipped: ClassVar[dict[str, str]] = {}

    def get(self, name: str) -> Cost | None:
        return next((each for each in self if each.name == name), None)


@pytest.mark.parametrize("count", [1, 2])
@pytest.mark.parametrize("width", [40, 60, 80])
def test_prices_are_never_cut(width: int, count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    monkeypatch.setenv("NO_COLOR", "1")
    name = "a construct with a name as long as some people like them"
    prices = Prices([Cost("group", name, 1230.0, 1.0, 2.0, "f()", 0.23, 12.3)])
    stream = Terminal()
    costs.show([prices] * count, stream)
    row = next(line for line in stream.getvalue().splitlines() if line.startswith(" a con"))
    assert len(row) <= width
    assert "1 230 ns" in row
    assert ("+-23%" in row) == (width >= 60 and count == 1)
    assert ("no room for the spread" in stream.getvalue()) == (width < 60 and count == 1)
