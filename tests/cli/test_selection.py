# SPDX-License-Identifier: Apache-2.0
"""What F of --callers and --callees means."""

from typing import NamedTuple

import pytest
from fettle.problem import Problem
from fettle.report import names, selection

C = "~"


class Row(NamedTuple):
    file: str
    line: int
    name: str
    qualname: str = ""


ROWS = [
    Row("/app/main.py", 1, "<module>", "<module>"),
    Row("/app/main.py", 5, "main", "main"),
    Row("/app/main.py", 9, "main_app", "main_app"),
    Row("/app/shop/cart.py", 4, "add", "Cart.add"),
    Row("/app/shop/cart.py", 8, "<lambda>", "Cart.add.<locals>.<lambda>"),
    Row("/app/shop/stock.py", 4, "add", "Stock.add"),
    Row("/app/shop/__init__.py", 2, "open_shop", "open_shop"),
    Row(C, 0, "<built-in method time.sleep>"),
    Row(C, 0, "<method 'add' of 'set' objects>"),
    Row("/app/odd.py", 3, "a\nb\u202e", "a\nb\u202e"),
    Row("/app/odd.py", 4, "[x]*", "[x]*"),
]


def chosen(text: str) -> list[str]:
    files = names.Files([row.file for row in ROWS])
    places = selection.chosen(ROWS, text, files)  # type: ignore[arg-type]
    assert places == sorted(set(places))
    return [files.label(ROWS[place]) for place in places]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("main", ["main.py:5(main)"]),  # not main_app, as a search would find
        ("main*", ["main.py:5(main)", "main.py:9(main_app)", "main.py:1(<module>)"]),
        ("main.py:9(main_app)", ["main.py:9(main_app)"]),
        ("add", ["cart.py:4(add)", "stock.py:4(add)", "{method 'add' of 'set' objects}"]),
        ("Cart.add", ["cart.py:4(add)"]),
        ("Cart.*", ["cart.py:4(add)", "cart.py:8(<lambda>)"]),
        ("<lambda>", ["cart.py:8(<lambda>)"]),
        ("cart.py:add", ["cart.py:4(add)"]),
        ("shop/cart.py:Cart.add", ["cart.py:4(add)"]),
        ("/app/shop/cart.py:Cart.add", ["cart.py:4(add)"]),
        ("shop.cart:Cart.add", ["cart.py:4(add)"]),
        ("shop.cart.Cart.add", ["cart.py:4(add)"]),
        ("shop.*:add", ["cart.py:4(add)", "stock.py:4(add)"]),
        ("cart.py:4", ["cart.py:4(add)"]),
        ("cart.py", ["cart.py:4(add)", "cart.py:8(<lambda>)"]),
        ("shop", ["shop/__init__.py:2(open_shop)"]),
        ("shop.open_shop", ["shop/__init__.py:2(open_shop)"]),
        ("time.sleep", ["{built-in method time.sleep}"]),
        ("time:sleep", ["{built-in method time.sleep}"]),
        ("sleep", ["{built-in method time.sleep}"]),
        ("{built-in method time.sleep}", ["{built-in method time.sleep}"]),
        ("<built-in method time.sleep>", ["{built-in method time.sleep}"]),
        ("time", ["{built-in method time.sleep}"]),
        ("set.add", ["{method 'add' of 'set' objects}"]),
        ("a\nb\u202e", ["odd.py:3(a\\nb\\u202e)"]),
        ("a\\nb\\u202e", ["odd.py:3(a\\nb\\u202e)"]),  # as it is shown
        ("[x]*", ["odd.py:4([x]*)"]),  # a name before it is a glob
        (r"open|_app\)$", ["main.py:9(main_app)", "shop/__init__.py:2(open_shop)"]),
        ("_ap", ["main.py:9(main_app)"]),  # a search, as in pstats
    ],
)
def test_what_is_meant(text: str, found: list[str]) -> None:
    assert sorted(chosen(text)) == sorted(found)


@pytest.mark.parametrize(
    "text", ["", "::", "nothing", "(", "[[a", "*?(", "cart.py:main", "x" * 5000, "\0", "\n"]
)
def test_what_means_nothing_is_a_problem(text: str, recwarn: pytest.WarningsRecorder) -> None:
    with pytest.raises(Problem) as refused:
        chosen(text)
    assert refused.value.code == 1
    assert refused.value.sentence.endswith(".")
    assert refused.value.sentence.isprintable()
    assert not recwarn.list


def test_the_nearest_names_are_told() -> None:
    with pytest.raises(Problem) as refused:
        chosen("open_shp")
    assert "open_shop" in refused.value.sentence
