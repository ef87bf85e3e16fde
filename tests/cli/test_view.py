# SPDX-License-Identifier: Apache-2.0
"""`fettle view` and `fettle export`."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from fettle import recording
from fettle._core import Profile

from .harness import FETTLE, Folder, environment, rows

sys.path.append(str(Path(__file__).parents[1]))  # the recordings are shared

APP = "def f(): g()\ndef g(): pass\nfor _ in range({0}): f()\n"


@pytest.fixture
def recorded(folder: Folder) -> Folder:
    """one.fettle calls f 3 times, two.fettle 4 times; two is the newer."""
    for name, times in (("one", 3), ("two", 4)):
        folder.write(f"{name}.py", APP.format(times))
        assert folder.fettle("run", "-q", f"{name}.py").code == 0
    os.utime(folder.path / "one.fettle", (1, 1))
    return folder


def test_a_file_is_shown_on_stdout(recorded: Folder) -> None:
    ended = recorded.fettle("view", "one.fettle", "-n", "0")
    assert (ended.code, ended.stderr) == (0, "")
    table = rows(ended.stdout)
    assert (table["one.py:1(f)"], table["one.py:2(g)"]) == ("3", "3")
    assert recorded.fettle("view", "one", "-n", "0").stdout.endswith(
        ended.stdout.partition(":")[2]
    ), "the suffix may be left out"


def test_without_a_file_the_newest_is_shown(recorded: Folder) -> None:
    assert "two.py:1(f)" in recorded.fettle("view").stdout
    os.utime(recorded.path / "two.fettle", (0, 0))
    assert "one.py:1(f)" in recorded.fettle("view").stdout


def test_without_a_recording_there_is_a_sentence(folder: Folder) -> None:
    ended = folder.fettle("view")
    assert ended.code == 3
    assert "fettle run" in ended.sentence()


def test_several_are_shown_as_one(recorded: Folder) -> None:
    (recorded.path / "again.fettle").write_bytes((recorded.path / "one.fettle").read_bytes())
    table = rows(recorded.fettle("view", "one.fettle", "two.fettle", "again", "-n", "0").stdout)
    assert table["one.py:1(f)"] == "6"
    assert table["two.py:1(f)"] == "4"


def test_the_cpu_time_of_several_is_the_sum_or_is_left_out(folder: Folder) -> None:
    """Each ran for half a second, of which others had the CPU for all but 0.1 s."""
    folder.write(
        "app.py", "import time\nend = time.monotonic() + 0.5\nwhile time.monotonic() < end: 1"
    )
    folder.fettle("run", "-q", "app.py")
    profile = Profile.read(str(folder.path / "app.fettle"))
    for name, cpu in (("one", "0.100000"), ("two", "0.100000"), ("unknown", "")):
        profile.set_meta("cpu", cpu)
        with open(folder.path / f"{name}.fettle", "wb") as file:
            profile.begin(file.fileno())
            profile.append(file.fileno())
    assert ", 0.100 s of it on the CPU" in folder.fettle("view", "one").stdout
    assert ", 0.200 s of it on the CPU" in folder.fettle("view", "one", "two").stdout
    assert "on the CPU" not in folder.fettle("view", "one", "unknown").stdout


def test_one_bad_file_of_several_is_an_error(recorded: Folder) -> None:
    ended = recorded.fettle("view", "one.fettle", "nosuch.fettle", "one.py")
    assert (ended.code, ended.stdout) == (3, "")
    assert [line.count("nosuch") + line.count("one.py") for line in ended.stderr.splitlines()] == [
        1,
        1,
    ]


def test_rows_and_order(recorded: Folder) -> None:
    ended = recorded.fettle("view", "one.fettle", "-s", "name", "-n", "2")
    assert list(rows(ended.stdout)) == ["one.py:1(<module>)", "one.py:1(f)"]
    assert "1 more function;" in ended.stdout.replace("2 more", "1 more")


def test_only_some_files(recorded: Folder) -> None:
    ended = recorded.fettle("view", "one.fettle", "two.fettle", "--in", "on*.py")
    assert rows(ended.stdout)
    assert all(name.startswith("one.py") for name in rows(ended.stdout))


@pytest.mark.parametrize("kept", [1, 8, 15, 16, 17, 40, 200, -1, -9])
def test_a_cut_file_is_no_traceback(recorded: Folder, kept: int) -> None:
    """What stands before the cut is shown, and that it is cut; or one sentence."""
    data = (recorded.path / "one.fettle").read_bytes()
    (recorded.path / "cut.fettle").write_bytes(data[:kept])
    ended = recorded.fettle("view", "cut.fettle")
    assert "Traceback" not in ended.stderr
    assert ended.code in {0, 3}
    if ended.code == 3:
        ended.sentence()
    else:
        assert "cut off" in ended.stdout


def test_every_damaged_byte_is_survived(recorded: Folder) -> None:
    """Flips one byte at a time, in one process."""
    from fettle.problem import Problem

    data = bytearray((recorded.path / "one.fettle").read_bytes())
    target = recorded.path / "bad.fettle"
    for place in range(0, len(data), 7):
        data[place] ^= 0x55
        target.write_bytes(data)
        data[place] ^= 0x55
        try:
            opened = recording.open_one(str(target))
        except Problem as problem:
            assert problem.code == 3
        else:
            assert not opened.profile.ended or opened.profile.newer_chunks


def crc32c(data: bytes) -> int:
    """The checksum of docs/format.md, bit by bit."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def test_a_newer_file_says_so(recorded: Folder) -> None:
    data = (recorded.path / "one.fettle").read_bytes()
    assert data[12:16] == crc32c(data[:12]).to_bytes(4, "little")
    major = int.from_bytes(data[8:10], "little") + 1
    head = data[:8] + major.to_bytes(2, "little") + data[10:12]
    head += crc32c(head).to_bytes(4, "little")
    (recorded.path / "future.fettle").write_bytes(head + data[16:])
    ended = recorded.fettle("view", "future.fettle")
    assert ended.code == 3
    assert "newer" in ended.sentence()


def test_an_unfinished_file_without_parts(folder: Folder) -> None:
    fd = os.open(folder.path / "x.fettle", os.O_RDWR | os.O_CREAT)
    Profile().begin(fd)
    os.close(fd)
    ended = folder.fettle("view", "x.fettle")
    assert ended.code == 3
    assert "cut off" in ended.sentence()


def test_a_closed_pipe_is_quiet(recorded: Folder) -> None:
    ended = recorded.execute("sh", "-c", f"{FETTLE} view -n 0 | true; {FETTLE} view | head -1")
    assert ended.stderr == ""


def test_names_can_not_draw_on_the_screen(folder: Folder) -> None:
    evil = "evil\x1b[31m\n\u202e.py"
    folder.write(evil, "def f(): pass\nf()")
    ended = folder.fettle("run", "-o", "x.fettle", evil)
    for text in (ended.stderr, folder.fettle("view", "x.fettle").stdout):
        assert "evil\\x1b[31m\\n\\u202e.py:1(f)" in text
        assert "\x1b" not in text


def test_an_ascii_terminal_gets_ascii(folder: Folder) -> None:
    folder.write("grün.py", "def größe(): pass\ngröße()")
    folder.fettle("run", "-q", "-o", "x.fettle", "grün.py")
    command = [FETTLE, "view", "x.fettle"]
    done = subprocess.run(
        command,
        cwd=folder.path,
        env=environment(PYTHONIOENCODING="ascii"),
        capture_output=True,
        check=True,
    )
    assert b"gr\\xfcn.py:1(gr\\xf6\\xdfe)" in done.stdout
