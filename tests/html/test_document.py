# SPDX-License-Identifier: Apache-2.0
"""The document: one file, under a policy that lets nothing in, whatever the recording holds."""

import json
import re
import sys
import zlib
from base64 import b64decode, b64encode
from hashlib import sha256
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from fettle import _core
from fettle._core import Profile
from fettle.html import document, payload

sys.path.append(str(Path(__file__).parents[1]))  # the recordings are shared
from contract.synthetic import HOSTILE, SAMPLES, Recording

ELEMENTS = ["html", "head", "meta", "meta", "meta", "meta", "title", "style"]
ELEMENTS += ["body", "div", "noscript", "script", "script"]


class Seen(HTMLParser):
    """All elements of a page, their attributes, and the text in each of a kind."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[tuple[str, str]] = []
        self.others: list[str] = []
        self._open: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag != "meta":
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if data.strip():
            self.texts.append((self._open[-1], data))

    def handle_comment(self, data: str) -> None:
        self.others.append(data)

    def handle_pi(self, data: str) -> None:
        self.others.append(data)

    def text(self, tag: str) -> list[str]:
        return [text for of, text in self.texts if of == tag]


def page_of(recording: Recording, folder: Path, source: str = "app.fettle") -> str:
    profile = Profile.read(str(recording.write(folder)))
    return document.page(payload.collect(profile, source, has_cost=False)).decode()


@pytest.mark.parametrize("name", SAMPLES)
def test_a_page_has_these_elements_and_no_others(name: str, tmp_path: Path) -> None:
    seen = Seen(page_of(SAMPLES[name](), tmp_path))
    assert [tag for tag, _ in seen.elements] == ELEMENTS
    assert seen.others == []
    attributes = {key for _, found in seen.elements for key in found}
    assert attributes == {"lang", "charset", "http-equiv", "content", "name", "id", "type"}


def test_its_data_is_the_payload(tmp_path: Path) -> None:
    profile = Profile.read(str(SAMPLES["login"]().write(tmp_path)))
    found = payload.collect(profile, "app.fettle", has_cost=False)
    page = document.page(found).decode()
    (data,) = re.findall(
        '<script type="application/octet-stream" id="fettle-data">([A-Za-z0-9+/=]+)</script>', page
    )
    back = json.loads(zlib.decompress(b64decode(data, validate=True)))
    assert back == json.loads(json.dumps(found, default=list))


@pytest.mark.parametrize("text", [text.decode("utf-8", "backslashreplace") for text in HOSTILE])
def test_no_title_breaks_out(text: str, tmp_path: Path) -> None:
    page = page_of(SAMPLES["hostile"](), tmp_path, text.replace("/", "|"))
    seen = Seen(page)
    assert [tag for tag, _ in seen.elements] == ELEMENTS
    outside = re.sub("<(script|style)[^>]*>.*?</\\1>", "", page, flags=re.DOTALL)
    assert outside.replace("\n", "").isprintable()


def test_the_policy_names_what_stands_there(tmp_path: Path) -> None:
    seen = Seen(page_of(SAMPLES["login"](), tmp_path))
    policies = [
        found["content"]
        for tag, found in seen.elements
        if tag == "meta" and found.get("http-equiv") == "Content-Security-Policy"
    ]
    script, style = "".join(seen.text("script")[1:]), "".join(seen.text("style"))
    hashes = [b64encode(sha256(text.encode()).digest()).decode() for text in (script, style)]
    assert policies == [
        f"default-src 'none'; script-src 'sha256-{hashes[0]}'; style-src 'sha256-{hashes[1]}';"
        " img-src data:; base-uri 'none'; form-action 'none'"
    ]
    first = next(at for at, (_, found) in enumerate(seen.elements) if "content" in found)
    assert seen.elements[first][1]["content"] == policies[0]  # before all that it is about


def test_nothing_is_fetched(tmp_path: Path) -> None:
    style = document.asset("report.css")
    assert "@import" not in style and "url(" not in style.replace("url(data:", "")
    assert "sourceMappingURL" not in document.asset("report.js")


def test_an_asset_that_ends_its_element_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(document, "files", lambda _: tmp_path)
    document.asset.cache_clear()
    try:
        (tmp_path / "report.js").write_text("x = '</SCRIPT>'")
        with pytest.raises(ValueError, match="would end its element"):
            document.asset("report.js")
        with pytest.raises(Exception, match=r"report\.css .*install fettle again\."):
            document.asset("report.css")
    finally:
        document.asset.cache_clear()


def test_two_recordings_are_both_in_the_title(tmp_path: Path) -> None:
    profile = Profile.read(str(SAMPLES["login"]().write(tmp_path)))
    found = payload.collect(profile, "new.fettle", profile, "old.fettle", has_cost=False)
    assert Seen(document.page(found).decode()).text("title") == [
        "new.fettle and old.fettle - fettle"
    ]


def test_embedded_is_one_frame_that_may_only_run_its_script(tmp_path: Path) -> None:
    profile = Profile.read(str(SAMPLES["hostile"]().write(tmp_path)))
    seen = Seen(document.embedded(profile, height=300, source='a"b<c>.fettle'))
    ((tag, attributes),) = seen.elements
    assert tag == "iframe" and seen.texts == []
    assert attributes["sandbox"] == "allow-scripts"
    assert "height:300px" in (attributes["style"] or "")
    inner = Seen(attributes["srcdoc"] or "")
    assert [tag for tag, _ in inner.elements] == ELEMENTS
    assert inner.text("title") == ['a"b<c>.fettle - fettle']


def test_the_notebook_gets_a_frame() -> None:
    import fettle

    with fettle.run() as recording:
        sorted([2, 1], key=lambda n: -n)
    (frame,) = Seen(recording._repr_html_()).elements
    (data,) = re.findall('id="fettle-data">([^<]+)<', frame[1]["srcdoc"] or "")
    found: dict[str, Any] = json.loads(zlib.decompress(b64decode(data)))
    assert any("sorted" in label for label in found["functions"]["label"])


def test_html_of_a_recording_inside(tmp_path: Path) -> None:
    import fettle

    with fettle.run() as recording:
        sorted([2, 1])
    recording.html(tmp_path / "page.html")
    assert (tmp_path / "page.html").read_bytes().startswith(b"<!doctype html>")
    recording.save(str(tmp_path / "kept.fettle"))
    kept = (tmp_path / "kept.fettle").read_bytes()
    with pytest.raises(ValueError, match=r"kept\.fettle is a recording"):
        recording.html(tmp_path / "kept.fettle")
    assert (tmp_path / "kept.fettle").read_bytes() == kept
    with pytest.raises(FileNotFoundError):
        recording.html(tmp_path / "none" / "page.html")


def test_an_empty_recording_has_a_page() -> None:
    found = payload.collect(_core.Profile(), "empty.fettle")
    seen = Seen(document.page(found).decode())
    assert [tag for tag, _ in seen.elements] == ELEMENTS
    assert found["remarks"]
