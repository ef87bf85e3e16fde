# SPDX-License-Identifier: Apache-2.0
"""The report in a real browser: it shows what the payload says, worked out here by brute force."""

import random
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from fettle import recording

from tests.contract import consumers
from tests.contract.chromium import Chromium
from tests.html import pages

pytestmark = pytest.mark.once

ROW = 20  # pixels of a row of the graph
UNITS = {"": 1, "ns": 1, "µs": 1e3, "ms": 1e6, "s": 1e9}
UNITS |= {"B": 1, "kB": 10**3, "MB": 10**6, "GB": 10**9}
PAINTED = "new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done(1))))"

Payload = dict[str, Any]
Show = Callable[[Payload], Chromium]


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:
    with Chromium(consumers.path("chromium"), tmp_path_factory.mktemp("chromium")) as browser:
        browser.resize(1300, 1000)
        yield browser


@pytest.fixture
def show(chromium: Chromium, tmp_path: Path) -> Iterator[Show]:
    """Opens the report of a payload from its file; the browser may complain of nothing."""

    def opened(payload: Payload) -> Chromium:
        (tmp_path / "report.html").write_bytes(pages.document(payload))
        chromium.open((tmp_path / "report.html").as_uri())
        chromium.until(lambda page: page.ask("document.documentElement?.dataset.ready ?? ''"))
        assert chromium.ask("document.documentElement.dataset.ready") == "true"
        chromium.ask(PAINTED)
        return chromium

    yield opened
    assert chromium.complaints == []


class Calls:
    """The tree of a payload, summed up along every path."""

    def __init__(self, part: Payload, own: str = "own", frame: str = "function") -> None:
        self.parent, self.frame, self.own = part["parent"], part[frame], part[own]
        self.value = [0] * len(self.parent)
        for node, own_value in enumerate(self.own):
            for each in pages.path(self.parent, node):
                self.value[each] += own_value

    def children(self, node: int) -> list[int]:
        found = [each for each, above in enumerate(self.parent) if above == node]
        return sorted(
            (each for each in found if self.value[each]), key=lambda each: (-self.value[each], each)
        )

    def callers(self, stack: list[int]) -> dict[int, int]:
        """What was measured where the innermost frames were these, by the last one's caller."""
        found: dict[int, int] = {}
        for node, own in enumerate(self.own):
            frames = [self.frame[each] for each in pages.path(self.parent, node)]
            if frames[: len(stack)] == stack and len(frames) > len(stack) and own:
                caller = frames[len(stack)]
                found[caller] = found.get(caller, 0) + own
        return found


def number(text: str) -> float:
    """What a text of the page says: within half a percent of what it was."""
    plain = text.replace("\u202f", "").replace("\u2212", "-").replace("+", "")
    match = re.fullmatch(r"(-?[\d.]+)\s*(\S*)", plain)
    assert match, text
    return float(match[1]) * UNITS[match[2]]


def groups(pattern: str, text: str) -> tuple[str, ...]:
    match = re.fullmatch(pattern, text)
    assert match, text
    return match.groups()


def attribute(page: Chromium, selector: str, name: str) -> str:
    return str(page.ask(f"document.querySelector({selector!r}).dataset.{name}"))


def every(page: Chromium, selector: str, expression: str) -> list[Any]:
    """What the expression gives for `each` of the elements."""
    found: list[Any] = page.ask(
        f"[...document.querySelectorAll({selector!r})].map(each => {expression})"
    )
    return found


def crumbs(page: Chromium) -> list[str]:
    found = page.ask(
        "[...document.querySelectorAll('.crumbs button')].map(each => each.textContent)"
    )
    return [re.sub(r" \u00b7 .*", "", text) for text in found]


def click_frame(page: Chromium, row: int, x: float) -> None:
    """x: pixels from the left of the graph."""
    page.ask(
        "document.querySelector('.graph').scrollIntoView({block: 'center', behavior: 'instant'})"
    )
    left, top = every(
        page, ".graph canvas", "(box => [box.left, box.top])(each.getClientRects()[0])"
    )[0]
    page.click(left + x, top + row * ROW + ROW / 2)
    page.ask(PAINTED)


def press(page: Chromium, *keys: str) -> None:
    for key in keys:
        page.press(key)
    page.ask(PAINTED)


def choose(page: Chromium, choice: str) -> None:
    page.ask(f"document.querySelector('[data-choice={choice}]').click()")
    page.ask(PAINTED)


def focus_graph(page: Chromium) -> None:
    page.ask("document.querySelector('.graph-scroller').focus()")
    page.ask(PAINTED)


def focused(page: Chromium) -> int:
    return int(attribute(page, ".graph", "focused"))


def table(page: Chromium, name: str) -> list[dict[str, str]]:
    """The rows that are there, by column."""
    page.ask(PAINTED)
    cells = "[...each.children].map(cell => [cell.dataset.column, cell.textContent])"
    return every(page, f"#{name} .table-body .table-row", f"Object.fromEntries({cells})")


def sort_by(page: Chromium, name: str, column: str) -> str:
    """Clicks the head of a column; how it is sorted then."""
    head = f"document.querySelector('#{name} [role=columnheader][data-column={column}]')"
    page.ask(f"{head}.firstChild.click()")
    page.ask(PAINTED)
    return str(page.ask(f"{head}.getAttribute('aria-sort')"))


def without(payload: Payload, *parts: str) -> Payload:
    return payload | dict.fromkeys(parts)


EVERY_PART = ["functions", "calls", "memory", "lines", "lineBytes", "timeline", "objects"]
EVERY_PART += ["classes", "timings"]


@pytest.mark.parametrize("two", [False, True])
@pytest.mark.parametrize("part", ["everything", "nothing", *EVERY_PART])
def test_any_part_alone_opens(show: Show, part: str, two: bool) -> None:
    payload = pages.recording(1, nodes=60, two=two)
    if part != "everything":
        kept = {part} | ({"functions"} if part == "calls" else set())
        payload = without(payload, *(each for each in EVERY_PART if each not in kept))
        payload["sources"] = {}
    page = show(payload)
    assert page.ask("document.querySelector('h1').textContent").endswith("app.fettle")
    assert page.ask("document.querySelectorAll('section').length") >= (part != "nothing")
    for heading in ["Command", "python app.py", "This is a remark."]:
        assert heading in page.ask("document.querySelector('header').textContent")


@pytest.mark.parametrize(
    ("measure", "key"), [("time", "own"), ("waiting", "waiting"), ("calls", "calls")]
)
def test_a_click_zooms_into_what_is_widest(show: Show, measure: str, key: str) -> None:
    payload = pages.recording(2)
    calls = Calls(payload["calls"], key)
    page = show(payload)
    choose(page, measure)
    assert int(attribute(page, ".crumbs", "total")) == calls.value[0]
    node, names = 0, payload["functions"]["name"]
    expected = ["All", "recording"]
    for row in range(1, 4):
        node = calls.children(node)[0]
        expected.append(names[calls.frame[node]])
        click_frame(page, row, 3)
        assert crumbs(page) == expected
        assert int(attribute(page, ".crumbs", "total")) == calls.value[node]
    label = payload["functions"]["label"][calls.frame[node]]
    assert attribute(page, "#functions", "selected") == label
    selected = page.ask(
        "document.querySelector('#function-table [aria-selected=true]').textContent"
    )
    assert selected.startswith(label)
    page.ask("document.querySelectorAll('.crumbs button')[1].click()")
    assert crumbs(page) == ["All", "recording"]


def test_what_is_too_narrow_is_counted(show: Show) -> None:
    payload = pages.recording(3, nodes=3000)
    calls = Calls(payload["calls"])
    page = show(payload)
    width = page.ask("document.querySelector('.graph-scroller').clientWidth")
    drawn = {0}
    for node in range(1, len(calls.parent)):
        if calls.parent[node] in drawn and calls.value[node] * width / calls.value[0] >= 1:
            drawn.add(node)
    dropped = [
        node for node in range(1, len(calls.parent)) if node not in drawn and calls.value[node]
    ]
    assert len(dropped) > 100
    assert int(attribute(page, ".graph", "drawn")) == len(drawn)
    said = page.ask("document.querySelector('#graph-hidden').textContent")
    count, share = groups(r"(.+) frames narrower .* not drawn: (\S+)\s%.*", said)
    nothing = sum(1 for node in range(1, len(calls.parent)) if node not in drawn) - len(dropped)
    assert len(dropped) <= number(count) <= len(dropped) + nothing
    lost = sum(calls.own[node] for node in dropped)
    assert float(share) == pytest.approx(100 * lost / calls.value[0], abs=0.06)


def test_callers(show: Show) -> None:
    payload = pages.recording(4)
    calls = Calls(payload["calls"])
    names = [*payload["functions"]["name"], "recording"]
    page = show(payload)
    choose(page, "callers")
    stack: list[int] = []
    own: dict[int, int] = {}
    for node, function in enumerate(calls.frame):
        own[function] = own.get(function, 0) + calls.own[node]
    for row in range(3):
        found = calls.callers(stack) if stack else own
        if not found:  # the recording itself has no caller
            break
        stack.append(min(found, key=lambda frame: (-found[frame], frame)))
        click_frame(page, row, 3)
        assert int(attribute(page, ".crumbs", "total")) == found[stack[-1]]
        assert crumbs(page)[1:] == [names[frame] for frame in stack]
    assert len(stack) > 1


@pytest.mark.parametrize("query", ["function_1", "FILE2", "/_(3|7)\\)/", "recording", "not there"])
def test_search_says_the_share(show: Show, query: str) -> None:
    payload = pages.recording(5)
    calls = Calls(payload["calls"])
    page = show(payload)
    press(page, "/")
    assert page.ask("document.activeElement.id") == "graph-search"
    page.write(query)
    page.until(lambda page: page.ask("document.querySelector('#graph-found').textContent"))
    pattern = query[1:-1] if query.startswith("/") else re.escape(query)
    labels = [*payload["functions"]["label"], "recording"]
    meant = {at for at, label in enumerate(labels) if re.search(pattern, label, re.IGNORECASE)}
    found = 0
    for node, own in enumerate(calls.own):
        frames = {calls.frame[each] % len(labels) for each in pages.path(calls.parent, node)}
        found += own if frames & meant else 0
    assert int(attribute(page, "#graph-found", "value")) == found
    said = page.ask("document.querySelector('#graph-found').textContent")
    if meant:
        share = float(groups(r".* ([\d.]+)\s%.*", said)[0])
        assert share == pytest.approx(100 * found / calls.value[0], abs=0.06)
    else:
        assert said == "no match"
    press(page, "Escape")
    assert page.ask("document.querySelector('#graph-found').textContent") == ""


def test_functions_sort_by_every_column(show: Show) -> None:
    payload = pages.recording(6)
    functions = payload["functions"]
    page = show(payload)
    for column in ["calls", "own", "cumulative", "ownWaiting", "cumulativeWaiting"]:
        way = sort_by(page, "function-table", column)
        if way == "ascending":  # it was sorted by this one
            way = sort_by(page, "function-table", column)
        rows = table(page, "function-table")
        assert way == "descending"
        expected = sorted(functions[column], reverse=True)[: len(rows)]
        for row, value in zip(rows, expected, strict=True):
            assert number(row[column]) == pytest.approx(value, rel=0.006)
            at = functions["label"].index(row["label"])
            assert number(row[column]) == pytest.approx(functions[column][at], rel=0.006)
    assert sort_by(page, "function-table", "label") == "ascending"
    rows = table(page, "function-table")
    assert [row["label"] for row in rows] == sorted(functions["label"])[: len(rows)]


def test_a_function_names_its_callers_and_callees(show: Show) -> None:
    payload = pages.recording(7)
    calls = Calls(payload["calls"])
    names = [*payload["functions"]["name"], "recording"]
    page = show(payload)
    page.ask("document.querySelector('#function-table .table-body .table-row').click()")
    label = table(page, "function-table")[0]["label"]
    wanted = payload["functions"]["label"].index(label)
    edges: dict[tuple[int, int], int] = {}
    for node, own in enumerate(calls.own):
        path = [calls.frame[each] for each in pages.path(calls.parent, node)]
        for edge in set(zip(path[1:], path, strict=False)):
            edges[edge] = edges.get(edge, 0) + own
    for kind, pick in [("callers", 1), ("callees", 0)]:
        shown = page.ask(
            f"[...document.querySelectorAll('[data-edges={kind}] button')].map("
            "each => [each.querySelector('.edge-name').textContent, Number(each.dataset.value)])"
        )
        expected = [
            [names[edge[1 - pick]], value] for edge, value in edges.items() if edge[pick] == wanted
        ]
        assert shown == sorted(expected, key=lambda each: -int(each[1]))[:12]
        assert shown


def test_keys_alone_are_enough(show: Show) -> None:
    payload = pages.recording(8)
    calls = Calls(payload["calls"])
    page = show(payload)
    focus_graph(page)
    assert focused(page) == 0
    press(page, "ArrowDown")
    first, second = calls.children(0)[:2]
    assert focused(page) == first
    press(page, "ArrowRight")
    assert focused(page) == second
    said = page.ask("document.querySelector('#graph-focus').textContent")
    assert payload["functions"]["label"][calls.frame[second]] in said
    press(page, "ArrowLeft", "ArrowDown", "ArrowUp", "Enter")
    assert int(attribute(page, ".crumbs", "total")) == calls.value[first]
    press(page, "Escape")
    assert int(attribute(page, ".crumbs", "total")) == calls.value[0]
    page.ask("document.querySelector('#function-table .table-scroller').focus()")
    press(page, "Home", "ArrowDown", "Enter")
    expected = table(page, "function-table")[1]["label"]
    assert attribute(page, "#functions", "selected") == expected
    roles = page.ask(
        "[...document.querySelectorAll('[aria-activedescendant]')].map(each => each.role)"
    )
    assert roles == ["grid"]


def test_every_stop_of_the_tab_key_has_a_name(show: Show) -> None:
    page = show(pages.recording(9))
    name = "each.textContent.trim() || each.ariaLabel || each.getAttribute('aria-labelledby')"
    stops = every(page, "button, input, a, [tabindex]", f"[each.outerHTML, {name} || '']")
    assert [html for html, name in stops if not name] == []
    assert len(stops) > 20
    assert page.ask("document.querySelectorAll('h1').length") == 1
    assert page.ask("document.querySelectorAll('main').length") == 1


def test_memory_of_places(show: Show) -> None:
    payload = pages.recording(10)
    memory = payload["memory"]
    page = show(payload)
    for measure, key in [
        ("allocated", "totalBytes"),
        ("peak", "peakBytes"),
        ("alive", "aliveBytes"),
    ]:
        choose(page, measure)
        tree = Calls(memory, key, "place")
        assert int(attribute(page, ".crumbs", "total")) == tree.value[0]
        sort_by(page, "place-table", measure)
        for row in table(page, "place-table"):
            place = int(row["label"].rpartition("_")[2])
            own = sum(value for node, value in enumerate(tree.own) if tree.frame[node] == place)
            below = sum(
                value
                for node, value in enumerate(tree.own)
                if place in {tree.frame[each] for each in pages.path(tree.parent, node)}
            )
            assert number(row[measure]) == pytest.approx(own, rel=0.006)
            assert number(row[f"{measure}-below"]) == pytest.approx(below, rel=0.006)


def test_another_width_is_no_error(show: Show) -> None:
    """An observer that changes what it observes is told so, as an error of the page."""
    page = show(pages.recording(7))
    page.ask("window.failed = []; addEventListener('error', each => failed.push(each.message)); 1")
    try:
        for width in (500, 900, 1300):
            page.resize(width, 1000)
            page.ask(PAINTED)
            assert page.ask("failed.join()") == ""
    finally:
        page.resize(1300, 1000)


def test_source_has_the_heat_of_its_lines(show: Show) -> None:
    payload = pages.recording(11)
    page = show(payload)
    at = payload["functions"]["file"].index(1)
    label = payload["functions"]["label"][at]
    page.ask(
        "[...document.querySelectorAll('#function-table .table-body .table-row')].find("
        f"row => row.textContent.startsWith({label!r})).click()"
    )
    page.ask("document.querySelector('#show-source').click()")
    page.ask(PAINTED)
    assert attribute(page, "#source", "file") == "file1.py"
    cells = "[...each.querySelectorAll('[data-value]')]"
    heat = f"{cells}.map(cell => [cell.dataset.column, Number(cell.dataset.value)])"
    text = "each.querySelector('.code').textContent"
    values = f"[Number(each.dataset.line), {text}, Object.fromEntries({heat})]"
    rows = every(page, ".source-body .source-row", values)
    lines = payload["sources"]["1"].split("\n")
    recorded = {row[0]: row[1:] for row in payload["lines"][1]["rows"]}
    allocated = {row[1]: row[2:] for row in payload["lineBytes"] if row[0] == 1}
    assert len(rows) > 30
    for line, text, shown in rows:
        assert text == lines[line - 1]
        expected = dict(
            zip(["hits", "time", "waiting", "callees"], recorded.get(line, []), strict=False)
        )
        expected |= dict(zip(["total", "peak", "alive"], allocated.get(line, []), strict=False))
        assert shown == expected


def test_two_recordings(show: Show) -> None:
    payload = pages.recording(12, two=True)
    functions = payload["functions"]
    page = show(payload)
    assert (
        page.ask("document.querySelector('h1').textContent") == "app.prev.fettle \u2192 app.fettle"
    )
    changes = [new - old for new, old in zip(functions["own"], functions["own0"], strict=True)]
    rows = table(page, "function-table")
    grew = sum(changes) >= 0
    for row, change in zip(rows, sorted(changes, reverse=grew), strict=False):
        at = functions["label"].index(row["label"])
        assert number(row["own-change"]) == pytest.approx(change, rel=0.006)
        assert number(row["own0"]) == pytest.approx(functions["own0"][at], rel=0.006)
        assert number(row["own"]) == pytest.approx(functions["own"][at], rel=0.006)
    for side, key in [("old", "own0"), ("new", "own")]:
        choose(page, side)
        calls = Calls(payload["calls"], key)
        click_frame(page, 1, 3)
        assert int(attribute(page, ".crumbs", "total")) == calls.value[calls.children(0)[0]]


def test_the_mean_of_runs_and_what_they_prove(show: Show) -> None:
    payload = pages.recording(24, two=True) | {"runs": 4, "runs0": 2}
    functions = payload["functions"]
    said = {0: ("2.00x slower (95%: 1.9 to 2.1)", 2.0), 1: ("1.25x faster (95%: 1.2 to 1.3)", 0.8)}
    texts = [said.get(at, ("", 1.0)) for at in range(len(functions["name"]))]
    functions["verdict"], functions["times"] = map(list, zip(*texts, strict=True))
    functions["calls"][2] = functions["calls0"][3] = 0
    page = show(payload)
    assert sort_by(page, "function-table", "verdict") == "descending"
    rows = {row["label"]: row["verdict"] for row in table(page, "function-table")}
    found = [rows[label] for label in functions["label"][2:5]]
    assert found == ["gone", "new", ""]
    row = table(page, "function-table")[0]
    assert (row["label"], row["verdict"]) == (functions["label"][0], said[0][0])
    assert number(row["own"]) == pytest.approx(functions["own"][0] / 4, rel=0.006)
    assert number(row["own0"]) == pytest.approx(functions["own0"][0] / 2, rel=0.006)
    change = functions["own"][0] / 4 - functions["own0"][0] / 2
    assert number(row["own-change"]) == pytest.approx(change, rel=0.006)
    whole = sum(payload["calls"]["own"]) / 4
    assert float(attribute(page, ".crumbs", "total")) == pytest.approx(whole)
    assert sort_by(page, "function-table", "verdict") == "ascending"
    assert table(page, "function-table")[0]["verdict"] == said[1][0]
    page.ask("document.querySelector('#function-table .table-body .table-row').click()")
    assert said[1][0] in page.ask("document.querySelector('.details').textContent")


def red_and_blue(page: Chromium, row: int, x: float) -> tuple[int, int]:
    scale = f"[{x}, {row * ROW + 3}].map(each => Math.round(each * devicePixelRatio))"
    pen = "document.querySelector('.graph canvas').getContext('2d')"
    red, _, blue, _ = page.ask(f"[...{pen}.getImageData(...{scale}, 1, 1).data]")
    return red, blue


def test_growth_is_red_and_less_is_blue(show: Show) -> None:
    payload = pages.recording(13, two=True)
    payload["calls"] |= {
        "parent": [-1, 0, 0],
        "function": [-1, 0, 1],
        "calls": [1, 1, 1],
        "calls0": [1, 1, 1],
        "own": [0, 600, 400],
        "own0": [0, 300, 700],
        "waiting": [0, 0, 0],
        "waiting0": [0, 0, 0],
    }
    page = show(payload)
    width = page.ask("document.querySelector('.graph-scroller').clientWidth")
    for choice, wider in [("new", True), ("old", False)]:
        choose(page, choice)
        left, right = red_and_blue(page, 1, 2), red_and_blue(page, 1, width - 4)
        grew, shrank = (left, right) if wider else (right, left)
        assert grew[0] > grew[1] and shrank[0] < shrank[1]


def test_what_was_not_there_before_is_red(show: Show) -> None:
    payload = pages.recording(23, nodes=60, two=True)
    payload["calls"]["own0"] = [0] * 60
    page = show(payload)
    red, blue = red_and_blue(page, 0, 2)
    assert red > blue + 60


def test_hostile_names_are_text(show: Show) -> None:
    payload = pages.recording(14, nodes=120, names=pages.HOSTILE * 2, two=True)
    hostile = pages.HOSTILE
    payload["title"] = payload["old"] = hostile[0]
    payload["header"] = [[text, text] for text in hostile]
    payload["remarks"] = list(hostile)
    payload["files"] = hostile[:4]
    payload["sources"] = {str(at): "\n".join(hostile) for at in range(4)}
    payload["places"]["name"] = [hostile[at % len(hostile)] for at in range(30)]
    payload["objects"]["type"] = payload["classes"]["type"] = hostile[:2]
    payload["classes"]["why"] = hostile[:2]
    payload["timings"][0]["label"] = hostile[1]
    payload["timeline"]["threads"] = [[hostile[0], text, 0, None] for text in hostile]
    payload["timeline"]["moments"][0]["process"] = hostile[0]
    page = show(payload)
    for measure in ["callers", "allocated", "time"]:
        choose(page, measure)
        click_frame(page, 0, 3)
    page.ask("document.querySelector('#function-table .table-body .table-row').click()")
    page.ask(PAINTED)
    assert "owned" not in page.ask("document.title").replace(hostile[0], "")
    assert (
        page.ask(
            "document.querySelectorAll('body script, img, [onerror], [onfocus], iframe').length"
        )
        <= 1
    )
    shown = page.ask("document.body.textContent")
    for text in hostile:
        assert text in shown
    facts = page.ask("[...document.querySelectorAll('.fact dd')].map(each => each.textContent)")
    assert facts == hostile


def test_the_policy_is_strict_and_nothing_is_global(
    show: Show, chromium: Chromium, tmp_path: Path
) -> None:
    (tmp_path / "empty.html").write_text("<p id=empty>")
    chromium.open((tmp_path / "empty.html").as_uri())
    chromium.until(lambda page: page.ask("!!document.querySelector('#empty')"))
    before = set(chromium.ask("Object.keys(window)"))
    page = show(pages.recording(15, nodes=60))
    assert set(page.ask("Object.keys(window)")) <= before
    policy = page.ask("document.querySelector('meta[http-equiv]').content")
    assert "default-src 'none'" in policy and "unsafe" not in policy
    assert page.ask("performance.getEntriesByType('resource').length") == 0


def test_light_and_dark(show: Show) -> None:
    page = show(pages.recording(16, nodes=60))
    ground = "getComputedStyle(document.body).backgroundColor"
    seen = {}
    for theme in ["light", "dark"]:
        choose(page, theme)
        seen[theme] = [int(each) for each in re.findall(r"\d+", page.ask(ground))]
    assert min(seen["light"]) > 200 and max(seen["dark"]) < 60


def test_paper_is_light(show: Show) -> None:
    """What is drawn as well, before the event of the browser is over."""
    page = show(pages.recording(25, nodes=60))
    choose(page, "dark")
    ground = "getComputedStyle(document.body).backgroundColor"
    pen = "document.querySelector('.graph canvas').getContext('2d')"
    drawn = f"[...{pen}.getImageData(2, 3, 1, 1).data].slice(0, 3)"
    seen = {}
    for event in ["beforeprint", "afterprint"]:
        colour, pixel = page.ask(
            f"(dispatchEvent(new Event('{event}')), [{ground}, Math.min(...{drawn})])"
        )
        seen[event] = [*map(int, re.findall(r"\d+", colour)), pixel]
    assert min(seen["beforeprint"]) > 150 and max(seen["afterprint"]) < 150


def test_places_have_room_for_their_names(show: Show) -> None:
    payload = pages.recording(26)
    payload["files"] = [f"<frozen importlib._bootstrap_{at}>" for at in range(4)]
    page = show(payload)
    choose(page, "allocated")
    cut = "each.scrollWidth > each.clientWidth"
    cells = "#place-table .table-body [data-column=label]"
    assert every(page, cells, cut) and not any(every(page, cells, cut))
    assert not page.ask(f"(each => {cut})(document.querySelector('#place-table .table-scroller'))")
    assert every(page, cells, "each.title") == every(page, cells, "each.textContent")


def test_a_narrow_window_needs_no_scrolling_sideways(show: Show) -> None:
    page = show(pages.recording(17, two=True))
    try:
        page.resize(390, 800)
        page.ask(PAINTED)
        assert page.ask("document.documentElement.scrollWidth") <= 390
    finally:
        page.resize(1300, 1000)


def test_functions_without_a_tree(show: Show) -> None:
    payload = without(pages.recording(22, nodes=60), "calls", "memory", "lineBytes")
    page = show(payload)
    assert page.ask("document.querySelector('.graph')") is None
    page.ask("document.querySelector('#function-table .table-body .table-row').click()")
    label = table(page, "function-table")[0]["label"]
    assert attribute(page, "#functions", "selected") == label
    assert label in page.ask("document.querySelector('.details').textContent")


def test_fifty_thousand_functions_and_files(show: Show) -> None:
    count = 50_000
    payload = pages.recording(18, nodes=60)
    names = [f"function_{at}" for at in range(count)]
    payload["files"] = [f"file{at}.py" for at in range(count)]
    payload["sources"] = {str(at): f"pass  # {at}\n" for at in range(count)}
    payload["functions"] = pages.functions(names, count)
    own = list(range(count))
    random.Random(18).shuffle(own)
    for key in ["calls", "primitive", "own", "cumulative", "ownWaiting", "cumulativeWaiting"]:
        payload["functions"][key] = own
    page = show(payload)
    assert page.ask("document.querySelectorAll('*').length") < 3000
    page.ask("document.querySelector('#function-table .table-scroller').focus()")
    press(page, "End", "Enter")
    assert attribute(page, "#functions", "selected") == payload["functions"]["label"][own.index(0)]
    rows = table(page, "function-table")
    assert rows[-1]["own"] == "0"


def test_a_large_tree(show: Show) -> None:
    payload = pages.recording(19, nodes=60)
    chance = random.Random(19)
    nodes = 200_000
    shape = pages.tree(chance, nodes, 24)
    own = pages.column(chance, nodes, 1000)
    payload["calls"] |= {"parent": shape["parent"], "function": shape["frame"]}
    payload["calls"] |= {"calls": own, "own": own, "waiting": [0] * nodes}
    page = show(payload)
    assert int(attribute(page, ".crumbs", "total")) == sum(own)
    choose(page, "callers")
    assert int(attribute(page, ".crumbs", "total")) == sum(own)


def test_a_stack_deeper_than_a_canvas_may_be_high(show: Show) -> None:
    payload = pages.recording(20, nodes=60)
    nodes = 5000
    payload["calls"] |= {"parent": list(range(-1, nodes - 1)), "function": [-1, *[3] * (nodes - 1)]}
    payload["calls"] |= {
        "calls": [1] * nodes,
        "own": [0] * (nodes - 1) + [9],
        "waiting": [0] * nodes,
    }
    page = show(payload)
    assert attribute(page, ".graph", "rows") == str(nodes)
    focus_graph(page)
    press(page, *["ArrowDown"] * 40)
    assert focused(page) == 40
    assert page.ask("document.querySelector('.graph-scroller').scrollTop") > 0


def test_a_page_that_cannot_be_read_says_so(chromium: Chromium, tmp_path: Path) -> None:
    document = pages.document(pages.empty() | {"version": 2})
    (tmp_path / "report.html").write_bytes(document)
    chromium.open((tmp_path / "report.html").as_uri())
    chromium.until(lambda page: page.ask("document.documentElement?.dataset.ready ?? ''"))
    said = chromium.ask("document.body.textContent")
    assert "version 2" in said and "fettle view --html" in said


def test_plus_and_minus_show_a_part(show: Show) -> None:
    payload = pages.recording(21, nodes=3000)
    page = show(payload)
    whole = int(attribute(page, ".graph", "drawn"))
    focus_graph(page)
    press(page, "+", "+", "+", "+")
    assert int(attribute(page, ".graph", "drawn")) != whole
    press(page, ".", ",", "-", "-", "-", "-")
    assert int(attribute(page, ".graph", "drawn")) == whole


PROGRAM = """
def leaf(n):
    return sum(i * i for i in range(n))

def branch(n):
    return [leaf(n) for _ in range(3)]

def again(n):
    return again(n - 1) + leaf(10) if n else 0

branch(2000)
again(5)
sorted("hostile")
"""


def test_a_real_recording_is_shown_as_its_model_has_it(chromium: Chromium, tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(PROGRAM)
    run = [Path(sys.executable).with_name("fettle"), "run", "-q", "-C", "-M", "-l", "app.py"]
    view = [run[0], "view", "app.fettle", "--html", "app.html"]
    for command in (run, view):
        subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
    model = recording.open_one(str(tmp_path / "app.fettle")).profile
    chromium.open((tmp_path / "app.html").as_uri())
    chromium.until(lambda page: page.ask("document.documentElement?.dataset.ready ?? ''"))
    total = int(attribute(chromium, ".crumbs", "total"))
    rows = model.functions()
    assert total == pytest.approx(sum(row.own for row in rows) * 1e9, rel=1e-6)
    sort_by(chromium, "function-table", "calls")
    shown = {row["label"]: row for row in table(chromium, "function-table")}
    names = {"leaf": 0, "again": 0, "<genexpr>": 0}
    for row in rows:
        label = f"app.py:{row.line}({row.name})"
        if label not in shown:
            continue
        names.pop(row.name, None)
        assert number(shown[label]["calls"]) == row.calls
        assert number(shown[label]["primitive"]) == row.primitive
        assert number(shown[label]["own"]) == pytest.approx(row.own * 1e9, rel=0.006)
        assert number(shown[label]["cumulative"]) == pytest.approx(row.cumulative * 1e9, rel=0.006)
    assert names == {}
    assert chromium.complaints == []
