# SPDX-License-Identifier: Apache-2.0
"""`fettle view --html`: what it writes, and what it does not touch."""

import json
import os
import re
import sys
import zlib
from base64 import b64decode
from pathlib import Path
from typing import Any

import pytest

sys.path.append(str(Path(__file__).parents[1]))  # the harness is shared
from cli.harness import Folder
from contract.synthetic import SAMPLES, crc32c, file_bytes, u32

PROGRAM = "def f(): g()\ndef g(): pass\nfor _ in range(3): f()\n"


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    """one.fettle calls f 3 times."""
    made = Folder(tmp_path)
    made.write("one.py", PROGRAM)
    assert made.fettle("run", "-q", "one.py").code == 0
    return made


def payload_of(page: bytes) -> dict[str, Any]:
    (data,) = re.findall(b'id="fettle-data">([^<]+)</script>', page)
    found: dict[str, Any] = json.loads(zlib.decompress(b64decode(data)))
    return found


def calls_of(page: bytes) -> dict[str, int]:
    part = payload_of(page)["functions"]
    return dict(zip(part["name"], part["calls"], strict=True))


def test_a_page_of_a_recording(folder: Folder) -> None:
    ended = folder.fettle("view", "--html", "one.html", "one")
    assert (ended.code, ended.stdout, ended.stderr) == (0, "", "")
    page = (folder.path / "one.html").read_bytes()
    calls = calls_of(page)
    assert (calls["f"], calls["g"]) == (3, 3)
    header = dict(payload_of(page)["header"])
    assert "one.py" in header["Command"]
    assert {"Interpreter", "Machine", "Load at start", "Cost of recording"} <= set(header)
    assert " calls, at " in header["Cost of recording"]


def test_the_newest_and_to_stdout(folder: Folder) -> None:
    ended = folder.fettle("view", "--html", "-")
    assert ended.code == 0 and ended.stdout.startswith("<!doctype html>")
    assert calls_of(ended.stdout.encode())["f"] == 3


def test_settings_of_the_project_do_not_disturb(folder: Folder) -> None:
    folder.write("pyproject.toml", "[tool.fettle.view]\nrows = 3\nsort = 'time'\n")
    assert folder.fettle("view", "--html", "one.html").code == 0


def test_several_are_added(folder: Folder) -> None:
    assert folder.fettle("view", "one", "one", "--html", "two.html").code == 0
    assert calls_of((folder.path / "two.html").read_bytes())["f"] == 6


def test_a_page_is_written_again(folder: Folder) -> None:
    for _ in range(2):
        assert folder.fettle("view", "--html", "one.html").code == 0
    assert sorted(os.listdir(folder.path)) == ["one.fettle", "one.html", "one.py"]


def test_what_ran_is_shown_if_it_is_what_ran(folder: Folder) -> None:
    """The text of files that were not recorded, as long as nobody wrote them since."""
    page = folder.fettle("view", "--html", "-").stdout.encode()
    assert list(payload_of(page)["sources"].values()) == [PROGRAM]
    page = folder.fettle("view", "--html", "-", "--no-source").stdout.encode()
    assert payload_of(page)["sources"] == {}
    later = os.stat(folder.path / "one.py").st_mtime + 1000
    os.utime(folder.path / "one.py", (later, later))
    page = folder.fettle("view", "--html", "-").stdout.encode()
    assert payload_of(page)["sources"] == {}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--html", "one.py"], "one.py is source of the recorded program and stays"),
        (["--html", "one.fettle"], "one.fettle is what is to be read"),
        (["--html", "none/one.html"], "cannot write none/one.html: No such file or directory"),
        (["--html", "one.html", "--calls"], "--html writes all of a recording, and --calls a part"),
        (["--html", "one.html", "--in", "*"], "--html writes all of a recording, and --in a part"),
        (["--no-source", "--calls"], "--no-source is of the HTML file"),
        (["--html", ""], "--html needs the name of a file"),
    ],
)
def test_refused(folder: Folder, words: list[str], said: str) -> None:
    before = {name: (folder.path / name).read_bytes() for name in os.listdir(folder.path)}
    ended = folder.fettle("view", *words)
    assert ended.code == 2 and said in ended.sentence()
    assert {name: (folder.path / name).read_bytes() for name in os.listdir(folder.path)} == before


def test_another_recording_is_no_output(folder: Folder) -> None:
    (folder.path / "other.fettle").write_bytes((folder.path / "one.fettle").read_bytes())
    ended = folder.fettle("view", "one.fettle", "--html", "other.fettle")
    assert ended.code == 2 and "is a recording and stays" in ended.sentence()


def test_what_others_wrote_is_no_output_of_itself(folder: Folder) -> None:
    assert folder.fettle("export", "one", "-f", "pstats", "-o", "prof.out").code == 0
    kept = (folder.path / "prof.out").read_bytes()
    ended = folder.fettle("view", "prof.out", "--html", "prof.out")
    assert ended.code == 2 and "is what is to be read" in ended.sentence()
    assert (folder.path / "prof.out").read_bytes() == kept
    assert folder.fettle("view", "prof.out", "--html", "prof.html").code == 0
    assert calls_of((folder.path / "prof.html").read_bytes())["f"] == 3


def test_files_that_can_not_be_read(folder: Folder) -> None:
    whole = file_bytes(SAMPLES["login"]())
    start = whole[:8] + b"\x09" + whole[9:12]
    newer = start + u32(crc32c(start)) + whole[16:]
    for name, data, said in (
        ("empty", b"", "is empty"),
        ("foreign", b"hello", "is not a fettle recording"),
        ("newer", newer, "was written by a newer fettle"),
        ("cut", whole[:60], "holds nothing"),
    ):
        (folder.path / name).write_bytes(data)
        ended = folder.fettle("view", name, "--html", "out.html")
        assert ended.code == 3 and said in ended.sentence()
        assert not (folder.path / "out.html").exists()


def test_a_cut_recording_says_so(folder: Folder) -> None:
    (folder.path / "cut.fettle").write_bytes(file_bytes(SAMPLES["login"](), ended=False))
    ended = folder.fettle("view", "cut", "--html", "-")
    assert ended.code == 0
    remarks = payload_of(ended.stdout.encode())["remarks"]
    assert any("cut off or damaged at its end" in text for text in remarks)


def test_a_full_disk_leaves_what_was_there(folder: Folder) -> None:
    ended = folder.fettle("view", "--html", "/dev/full")
    assert ended.code == 2 and "No space left on device" in ended.sentence()
