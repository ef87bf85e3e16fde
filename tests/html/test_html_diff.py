# SPDX-License-Identifier: Apache-2.0
"""`fettle diff --html`: two recordings as one page."""

import json
import re
import sys
import zlib
from base64 import b64decode
from pathlib import Path
from typing import Any

import pytest

sys.path.append(str(Path(__file__).parents[1]))  # the harness is shared
from cli.harness import Folder


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    """one.prev.fettle calls f 3 times, one.fettle 5 times, some lines further down."""
    made = Folder(tmp_path)
    for times, above in ((3, ""), (5, "# new\n\n")):
        text = f"{above}def f(): g()\ndef g(): pass\nfor _ in range({times}): f()\n"
        made.write("one.py", text)
        assert made.fettle("run", "-q", "one.py").code == 0
    return made


def payload_of(page: bytes) -> dict[str, Any]:
    (data,) = re.findall(b'id="fettle-data">([^<]+)</script>', page)
    found: dict[str, Any] = json.loads(zlib.decompress(b64decode(data)))
    return found


@pytest.mark.parametrize("words", [[], ["one"], ["one.prev.fettle", "one.fettle"]])
def test_both_sides_are_there(words: list[str], folder: Folder) -> None:
    ended = folder.fettle("diff", *words, "--html", "diff.html")
    assert (ended.code, ended.stdout, ended.stderr) == (0, "", "")
    found = payload_of((folder.path / "diff.html").read_bytes())
    assert (found["title"], found["old"]) == ("one.fettle", "one.prev.fettle")
    part = found["functions"]
    rows = {
        name: counts
        for name, *counts in zip(part["name"], part["calls"], part["calls0"], strict=True)
    }
    assert (rows["f"], rows["g"]) == ([5, 3], [5, 3])
    assert part["name"].count("f") == 1


def test_to_stdout_without_source(folder: Folder) -> None:
    ended = folder.fettle("diff", "--html", "-", "--no-source")
    assert ended.code == 0 and payload_of(ended.stdout.encode())["sources"] == {}


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["--html", "one.py"], 2, "one.py is source of the recorded program"),
        (["--html", "one.prev.fettle"], 2, "one.prev.fettle is what is to be read"),
        (["one.prev.fettle", "--html", "x.html"], 3, "there is no one.prev.prev.fettle"),
        (["one@loaded", "one", "--html", "x.html"], 2, "one@loaded is a point"),
        (["a", "b", "c", "--html", "x.html"], 2, "compare"),
        (["--html", ""], 2, "--html needs the name of a file"),
        (["--no-source"], 2, "--no-source is of the HTML file"),
    ],
)
def test_refused(words: list[str], code: int, said: str, folder: Folder) -> None:
    before = {path.name: path.read_bytes() for path in folder.path.iterdir()}
    ended = folder.fettle("diff", *words)
    assert ended.code == code and said in ended.sentence()
    assert {path.name: path.read_bytes() for path in folder.path.iterdir()} == before


def test_two_kinds_are_not_compared(folder: Folder) -> None:
    """What was not recorded would stand there as 0, and all of the other as new."""
    assert folder.fettle("run", "-q", "-M", "-o", "mem.fettle", "one.py").code == 0
    ended = folder.fettle("diff", "mem.fettle", "one.fettle", "--html", "x.html")
    assert (ended.code, ended.stdout) == (2, "")
    table = folder.fettle("diff", "mem.fettle", "one.fettle")
    assert ended.stderr == table.stderr
    assert "mem.fettle holds memory" in ended.stderr
    assert not (folder.path / "x.html").exists()


def test_times_of_one_run_prove_nothing(folder: Folder) -> None:
    def said() -> bool:
        page = folder.fettle("diff", "--html", "-").stdout.encode()
        return any("proves nothing" in text for text in payload_of(page)["remarks"])

    assert said()
    for _ in "ab":
        assert folder.fettle("run", "-q", "--repeat", "3", "one.py").code == 0
    assert not said()


def test_what_one_side_does_not_hold_is_said(folder: Folder) -> None:
    assert folder.fettle("run", "-q", "-C", "-M", "-o", "both.fettle", "one.py").code == 0
    assert folder.fettle("run", "-q", "-M", "-o", "mem.fettle", "one.py").code == 0
    page = folder.fettle("diff", "mem.fettle", "both.fettle", "--html", "-").stdout.encode()
    wanted = "mem.fettle has no calls: all that is shown of them is the other's."
    assert wanted in payload_of(page)["remarks"]
