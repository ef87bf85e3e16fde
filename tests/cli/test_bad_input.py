# SPDX-License-Identifier: Apache-2.0
"""What a user can get wrong: one sentence, the right exit code, nothing runs, nothing is lost."""

import os
import sys
import zipfile
from pathlib import Path

import pytest
from fettle._core import Profile

sys.path.append(str(Path(__file__).parents[1]))  # how files are written is shared
from contract import synthetic

from .harness import FETTLE, Folder

pytestmark = pytest.mark.once  # options are read before the interpreter matters

RAN = "open('ran', 'w').close()"


DRAWS = "\x1b[31mred\u202e"


def test_names_of_files_do_not_draw_on_the_terminal(folder: Folder) -> None:
    """Nor do those that nobody typed: the newest recording here may be called anything."""
    folder.write("app.py", "print(1)\n")
    folder.fettle("run", "-q", "-o", f"{DRAWS}.fettle", "app.py")
    said = [
        folder.fettle(*words).stderr
        for words in (
            ("view", DRAWS[::-1]),
            ("run", f"{DRAWS}.py"),
            ("diff",),
            ("view", "--html", f"{DRAWS}.fettle"),
            ("memo", "ls", DRAWS),
            ("time", "--", DRAWS),
        )
    ]
    said.append(folder.fettle("time", "-o", f"{DRAWS}2.fettle", "--budget", "0.1", "1").stdout)
    for text in said:
        assert "red" in text or "der" in text
        assert text.replace("\n", "").isprintable(), repr(text)


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("run", 2),
        ("run nosuch.py", 2),
        ("run folder", 2),
        ("run empty.zip", 2),
        ("run -s speed app.py", 2),
        ("run -s n app.py", 2),
        ("run -n -3 app.py", 2),
        ("run --max-nodes 0 app.py", 2),
        ("run --max-nodes many app.py", 2),
        ("run --wrong app.py", 2),
        ("run -o", 2),
        ("run --output= app.py", 2),
        ("run -o app.py app.py", 2),
        ("run -o folder app.py", 2),
        ("run -o no/such/folder/x.fettle app.py", 2),
        ("run -o /dev/null app.py", 2),
        ("run -m", 2),
        ("run -c", 2),
        ("run --", 2),
        ("run -- nosuchcommand", 127),
        ("run -- ./nosuchcommand", 127),
        ("run -- ./app.py", 126),
        ("run -- ./folder", 126),
        ("run old.fettle", 2),
        ("veiw", 2),
        ("app.py", 2),
        ("view nosuch.fettle", 3),
        ("view folder", 3),
        ("view app.py", 3),
        ("view zero", 3),
        ("view /dev/null", 3),
        ("view -s speed old.fettle", 2),
        ("view --lines old.fettle", 1),
        ("view --lines --tree old.fettle", 2),
        ("view --calls --summary old.fettle", 2),
        ("view --lines -s time old.fettle", 2),
        ("view -u parsec old.fettle", 2),
        ("view -p --tree old.fettle", 2),
        ("view -p --callers main old.fettle", 2),
        ("view --callers= old.fettle", 2),
        ("view --in nosuchfile* old.fettle", 1),
        ("export", 2),
        ("export old.fettle", 2),
        ("export old.fettle -f nosuch", 2),
        ("export old.fettle -f json -o no/such/folder/x", 2),
        ("export old.fettle -f json -o old.fettle", 2),
        ("export nosuch.fettle -f json", 3),
        ("export app.py -f json", 3),
    ],
)
def test_one_sentence_and_nothing_happens(folder: Folder, words: str, code: int) -> None:
    folder.fettle("run", "-q", "-o", "old.fettle", "-c", "len('abc')")
    folder.write("app.py", RAN)
    folder.write("zero", "")
    folder.write("folder/other.py", RAN)
    with zipfile.ZipFile(folder.path / "empty.zip", "w") as archive:
        archive.writestr("other.py", RAN)
    before = {name: (folder.path / name).stat().st_mtime_ns for name in folder.names()}
    ended = folder.fettle(*words.split())
    assert ended.code == code, ended.stderr
    assert ended.stdout == ""
    ended.sentence()
    after = {name: (folder.path / name).stat().st_mtime_ns for name in folder.names()}
    assert after == before


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_an_unwritable_folder(folder: Folder) -> None:
    folder.write("app.py", RAN)
    folder.path.chmod(0o555)
    ended = folder.fettle("run", "app.py")
    folder.path.chmod(0o755)
    assert ended.code == 2
    assert "Permission denied" in ended.sentence()


def test_two_runs_at_once_on_one_output(folder: Folder) -> None:
    folder.write("app.py", "open('started', 'w').close()\ninput()")
    folder.write("quick.py", RAN)
    os.mkfifo(folder.path / "gate")
    first = folder.start("sh", "-c", f"{FETTLE} run -q -o x.fettle app.py <gate")
    with open(folder.path / "gate", "w") as gate:
        while "started" not in folder.names():
            assert first.poll() is None
        second = folder.fettle("run", "-o", "x.fettle", "quick.py")
        assert second.code == 2
        assert "x.fettle" in second.sentence()
        assert "ran" not in folder.names()
        gate.write("go\n")
    assert first.wait() == 0
    assert Profile.read(str(folder.path / "x.fettle")).ended


def test_a_syntax_error_is_pythons_to_tell(folder: Folder) -> None:
    folder.write("app.py", "def f(:\n")
    plain = folder.python("app.py")
    under = folder.fettle("run", "app.py")
    assert under.code == plain.code == 1
    assert under.stderr.startswith(plain.stderr)
    assert under.stderr.count("fettle: ") == 1


def test_a_missing_module_is_pythons_to_tell(folder: Folder) -> None:
    plain = folder.python("-m", "no.such.module")
    under = folder.fettle("run", "-m", "no.such.module")
    assert under.code == plain.code == 1
    assert under.stderr.startswith(plain.stderr)


@pytest.mark.parametrize("words", [("-S", "-c", "pass"), ("-IS", "-c", "pass")], ids=" ".join)
def test_python_without_site_records_nothing_and_says_so(
    folder: Folder, words: tuple[str, ...]
) -> None:
    ended = folder.fettle("run", "--", sys.executable, *words)
    assert ended.code == 0
    assert ended.stderr.count("fettle: ") == 1
    assert "nothing was recorded" in ended.stderr


@pytest.mark.parametrize("flags", ["-I", "-P", "-E", "-O", "-s"])
def test_other_flags_are_recorded(folder: Folder, flags: str) -> None:
    folder.write("app.py", "def f(): pass\nf()")
    ended = folder.fettle("run", "--", sys.executable, flags, "app.py")
    assert ended.code == 0
    assert "(f)" in ended.stderr


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
def test_a_table_that_can_not_be_written_is_no_traceback(folder: Folder) -> None:
    folder.fettle("run", "-q", "-c", "pass")
    ended = folder.execute("sh", "-c", f"{FETTLE} view >/dev/full")
    assert ended.sentence().endswith("No space left on device; make room, or write it elsewhere.")
    assert ended.code != 0
    ended = folder.execute("sh", "-c", f"{FETTLE} run -c 'raise SystemExit(5)' 2>/dev/full")
    assert ended.code == 5


@pytest.mark.parametrize(
    "verb", ["", "run", "view", "diff", "export", "memo", "time", "costs", "dis"]
)
def test_help_is_help(folder: Folder, verb: str) -> None:
    ended = folder.fettle(*verb.split(), "--help")
    assert (ended.code, ended.stderr) == (0, "")
    assert folder.fettle("help", *verb.split()).stdout == ended.stdout
    assert "fettle " + verb in ended.stdout
    assert max(map(len, ended.stdout.splitlines())) <= 100


def test_a_damaged_start_is_called_damaged(folder: Folder) -> None:
    folder.write("app.py", "pass")
    assert folder.fettle("run", "-q", "app.py").code == 0
    path = folder.path / "app.fettle"
    data = bytearray(path.read_bytes())
    data[60] ^= 1  # in the first chunk
    path.write_bytes(data)
    ended = folder.fettle("view", "app.fettle")
    assert ended.code == 3
    assert "app.fettle is damaged" in ended.sentence()


def test_more_runs_than_can_be_compared(folder: Folder) -> None:
    """Made up of headers: a file of a megabyte would take hundreds of memory."""
    folder.fettle("run", "-q", "--repeat", "2", "-o", "many.fettle", "-c", "pass")
    with (folder.path / "many.fettle").open("ab") as file:
        file.write(synthetic.header() * 2**16)
    ended = folder.fettle("diff", "many.fettle", "many.fettle")
    assert (ended.code, ended.stdout) == (3, "")
    assert "many.fettle has too many runs" in ended.sentence()
