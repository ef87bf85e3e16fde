# SPDX-License-Identifier: Apache-2.0
"""Results belong to the code that computed them, in this run and in later ones."""

import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import fettle
import pytest

from .memos import HEAD, LONG, Programs, said, warned

HELPERS = """
def scale(x):
    # {comment}
    return x * {factor}
"""
PROGRAM = """
import sys
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import helpers
@memo
def run(x):
    {comment}
    note(x)
    return helpers.scale(x)
print(run(3))
"""


def test_edits_between_runs(programs: Programs) -> None:
    path = programs.folder / "program.py"

    def run(factor: int, comment: str = "", doc: str = "''") -> int:
        text = HELPERS.format(factor=factor, comment=comment)
        (programs.folder / "helpers.py").write_text(text)
        (line,) = programs.run(PROGRAM.format(comment=doc), path=path)
        return int(line)

    assert run(2) == 6 and run(2) == 6
    assert len(programs.notes) == 1
    assert run(2, "a remark", "'''A text'''\n\n    # and more") == 6 and len(programs.notes) == 1
    assert run(3) == 9 and len(programs.notes) == 2
    assert run(2) == 6 and len(programs.notes) == 2  # as it was: its results are there again


def test_the_users_folder(programs: Programs) -> None:
    text = """
    memo = fettle.Memo()
    @memo
    def run(x):
        note(x)
        return x
    run(5)
    print(memo.path, oct(os.stat(memo.path).st_mode & 0o777))
    """
    folder = programs.folder
    for variables, path in [
        ({"FETTLE_CACHE_DIR": str(folder / "own")}, folder / "own" / "memo"),
        (
            {"XDG_CACHE_HOME": str(folder / "xdg"), "FETTLE_CACHE_DIR": ""},
            folder / "xdg/fettle/memo",
        ),
        (
            {"HOME": str(folder / "home"), "FETTLE_CACHE_DIR": "", "XDG_CACHE_HOME": ""},
            folder / "home/.cache/fettle/memo",
        ),
    ]:
        if sys.platform == "darwin" and "FETTLE_CACHE_DIR" not in variables:
            continue
        before = len(programs.notes)
        for _ in range(2):
            assert programs.run(text, **variables) == [f"{path} 0o700"]
        assert len(programs.notes) == before + 1


def test_programs_without_a_file_do_not_collide(programs: Programs) -> None:
    """Two texts that define a function of one name, by -c and from stdin."""
    texts = [
        HEAD + f"@memo\ndef run(x):\n    note({number})\n    return {number}\nprint(run(1))\n"
        for number in range(3)
    ]
    for _ in range(2):
        for number, text in enumerate(texts):
            assert programs.run(text.removeprefix(HEAD)) == [str(number)]
            stdin = programs.start(f"exec(compile({text!r}, '<stdin>', 'exec'))")
            assert said(stdin) == [str(number)]
    assert set(programs.notes) == {"0", "1", "2"} and len(programs.notes) <= 6


def test_cells_of_a_notebook_do_not_collide(memo: fettle.Memo) -> None:
    space: dict[str, Any] = {"__name__": "__main__", "memo": memo}
    for number in range(5):
        cell = f"@memo\ndef run(x):\n    return x + {number}\n"
        exec(compile(cell, f"<ipython-input-{number}>", "exec"), space)
        assert space["run"](1) == 1 + number
    assert memo.stats().entries == 5
    exec(compile("@memo\ndef run(x):\n    return x + 2\n", "<ipython-input-9>", "exec"), space)
    assert space["run"].cached(1) and space["run"](1) == 3


def test_lambdas_of_one_line_do_not_collide(memo: fettle.Memo) -> None:
    several = [memo(lambda x: x + 1), memo(lambda x: x - 1), memo(lambda x: (x, 1))]
    assert [each(5) for each in several] == [each(5) for each in several] == [6, 4, (5, 1)]
    made = [memo(lambda x, n=n: x * n) for n in range(4)]  # type: ignore[misc]
    assert [each(5) for each in made] == [0, 5, 10, 15]

    def by(number: int) -> Any:
        return memo(lambda x: x * number)

    assert [by(n)(7) for n in range(4)] == [by(n)(7) for n in range(4)] == [0, 7, 14, 21]


# ---- within a process ----

PRICE = 2
COUNT = 0
LOG: list[int] = []


def helper(x: int) -> int:
    return x * PRICE


def uses(x: int) -> int:
    LOG.append(x)
    return helper(x) + 1


def counts(x: int) -> int:
    global COUNT
    COUNT += 1
    return x


def test_a_helper_bound_anew(memo: fettle.Memo, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = memo(uses)
    LOG.clear()
    assert kept(3) == 7 and kept(3) == 7
    with monkeypatch.context() as patch:
        patch.setitem(globals(), "helper", lambda x: x * 10)
        assert kept(3) == 31 and kept(3) == 31
    assert kept(3) == 7 and LOG == [3, 3]
    with monkeypatch.context() as patch:
        patch.setitem(globals(), "PRICE", 4)
        assert kept(3) == 13
    assert kept(3) == 7 and LOG == [3, 3, 3]
    with monkeypatch.context() as patch:
        patch.delitem(globals(), "helper")
        with pytest.raises(NameError):
            kept(3)
    assert kept(3) == 7


def test_code_put_in_place_of_a_function(memo: fettle.Memo) -> None:
    def one(x: int) -> int:
        return x + 1

    def other(x: int) -> int:
        return x + 2

    kept, before = memo(one), one.__code__
    assert kept(1) == 2
    one.__code__ = other.__code__
    assert kept(1) == 3
    one.__code__ = before
    assert kept(1) == 2


def test_what_a_function_changes_itself_does_not_count(memo: fettle.Memo) -> None:
    kept = memo(counts)
    before = COUNT
    assert [kept(1), kept(1), kept(2), kept(1), memo(counts)(1)] == [1, 1, 2, 1, 1]
    assert before + 2 == COUNT
    LOG.clear()
    logs = memo(uses)
    assert [logs(1), logs(2), logs(1), memo(uses)(2)] == [3, 5, 3, 5] and LOG == [1, 2]


def test_a_function_whose_code_can_not_be_told(memo: fettle.Memo) -> None:
    """It is computed, with a warning: see also what version= does."""

    class Odd:
        def __init__(self) -> None:
            self.lock = threading.Lock()

        def __call__(self, x: int) -> int:
            return x + 1

    with warned("can not be told from others"):
        kept = memo(Odd())
        assert kept(1) == kept(1) == 2
    with warned():
        kept = memo(version=1)(Odd())
        assert kept(1) == kept(1) == 2 and kept.cached(1)


def test_a_key_whose_code_can_not_be_told(memo: fettle.Memo) -> None:
    lock = threading.Lock()

    class Odd:
        def __init__(self) -> None:
            self.lock = lock

        def __call__(self, x: int) -> int:
            return x

    with warned("what key= names can not be told from others"):

        @memo(key={"x": Odd()})
        def double(x: int) -> int:
            return x + x

        assert double(1) == double(1) == 2


def test_two_programs_with_one_module_each(programs: Programs) -> None:
    """Modules of one name in two folders: what is the same code has the same results."""
    for name, factor in [("a", 1), ("b", 2), ("c", 1)]:
        path: Path = programs.folder / name / "program.py"
        path.parent.mkdir()
        (path.parent / "helpers.py").write_text(HELPERS.format(factor=factor, comment=""))
        assert programs.run(PROGRAM.format(comment="''"), path=path) == [str(3 * factor)]
    assert len(programs.notes) in (2, 3)


def test_stdin(programs: Programs) -> None:
    text = "@memo\ndef run(x):\n    note(x)\n    return {}\nprint(run(1))\n"
    for number in (1, 2, 1, 2):
        done = subprocess.run(
            [sys.executable, "-"],
            input=HEAD + text.format(number),
            capture_output=True,
            text=True,
            timeout=LONG,
            check=True,
            env=os.environ | {"NOTES": str(programs.file), "STORE": str(programs.store)},
        )
        assert (done.stdout, done.stderr) == (f"{number}\n", "")
    assert len(programs.notes) == 2
