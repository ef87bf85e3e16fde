# SPDX-License-Identifier: Apache-2.0
"""Who is compared with whom: functions that moved, files that did."""

import random

import pytest
from fettle.diffing import files, functions

from . import made

pytestmark = pytest.mark.once  # no interpreter's affair


def pairs(old: list[made.Run], new: list[made.Run]) -> set[tuple[str, str]]:
    """Old and new places as file:line, "" where there is none."""

    def place(entry: object) -> str:
        return f"{entry.file}:{entry.line}" if entry else ""  # type: ignore[attr-defined]

    return {
        (place(one.old), place(one.new))
        for one in functions.matched(made.side(*old), made.side(*new))
    }


def of(*rows: tuple[str, str, int], folder: str = "/app") -> made.Run:
    return made.Run([made.function(n, file=f, line=at) for f, n, at in rows], folder)


def test_a_function_that_moved_is_itself() -> None:
    old = of(("/app/a.py", "f", 3), ("/app/a.py", "g", 9), ("~", "<built-in len>", 0))
    new = of(("/app/a.py", "g", 2), ("/app/a.py", "f", 30), ("~", "<built-in len>", 0))
    assert pairs([old], [new]) == {
        ("/app/a.py:3", "/app/a.py:30"),
        ("/app/a.py:9", "/app/a.py:2"),
        ("~:0", "~:0"),
    }


def test_what_came_and_what_went() -> None:
    assert pairs([of(("/app/a.py", "f", 3))], [of(("/app/a.py", "g", 3))]) == {
        ("/app/a.py:3", ""),
        ("", "/app/a.py:3"),
    }


def test_lambdas_go_by_their_order_or_by_their_line() -> None:
    old = of(("/app/a.py", "<lambda>", 3), ("/app/a.py", "<lambda>", 9))
    moved = of(("/app/a.py", "<lambda>", 5), ("/app/a.py", "<lambda>", 11))
    assert pairs([old], [moved]) == {
        ("/app/a.py:3", "/app/a.py:5"),
        ("/app/a.py:9", "/app/a.py:11"),
    }
    fewer = of(("/app/a.py", "<lambda>", 9))
    assert pairs([old], [fewer]) == {("/app/a.py:3", ""), ("/app/a.py:9", "/app/a.py:9")}


def test_a_program_in_another_folder_is_the_same_program() -> None:
    old = of(("/one/pkg/a.py", "f", 3), ("/usr/lib/json.py", "f", 1), folder="/one")
    new = of(("/two/pkg/a.py", "f", 3), ("/usr/lib/json.py", "f", 1), folder="/two")
    assert pairs([old], [new]) == {
        ("/one/pkg/a.py:3", "/two/pkg/a.py:3"),
        ("/usr/lib/json.py:1", "/usr/lib/json.py:1"),
    }


def test_addresses_are_no_names() -> None:
    old = of(("~", "<method x of type object at 0x7f00>", 0))
    new = of(("~", "<method x of type object at 0x8a10>", 0))
    assert pairs([old], [new]) == {("~:0", "~:0")}


def test_runs_are_added_up_by_run() -> None:
    """A function may be missing in one of them."""
    one, two = of(("/app/a.py", "f", 3)), of(("/app/a.py", "f", 3), ("/app/a.py", "g", 5))
    found = {
        each.entry().name: each for each in functions.matched(made.side(one, two), made.side(two))
    }
    assert found["f"].old is not None
    assert found["f"].old.count == [1, 1]
    assert found["g"].old is not None
    assert found["g"].old.count == [0, 1]
    assert found["g"].varies()
    assert not found["f"].varies()


def test_a_file_that_is_called_otherwise() -> None:
    old = {"/app/users.py": {"load", "save", "find"}, "/app/main.py": {"go", "stop"}}
    new = {"/app/people.py": {"load", "save", "find", "drop"}, "/app/main.py": {"go", "stop"}}
    assert files.paired(old, new, ("", "")) == {
        "/app/users.py": "/app/people.py",
        "/app/main.py": "/app/main.py",
    }


def test_what_is_not_clear_is_no_pair() -> None:
    twins = {"/app/b.py": {"load", "save"}, "/app/c.py": {"load", "save"}}
    assert files.paired({"/app/a.py": {"load", "save"}}, twins, ("", "")) == {}
    assert files.paired({"/x/a.py": {"load"}}, {"/x/b.py": {"load"}}, ("", "")) == {}
    inits = {"/x/one/__init__.py": {"f"}}, {"/x/two/__init__.py": {"f"}}
    assert files.paired(*inits, ("", "")) == {}
    utils = {"/x/one/utils.py": {"f", "g"}}, {"/x/two/utils.py": {"h", "i"}}
    assert files.paired(*utils, ("", "")) == {}


def test_no_file_is_given_twice() -> None:
    rng = random.Random(8)
    for _ in range(300):
        sides = []
        for _ in range(2):
            paths = {
                "/".join(rng.choices("xyz", k=rng.randrange(1, 4))) + f"/{rng.choice('abc')}.py"
                for _ in range(rng.randrange(6))
            }
            sides.append({f"/{p}": set(rng.choices("fghijk", k=4)) for p in sorted(paths)})
        found = files.paired(sides[0], sides[1], ("/x", "/y"))
        assert len(set(found.values())) == len(found)
        assert set(found) <= set(sides[0])
        assert set(found.values()) <= set(sides[1])
        assert all(found[path] == path for path in set(sides[0]) & set(sides[1]))
