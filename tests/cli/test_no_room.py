# SPDX-License-Identifier: Apache-2.0
"""No room for a recording: refused before anything is moved, or said under the table."""

from fettle._core import Profile

from .harness import FETTLE, Folder

LIMIT = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, ({0}, {0}))\n"


def _notes(folder: Folder, name: str) -> dict[str, int]:
    return {note.kind: note.count for note in Profile.read(str(folder.path / name)).notes()}


def _calls(folder: Folder, name: str) -> dict[str, int]:
    rows = Profile.read(str(folder.path / name)).functions()
    return {row.name: row.calls for row in rows}


def test_a_refused_run_keeps_the_recordings(folder: Folder) -> None:
    folder.write("app.py", "pass\n")
    for _ in range(2):
        assert folder.execute(FETTLE, "run", "-q", "app.py").code == 0
    kept = {path.name: path.read_bytes() for path in folder.path.glob("*.fettle")}
    assert len(kept) == 2
    refused = folder.execute("bash", "-c", f"ulimit -f 0; exec '{FETTLE}' run app.py")
    assert refused.code == 2
    assert "app.fettle" in refused.sentence()
    assert {path.name: path.read_bytes() for path in folder.path.glob("*")} | kept == {
        **kept,
        "app.py": b"pass\n",
    }


def test_calls_that_found_no_room_are_said(folder: Folder) -> None:
    """The arena can not grow past its first blocks; paths that are there go on counting."""
    functions = "".join(
        f"def f{i}(depth):\n    if depth: {'; '.join(f'f{k}(depth - 1)' for k in range(8))}\n"
        for i in range(8)
    )
    known = "def leaf(): pass\ndef again():\n    for _ in range(100): leaf()\n"
    program = functions + known + "again()\nf0(5)\nagain()\n"
    folder.write("app.py", LIMIT.format(1 << 18) + program)
    ended = folder.execute(FETTLE, "run", "app.py")
    assert ended.code == 0
    assert "the disk was full" in ended.stderr
    assert _calls(folder, "app.fettle")["leaf"] == 100 + 100
    counted = sum(calls for name, calls in _calls(folder, "app.fettle").items() if name[0] == "f")
    everything = sum(8**level for level in range(6))
    seen = counted + _notes(folder, "app.fettle")["disk full"]
    assert everything <= seen <= everything + 20  # and what Python itself calls at its end


def test_a_forked_child_without_room_is_said(folder: Folder) -> None:
    program = (
        "import os\n"
        "def work(): pass\n"
        "work()\n" + LIMIT.format(0) + "if os.fork() == 0:\n"
        "    work()\n"
        "    os._exit(7)\n"
        "print(os.waitstatus_to_exitcode(os.wait()[1]))\n"
    )
    folder.write("app.py", program)
    ended = folder.execute(FETTLE, "run", "app.py")
    assert (ended.code, ended.stdout) == (0, "7\n")
    assert "1 forked processes" not in ended.stderr
    assert "a forked process could not be recorded" in ended.stderr
    assert _notes(folder, "app.fettle")["children lost"] == 1
    assert _calls(folder, "app.fettle")["work"] == 1


def test_a_program_under_a_limit_ends_as_it_would(folder: Folder) -> None:
    program = LIMIT.format(1000) + "with open('big', 'w') as big: big.write('x' * 5000)\n"
    folder.write("app.py", program)
    plain = folder.execute("python3", "app.py")
    recorded = folder.execute(FETTLE, "run", "-q", "app.py")
    assert recorded.code == plain.code != 0
    assert "File too large" in recorded.stderr
