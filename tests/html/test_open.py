# SPDX-License-Identifier: Apache-2.0
"""Pages of recordings of every kind open in a browser, and nothing in them runs or complains."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from fettle._core import Profile
from fettle.html import document, payload

sys.path.append(str(Path(__file__).parents[1]))  # the recordings are shared
from contract import consumers
from contract.chromium import Chromium
from contract.synthetic import SAMPLES

pytestmark = pytest.mark.once  # what a browser sees is alike on each

PAIRS = [
    ("hostile", "extremes"),
    ("folded", "memory"),
    ("lines", "lines only"),
    ("memory", "login"),
    ("arbitrary 1", "arbitrary 2"),
    ("empty", "login"),
]
READY = "document.documentElement?.dataset.ready"


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:
    executable = consumers.path("chromium")
    with Chromium(executable, tmp_path_factory.mktemp("browser")) as found:
        yield found


def read(name: str, folder: Path) -> Profile:
    return Profile.read(str(SAMPLES[name]().write(folder)))


def opens(browser: Chromium, page: bytes, folder: Path) -> None:
    (folder / "page.html").write_bytes(page)
    browser.open((folder / "page.html").as_uri())
    browser.until(lambda one: one.ask(READY))
    assert browser.ask(READY) == "true", browser.ask("document.body.innerText")
    assert browser.complaints == []


@pytest.mark.parametrize("name", SAMPLES)
def test_a_recording(name: str, browser: Chromium, tmp_path: Path) -> None:
    opens(browser, document.page(payload.collect(read(name, tmp_path), name)), tmp_path)


@pytest.mark.parametrize("names", PAIRS, ids=" and ".join)
def test_two_recordings(names: tuple[str, str], browser: Chromium, tmp_path: Path) -> None:
    new, old = (read(name, tmp_path) for name in names)
    found = payload.collect(new, names[0], old, names[1])
    opens(browser, document.page(found), tmp_path)


def test_within_a_notebook(browser: Chromium, tmp_path: Path) -> None:
    """The frame is another origin to the page around it, and draws all the same."""
    frame = document.embedded(read("login", tmp_path))
    around = "<!doctype html><script>addEventListener('error', () => { document.title = 'bad'; });"
    (tmp_path / "page.html").write_text(f"{around}</script><body>{frame}")
    browser.open((tmp_path / "page.html").as_uri())
    browser.until(lambda one: one.ask("document.querySelector('iframe') !== null"))
    browser.until(lambda one: one.ask("document.readyState") == "complete")
    assert browser.ask("document.querySelector('iframe').contentDocument") is None
    assert browser.complaints == [] and browser.ask("document.title") == ""
