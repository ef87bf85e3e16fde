# SPDX-License-Identifier: Apache-2.0
"""What an identity notices of changes within one process, and what it doubts."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fettle.caching.code import identify

SOURCE = """
import functools
def f(x):
    return g(x) + C().m() + D.b + closure(x) + wrapped(x) + counted(x)
def g(x, y=1, *, z=2):
    return x + y + z
class B:
    b = 1
class B2(B):
    pass
class C(B):
    a = 1
    made = 0
    def m(self):
        C.made += 1
        C.late = 2
        return self.a
class D(B):
    pass
def outer():
    k = [1]
    def closure(x):
        return x * k[0]
    def bind(value):
        nonlocal k
        k = value
    def unbind():
        nonlocal k
        del k
    return closure, bind, unbind
closure, bind, unbind = outer()
def inner(x):
    return x
@functools.wraps(inner)
def wrapped(x):
    return x
def counter():
    n = 0
    def counted(x):
        nonlocal n
        n += 1
        return x
    return counted
counted = counter()
"""


@pytest.fixture
def space() -> dict[str, Any]:
    made: dict[str, Any] = {"__name__": "changing"}
    exec(SOURCE, made)
    return made


def put(container: Any, name: str, value: object) -> None:
    container[name] = value


CHANGES: list[Callable[[dict[str, Any]], object]] = [
    lambda s: setattr(s["g"], "__defaults__", (2,)),
    lambda s: setattr(s["g"], "__kwdefaults__", {"z": 3}),
    lambda s: put(s["g"].__kwdefaults__, "z", 3),
    lambda s: setattr(s["g"], "__code__", s["inner"].__code__),
    lambda s: setattr(s["C"], "a", 2),
    lambda s: setattr(s["C"], "m", lambda self: 3),
    lambda s: setattr(s["B"], "b", 2),
    lambda s: setattr(s["D"], "b", 2),
    lambda s: setattr(s["C"], "extra", 2),
    lambda s: delattr(s["C"], "a"),
    lambda s: setattr(s["D"], "__bases__", (s["B2"],)),
    lambda s: s["bind"]([2]),
    lambda s: s["unbind"](),
    lambda s: setattr(s["wrapped"], "__wrapped__", s["g"]),
    lambda s: delattr(s["wrapped"], "__wrapped__"),
    lambda s: s.update(g=s["inner"]),
]


@pytest.mark.parametrize("change", CHANGES)
def test_what_is_replaced_is_noticed(
    space: dict[str, Any], change: Callable[[dict[str, Any]], object]
) -> None:
    before = identify(space["f"])
    assert before.is_current()
    change(space)
    assert not before.is_current()
    after = identify(space["f"])
    assert after.is_current() and after.digest != before.digest


def test_an_empty_cell_that_is_filled_is_noticed(space: dict[str, Any]) -> None:
    space["unbind"]()
    before = identify(space["f"])
    assert before.is_current()
    space["bind"]([1])
    assert not before.is_current()


def test_what_the_code_does_itself_is_no_change(space: dict[str, Any]) -> None:
    before = identify(space["f"])
    for x in range(3):
        space["f"](x)
        _ = space["C"].__annotations__, space["C"].__doc__
    assert before.is_current()
    counted = identify(space["counted"]).digest
    space["counted"](1)
    assert identify(space["counted"]).digest == counted


def test_files_that_change_are_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def f() -> int:
        return 1

    monkeypatch.chdir(tmp_path)
    file = tmp_path / "table.csv"

    def written(text: str) -> None:
        file.write_text(text)

    def replaced() -> None:
        other = tmp_path / "other"
        other.write_text(file.read_text())
        os.utime(other, ns=(1, file.stat().st_mtime_ns))
        other.replace(file)

    written("12")
    changes: list[Callable[[], object]] = [
        lambda: written("123"),
        lambda: os.utime(file, ns=(1, 1)),
        replaced,
        file.unlink,
    ]
    for change in changes:
        for thing in ("table.csv", Path("table.csv"), str(file)):
            identity = identify(f, depends=[thing])
            facts = file.stat()
            assert identity.files == [(str(file), (facts.st_mtime_ns, facts.st_size, facts.st_ino))]
            assert identity.doubts == [] and identity.is_current()
        monkeypatch.chdir("/")
        assert identity.is_current()
        change()
        assert not identity.is_current()
        monkeypatch.chdir(tmp_path)
    missing = identify(f, depends=["table.csv"])
    assert missing.doubts == [
        "depends names 'table.csv', and there is no such file: it counts as a text."
    ]
    assert missing.files == [(str(file), None)] and missing.is_current()
    written("1")
    assert not missing.is_current()


def test_only_texts_that_seem_to_be_paths_are_doubted(tmp_path: Path) -> None:
    def doubts(text: str) -> list[str]:
        return identify(test_files_that_change_are_noticed, depends=[text]).doubts

    for text in ("no.csv", "data/no", "my data/no.parquet", "../x.json.gz", f"{tmp_path}/x"):
        assert len(doubts(text)) == 1, text
    for text in ("table", "1.2", "v1.2.3", "https://a.b/c.csv", "a / b", "", ".", "a\nb.csv"):
        assert doubts(text) == [], text
    (doubt,) = doubts(str(tmp_path))
    assert "is a folder: it counts as a text; name the files" in doubt
