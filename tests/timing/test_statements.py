# SPDX-License-Identifier: Apache-2.0
"""What is measured as code: beside timeit, whose template it is."""

import dis
import functools
import marshal
import timeit
from itertools import repeat
from types import CodeType

import pytest
from fettle.problem import USAGE, Problem
from fettle.timing import statements

STATEMENTS = [
    ("pass", "pass"),
    ("x + y", "x = 1; y = 2"),
    ("x = 1", "pass"),
    ("if x:\n    y = 1\nelse:\n    y = 2", "x = 3"),
    ("for i in range(3):\n    pass", "pass"),
    ("[i for i in d]", "d = [1, 2]"),
    ("try:\n    f()\nexcept ZeroDivisionError:\n    pass", "def f():\n    1 / 0"),
    ("# nothing but a comment", "pass"),
    ("", ""),
    ("a, b = b, a", "a = 1\nb = 2"),
    ("with open('/dev/null') as f: f.read()", "pass"),
    ("def f(): return 1\nf()", "pass"),
]


def loop_of(code: CodeType) -> list[tuple[str, object]]:
    """The instructions from the loop on to its end."""
    rows = [(each.opname, each.argrepr) for each in dis.get_instructions(code)]
    names = [name for name, _ in rows]
    begin = names.index("GET_ITER", next(i for i, row in enumerate(rows) if row[1] == "_it"))
    # jumps and code objects have addresses
    return [(name, "" if "to " in text or "<" in text else text) for name, text in rows[begin:]]


def inner_code(source: CodeType) -> CodeType:
    return next(each for each in source.co_consts if isinstance(each, CodeType))


@pytest.mark.parametrize(("statement", "setup"), STATEMENTS)
def test_the_loop_is_that_of_timeit(statement, setup):
    theirs = timeit.Timer(statement, setup).inner.__code__
    ours = inner_code(marshal.loads(statements.of_statement(statement, setup, 1, 1).code))
    mine, other = loop_of(ours), loop_of(theirs)
    ends = {"_stop", "_timer"}
    until = min(
        next(i for i, row in enumerate(rows) if row[0] == "END_FOR" or row[1] in ends)
        for rows in (mine, other)
    )
    assert mine[:until] == other[:until]


@pytest.mark.parametrize(("statement", "setup"), STATEMENTS)
def test_it_runs_as_often_as_it_is_told(statement, setup):
    inner = statements.inner_of(statements.of_statement(statement, setup, 1, 1).code)
    assert inner(repeat(None, 3), lambda: None, lambda: "stopped") == "stopped"


def test_setup_runs_once_before_start():
    heard = []
    names = {"heard": heard}
    code = statements.of_statement("heard.append('s')", "heard.append('setup')", 1, 1).code
    inner = statements.inner_of(code, names)
    inner(repeat(None, 2), lambda: heard.append("start"), lambda: heard.append("stop"))
    assert heard == ["setup", "start", "s", "s", "stop"]
    assert set(names) <= {"heard", "__builtins__"}


def test_strings_of_several_lines_stay_as_they_are():
    code = statements.of_statement('heard.append("""a\nb\n  c""")', "pass", 1, 1).code
    heard = []
    statements.inner_of(code, {"heard": heard})(repeat(None, 1), list, list)
    assert heard == ["a\nb\n  c"]


def test_indented_as_a_whole():
    code = statements.of_statement("    x = 1\n    heard.append(x)\n", "  pass", 1, 1).code
    heard = []
    statements.inner_of(code, {"heard": heard})(repeat(None, 1), list, list)
    assert heard == [1]


@pytest.mark.parametrize(
    ("statement", "setup", "is_async"),
    [
        ("await f()", "async def f(): pass", True),
        ("pass", "x = await f()", True),
        ("async with a: pass", "pass", True),
        ("[x async for x in y]", "pass", True),
        ("async def f(): await g()", "pass", False),
        ("await_ = 1", "pass", False),
    ],
)
def test_await_at_the_top(statement, setup, is_async):
    assert statements.of_statement(statement, setup, 1, 1).is_async == is_async


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("x = = 1", "(line 1, column 5).\n    x = = 1\n        ^"),
        ("x = 1\ny = 'abc", "(line 2, column 5).\n    y = 'abc\n        ^"),
        ("\tx = )", ")\n"),
        ("return 3", "'return' outside function"),
        ("yield 3", "'yield' outside function"),
        ("break", "'break' outside loop"),
        ("if x:\npass", "line 2"),
        ("x = 1\0", "null bytes"),
        ("(" * 500 + ")" * 500, "does not compile"),
        ("from os import *", "import * only allowed at module level"),
        ("global x; x = 1\nx: int = 3", "does not"),
    ],
)
def test_what_does_not_compile(statement, words):
    with pytest.raises(Problem) as caught:
        statements.of_statement(statement, "pass", 2, 3)
    assert caught.value.code == USAGE
    said = caught.value.sentence
    assert said.startswith("statement 2 does not "), said
    assert words in said or words == ")\n", said
    with pytest.raises(Problem) as caught:
        statements.of_statement("pass", statement, 2, 3)
    assert caught.value.sentence.startswith("the setup does not "), caught.value.sentence


def test_the_mark_stands_below_the_place():
    with pytest.raises(Problem) as caught:
        statements.of_statement("if 1:\n\tx = 1 +", "pass", 1, 1)
    *_, source, mark = caught.value.sentence.split("\n")
    assert source == "    \tx = 1 +"
    assert mark.startswith("    \t")
    assert mark.endswith("^")


def test_functions_and_their_arguments():
    heard = []

    def told(*args, **kwargs):
        heard.append((args, kwargs))

    candidate = statements.of_function(told, (1, "b"), {"c": 3, "not a name": 4}, "pass", 1)
    inner = statements.inner_of(candidate.code, {}, candidate.names(told))
    inner(repeat(None, 2), list, list)
    assert heard == [((1, "b"), {"c": 3, "not a name": 4})] * 2


class Callable:
    def __call__(self):
        return 1

    def method(self):
        return 2

    async def coroutine(self):
        return 3


class AsyncCallable:
    async def __call__(self):
        return 1


@pytest.mark.parametrize(
    ("function", "name", "is_async"),
    [
        (len, "len", False),
        (str.upper, "str.upper", False),
        (Callable, "Callable", False),
        (Callable().method, "Callable.method", False),
        (Callable().coroutine, "Callable.coroutine", True),
        (functools.partial(len, []), "partial(len)", False),
        (functools.partial(Callable().coroutine), "partial(Callable.coroutine)", True),
        (AsyncCallable(), None, True),
        (Callable(), None, False),
    ],
)
def test_what_functions_are_called(function, name, is_async):
    candidate = statements.of_function(function, (), {}, "pass", 1)
    assert candidate.label == (repr(function) if name is None else name)
    assert candidate.is_async == is_async


def test_lambdas_say_where_they_stand():
    line = test_lambdas_say_where_they_stand.__code__.co_firstlineno + 2
    label = statements.name_of(lambda: 1)
    assert label.endswith(f"<lambda> (test_statements.py:{line})")
