# SPDX-License-Identifier: Apache-2.0
"""Exports as speedscope itself sees them: its own release, opened from a folder in Chromium.

Its sandwich view shows the table; what it holds exactly is in what its Export button makes.
"""

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fettle._core import Profile

from . import consumers, oracle, stacks
from .chromium import Chromium
from .spelling import name, text
from .synthetic import HOSTILE, SAMPLES, WITHOUT_CALLS, Recording

pytestmark = pytest.mark.once  # the exporters are the engine's, their readers other programs

EXPORT = """
new Promise(resolve => {
    const make = URL.createObjectURL;
    URL.createObjectURL = blob => { blob.text().then(resolve); return make(blob); };
    [...document.querySelectorAll("div")]
        .filter(div => div.children.length < 2 && div.textContent.endsWith("Export")).pop().click();
})
"""
ROWS = """
[...document.querySelectorAll("tr")].map(row => [...row.querySelectorAll("td")]
    .map(cell => cell.textContent)).filter(cells => cells.length > 0)
"""
# It stands on nothing, and keeps numbers as doubles.
OPENABLE = [sample for sample in SAMPLES if sample not in (*WITHOUT_CALLS, "extremes")]


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:
    with Chromium(consumers.path("chromium"), tmp_path_factory.mktemp("browser")) as browser:
        yield browser


def open_in_speedscope(browser: Chromium, exported: bytes, file: str, folder: Path) -> None:
    """As its own command line does: a script beside the page that hands it the file."""
    arguments = json.dumps(file), json.dumps(base64.b64encode(exported).decode())
    script = folder / "load.js"
    script.write_text(f"speedscope.loadFileFromBase64({', '.join(arguments)})")
    release = consumers.path("speedscope")
    browser.open(f"file://{release}#localProfilePath={script}&view=sandwich")
    browser.until(lambda page: page.ask(ROWS))


def exported_again(
    browser: Chromium, sample: Recording, form: str, folder: Path
) -> tuple[dict[str, Any], list[Any]]:
    """What speedscope saves of the export, and the rows it shows."""
    exported = Profile.read(str(sample.write(folder))).export(form)
    open_in_speedscope(browser, exported, f"out.{form}", folder)
    document = json.loads(browser.ask(EXPORT))
    rows = browser.ask(ROWS)
    assert browser.complaints == []
    assert document["exporter"].startswith("speedscope@")
    return document, rows


@pytest.mark.parametrize("sample", OPENABLE)
def test_every_stack_of_every_thread(browser: Chromium, sample: str, tmp_path: Path) -> None:
    recording = SAMPLES[sample]()
    document, _ = exported_again(browser, recording, "speedscope", tmp_path)
    frames = [json.dumps(frame) for frame in document["shared"]["frames"]]
    seen = [stacks.read_evented(profile, frames) for profile in document["profiles"]]
    assert seen == stacks.by_thread(recording)


@pytest.mark.parametrize("sample", OPENABLE)
def test_collapsed_stacks(browser: Chromium, sample: str, tmp_path: Path) -> None:
    recording = SAMPLES[sample]()
    document, _ = exported_again(browser, recording, "collapsed", tmp_path)
    frames = [frame["name"] for frame in document["shared"]["frames"]]
    (profile,) = document["profiles"]
    assert stacks.times_of(profile, frames) == stacks.in_lines(recording)
    assert profile["endValue"] == sum(stacks.in_lines(recording).values())


def test_names_and_times_are_shown_as_they_are(browser: Chromium, tmp_path: Path) -> None:
    """Names that are markup, quotes, controls and other scripts, in the order of own time."""
    recording = SAMPLES["hostile"]()
    _, rows = exported_again(browser, recording, "speedscope", tmp_path)
    functions, _ = oracle.tables(recording)
    whole = sum(sums.own for sums in functions.values())
    assert len(rows) == len(HOSTILE)
    order = sorted(functions, key=lambda code: -functions[code].own)
    for (total, own, shown), code in zip(rows, order, strict=True):
        assert shown == text(name(recording.codes[code]))
        assert own.split()[0] == f"{functions[code].own}.00ns"
        assert total.split()[0] == f"{functions[code].cumulative}.00ns"
    assert rows[-1][0] == f"{whole}.00ns (100%)"


def test_what_a_page_complains_about_is_heard(browser: Chromium, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    page.write_text("<script>console.error('told'); alert('asked'); throw Error('thrown')</script>")
    browser.open(f"file://{page}")
    browser.until(lambda page: page.ask("1") and len(page.complaints) == 3)
    for complaint, word in zip(browser.complaints, ("told", "asked", "thrown"), strict=True):
        assert word in complaint
