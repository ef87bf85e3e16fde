# SPDX-License-Identifier: Apache-2.0
"""Options of fettle.Memo that make no sense are refused in one sentence that says what would."""

import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import fettle
import pytest

from .memos import sentence, warned


def one(x: int) -> int:
    return x


def many(x: int) -> Any:
    yield x


async def later(x: int) -> Any:
    yield x


NAN = float("nan")
CASES: list[tuple[Any, dict[str, Any], type[Exception], str]] = [
    # a Memo
    ("", {}, ValueError, "''"),
    ("a\0b", {}, ValueError, r"'a\x00b'"),
    ("\ud800", {}, ValueError, "folder"),
    (5, {}, TypeError, "not 5"),
    (True, {}, TypeError, "not True"),
    ("ftp://host", {}, ValueError, "redis://HOST"),
    ("s", {"max_bytes": 0}, ValueError, "above 0"),
    ("s", {"max_bytes": -5}, ValueError, "above 0"),
    ("s", {"max_bytes": 2.5}, TypeError, "500MB"),
    ("s", {"max_bytes": True}, TypeError, "500MB"),
    ("s", {"max_bytes": "lots"}, ValueError, "500MB"),
    ("s", {"max_bytes": "-1MB"}, ValueError, "500MB"),
    ("s", {"ttl": 0}, ValueError, "above 0"),
    ("s", {"ttl": -1.5}, ValueError, "above 0"),
    ("s", {"ttl": timedelta(seconds=-1)}, ValueError, "above 0"),
    ("s", {"ttl": NAN}, ValueError, "above 0"),
    ("s", {"ttl": "1h"}, TypeError, "timedelta"),
    ("s", {"ttl": True}, TypeError, "timedelta"),
    ("s", {"compress": 23}, ValueError, "1 to 22"),
    ("s", {"compress": -1}, ValueError, "1 to 22"),
    ("s", {"compress": 2.5}, ValueError, "1 to 22"),
    ("s", {"compress": "zlib"}, ValueError, "1 to 22"),
    ("s", {"mmap": "w"}, ValueError, "'r'"),
    ("s", {"mmap": []}, ValueError, "'r'"),
    ("s", {"wait": -1}, ValueError, "seconds"),
    ("s", {"wait": NAN}, ValueError, "seconds"),
    ("s", {"wait": "yes"}, ValueError, "seconds"),
    # @memo(...)
    (None, {"ignore": 5}, TypeError, "ignore"),
    (None, {"ignore": [5]}, TypeError, "ignore"),
    (None, {"ignore": ["y"]}, ValueError, "it has: x"),
    (None, {"key": {"y": one}}, ValueError, "it has: x"),
    (None, {"key": {"x": 3}}, TypeError, "key"),
    (None, {"key": [one]}, TypeError, "key"),
    (None, {"key": one}, TypeError, "key"),
    (None, {"depends": 5}, TypeError, "depends"),
    (None, {"validate": 5}, TypeError, "validate"),
    (None, {"ttl": 0}, ValueError, "above 0"),
    (None, {"compress": 99}, ValueError, "1 to 22"),
    (None, {"mmap": "w"}, ValueError, "'r'"),
    (None, {"wait": -1}, ValueError, "seconds"),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case[0]!r}, {case[1]}")
def test_options(case: tuple[Any, dict[str, Any], type[Exception], str], tmp_path: Path) -> None:
    path, options, kind, part = case
    if path is None:
        memo = fettle.Memo(tmp_path)
        text = sentence(lambda: memo(**options)(one), kind)
    else:
        path = tmp_path / path if path == "s" else path
        text = sentence(lambda: fettle.Memo(path, **options), kind)
        assert not (tmp_path / "s").exists()  # nothing is made before all is known to be right
    assert part in text


@pytest.mark.parametrize(
    ("function", "part"),
    [
        (5, "5 can not be called"),
        ("f", "'f' can not be called"),
        (property(one), "put @property above @memo"),
        (many, "many is a generator function"),
        (later, "later is a generator function"),
        (classmethod(many), "many is a generator function"),
        (staticmethod(later), "later is a generator function"),
    ],
)
def test_what_can_not_be_kept(function: Any, part: str, memo: fettle.Memo) -> None:
    assert part in sentence(lambda: memo(function), TypeError)
    assert part in sentence(lambda: memo(ttl=5)(function), TypeError)


@pytest.mark.parametrize(
    ("options", "kind"),
    [
        ({"max_bytes": 0}, ValueError),
        ({"max_bytes": "x"}, ValueError),
        ({"max_bytes": 1.5}, TypeError),
        ({"max_items": -1}, ValueError),
        ({"max_items": 1.5}, TypeError),
        ({"max_items": "3"}, TypeError),
        ({"max_items": True}, TypeError),
        ({"max_age": -1}, ValueError),
        ({"max_age": NAN}, ValueError),
        ({"max_age": "1h"}, TypeError),
    ],
)
@pytest.mark.parametrize("usable", [True, False])
def test_reduce(
    options: dict[str, Any], kind: type[Exception], usable: bool, tmp_path: Path
) -> None:
    path = tmp_path / "s"
    if not usable:
        path.touch()
    with warned(*([] if usable else ["can not be used"])):
        memo = fettle.Memo(path)
    sentence(lambda: memo.reduce(**options), kind)


ARGUMENTS: list[Callable[[], Any]] = [
    lambda: (x for x in "ab"),
    lambda: open(__file__),  # noqa: SIM115
    lambda: [{"a": (1, threading.Lock())}],
]


@pytest.mark.parametrize("made", ARGUMENTS)
def test_an_argument_that_can_be_no_key(made: Callable[[], Any], memo: fettle.Memo) -> None:
    computed = []

    @memo
    def kept(first: Any, *rest: Any, named: Any = 1, **more: Any) -> int:
        computed.append(1)
        return 1

    bad = made()
    for name, args, keywords in [
        ("first", (bad,), {}),
        ("rest", (1, 2, bad), {}),
        ("named", (1,), {"named": bad}),
        ("more", (1,), {"other": bad}),
    ]:
        text = sentence(lambda args=args, keywords=keywords: kept(*args, **keywords), TypeError)
        assert f"'{name}'" in text or "'other'" in text
        assert "ignore=[" in text
    assert computed == []


def test_large_numbers_mean_no_bound(tmp_path: Path) -> None:
    memo = fettle.Memo(tmp_path, max_bytes=10**30, ttl=1e300)
    assert memo(one)(1) == 1 and memo(one).cached(1)
    assert memo.reduce(max_bytes=10**30, max_age=1e300, max_items=10**30) == 0
    assert memo(ttl=timedelta.max)(one).cached(1)


def test_names_that_can_not_be_written(memo: fettle.Memo) -> None:
    held = []
    for name in ("a\0b", "a\udc80b", "x" * 5000, "é" * 300):

        def odd() -> int:
            return 1

        odd.__qualname__ = odd.__name__ = name
        with warned():
            kept = memo(odd)
            held.append(kept)  # what has been counted last of one that is gone is lost
            assert [kept.call() for _ in range(600)] == [1] * 600 and kept.cached()
    assert memo.stats().misses == 2400
