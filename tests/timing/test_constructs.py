# SPDX-License-Identifier: Apache-2.0
"""The constructs of the price list do what they are called, on the Python that runs this."""

import ast
import dis
import sys
import types
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, replace
from typing import Any

import pytest
from fettle.timing import costs_worker as worker
from fettle.timing.construct import Construct
from fettle.timing.constructs import SHORT, constructs

from .oracle import CALLED, HOLDS, NEEDED, RAISED

ALL = constructs()
BY_NAME = {each.name: each for each in ALL}
every = pytest.mark.parametrize("construct", ALL, ids=lambda each: each.name)
HERE = "<statement>"
ENDS = (StopIteration, StopAsyncIteration)  # of what was iterated over


# ---- the table ----


def test_there_are_enough_of_them() -> None:
    assert len(ALL) >= 100
    assert len({each.group for each in ALL}) >= 10


def test_names_are_unique_and_short() -> None:
    assert len(BY_NAME) == len(ALL)
    assert max(map(len, BY_NAME)) <= 46  # the column of the table
    assert all(name.isprintable() and name.isascii() for name in BY_NAME)


def test_a_group_is_together_and_has_one_base_which_is_first() -> None:
    groups = list(dict.fromkeys(each.group for each in ALL))
    assert sorted(ALL, key=lambda each: groups.index(each.group)) == list(ALL)
    for group in groups:
        assert [each.is_base for each in ALL if each.group == group].index(True) == 0
        assert sum(each.is_base for each in ALL if each.group == group) == 1


def test_what_is_repeated_exists_and_calls_nothing() -> None:
    repeated = [each for each in ALL if each.repeated > 1]
    assert {each.name for each in repeated} == SHORT
    assert all("(" not in c.statement.replace("(1, 2, 3)", "") for c in repeated)


def test_what_was_asked_for_first_is_there_word_by_word() -> None:
    for text in ("({'a': 1, 'b': 3, 'c': 8}).get('b')", "lkup('b')", "[0 for _ in range(1000)]"):
        assert BY_NAME[text].statement == text
    bases = {each.group: each for each in ALL if each.is_base}
    assert bases[BY_NAME["lkup('b')"].group].name == "lambda: 3, called"
    assert bases[BY_NAME["[0 for _ in range(1000)]"].group].statement == "[0]*1000"


def test_the_oracle_knows_all_of_them_and_no_others() -> None:
    assert set(HOLDS) == set(BY_NAME)
    assert {*CALLED, *RAISED, *NEEDED} <= set(BY_NAME)


# ---- each of them ----


class Ran:
    """A statement that ran once, at the top of a module: what it left, called and raised there."""

    def __init__(self, construct: Construct) -> None:
        self.namespace: dict[str, Any] = {"__name__": "__main__"}
        exec(construct.setup, self.namespace)
        exec(construct.before, self.namespace)
        code, self.is_expression = compiled(construct)
        self.called: list[str] = []
        self.raised: list[type[BaseException]] = []
        run: Callable[[], Any] = types.FunctionType(code, self.namespace)
        old = sys.gettrace()
        sys.settrace(self._see)
        try:
            result = run() if not construct.is_async else self._driven(run)
        finally:
            sys.settrace(old)
        self.namespace["value"] = result

    def _driven(self, run: Callable[[], Any]) -> Any:
        coroutine = run()
        with pytest.raises(StopIteration) as end:
            coroutine.send(None)
        return end.value.value

    def _see(self, frame: types.FrameType, event: str, arg: Any) -> Any:
        if event == "call" and frame.f_code.co_filename == "<string>":
            self.called.append(frame.f_code.co_name)
        if frame.f_code.co_filename != HERE:
            return None
        if event == "exception":
            self.raised.append(arg[0])
        return self._see


def compiled(construct: Construct) -> tuple[types.CodeType, bool]:
    """The statement as a function without locals; an expression's value is returned."""
    tree = ast.parse(construct.statement)
    last = tree.body[-1]
    is_expression = len(tree.body) == 1 and isinstance(last, ast.Expr)
    names = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and type(n.ctx) is ast.Store}
    names |= {
        each.asname or each.name.split(".")[0]
        for n in ast.walk(tree)
        if isinstance(n, ast.Import | ast.ImportFrom)
        for each in n.names
    }
    names |= {n.name for n in ast.walk(tree) if isinstance(n, ast.FunctionDef | ast.ClassDef)}
    kind = "async def" if construct.is_async else "def"
    outer = ast.parse(
        f"{kind} run():\n    {'global ' + ', '.join(sorted(names)) if names else 'pass'}"
    )
    body = [ast.Return(last.value)] if is_expression and isinstance(last, ast.Expr) else tree.body
    outer.body[0].body += body  # type: ignore[attr-defined]
    space: dict[str, Any] = {}
    exec(compile(ast.fix_missing_locations(outer), HERE, "exec"), space)
    return space["run"].__code__, is_expression


@every
def test_it_does_what_it_is_called(construct: Construct) -> None:
    ran = Ran(construct)
    assert eval(HOLDS[construct.name], ran.namespace) is True


@pytest.mark.parametrize("name", CALLED)
def test_it_calls_whom_it_should(name: str) -> None:
    assert Ran(BY_NAME[name]).called == CALLED[name]


@every
def test_it_raises_what_it_should_and_nothing_else(construct: Construct) -> None:
    raised = [kind for kind in Ran(construct).raised if kind not in ENDS]
    wanted = RAISED.get(construct.name)
    assert bool(raised) == (wanted is not None)
    assert all(issubclass(kind, wanted) for kind in raised if wanted)


def test_a_hit_of_a_cache_is_one() -> None:
    construct = BY_NAME["functools.lru_cache, hit"]
    again = replace(construct, setup=construct.setup + "\ncached(1)")
    info = Ran(again).namespace["cached"].cache_info()
    assert (info.hits, info.misses) == (1, 1)


# ---- as the worker runs them ----


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "SAMPLE", 1000)
    monkeypatch.setattr(worker, "SPECIALISED", 1000)


@pytest.mark.usefixtures("quick")
def test_this_python_lacks_none() -> None:
    ready, skipped = worker.prepared([asdict(each) for each in ALL])
    assert skipped == {}
    assert len(ready) == 1 + len(ALL)
    for each in ready:
        each.sample()
        assert each.samples[0] > 0


@pytest.mark.usefixtures("quick")
def test_what_a_python_lacks_is_skipped_with_the_reason() -> None:
    lacking = [
        Construct("g", "syntax", "a b"),
        Construct("g", "setup", "x", "import _no_such_"),
        Construct("g", "statement", "None | None"),
        Construct("g", "fine", "x", "x = 1"),
    ]
    ready, skipped = worker.prepared([asdict(each) for each in lacking])
    assert [each.construct["name"] for each in ready] == [worker.EMPTY, "fine"]
    assert {name: why.split(":")[0] for name, why in skipped.items()} == {
        "syntax": "SyntaxError",
        "setup": "ModuleNotFoundError",
        "statement": "TypeError",
    }


def loop_of(construct: Construct, repeated: int) -> types.CodeType:
    measured = worker.Measured.__new__(worker.Measured)
    measured.construct, measured.repeated = asdict(construct), repeated
    code: types.CodeType = measured._compiled().__code__
    return code


def instructions(code: types.CodeType) -> Counter[str]:
    names = [each.opname for each in dis.get_instructions(code)]
    return Counter(part for name in names for part in split(name))


def split(name: str) -> list[str]:
    """LOAD_FAST_LOAD_FAST is two; so are other pairs that compilers join."""
    for first in ("LOAD_FAST", "STORE_FAST", "LOAD_FAST_BORROW"):
        for second in ("LOAD_FAST", "STORE_FAST", "LOAD_FAST_BORROW"):
            if name == f"{first}_{second}" or name == f"{first}__{second}":
                return [first, second]
    return [name]


@pytest.mark.parametrize("name", NEEDED)
def test_the_compiler_leaves_it_its_work(name: str) -> None:
    once, often = (instructions(loop_of(BY_NAME[name], count)) for count in (1, 9))
    more = often - once
    found = sum(n for opname, n in more.items() if opname.startswith(NEEDED[name]))
    assert found >= 8, more


@every
def test_repeated_it_is_as_much_code_again(construct: Construct) -> None:
    """No repetition is folded into another, or away."""
    sizes = [len(list(dis.get_instructions(loop_of(construct, count)))) for count in (1, 2, 3)]
    assert sizes[2] - sizes[1] == sizes[1] - sizes[0] > 0


def test_names_of_the_setup_are_local_unless_it_says_otherwise() -> None:
    code = loop_of(Construct("g", "n", "a, b, c", "global a\na = b = c = 1", free=("b",)), 1)
    assert (code.co_names, code.co_freevars) == (("a",), ("b",))
    assert "c" in code.co_varnames


# ---- what is measured ----


class Ticking:
    """A clock that only its ticks move, each by so many ns; and itself by what reading it takes."""

    def __init__(self, tick: int, reading: int) -> None:
        self.now, self.by, self.reading = 0, tick, reading

    def tick(self) -> None:
        self.now += self.by

    def __call__(self) -> int:
        self.now += self.reading
        return self.now


@pytest.mark.parametrize("repeated", [1, 8])
@pytest.mark.parametrize("by", [7, 100, 399, 5000, 1_000_000])
def test_a_sample_is_the_time_of_a_loop(
    monkeypatch: pytest.MonkeyPatch, by: int, repeated: int
) -> None:
    clock = Ticking(by, 30)
    monkeypatch.setattr(worker, "CLOCK", clock)
    monkeypatch.setattr(worker, "ticking", clock, raising=False)
    reading = worker.reading()
    assert reading == 30
    setup = f"import sys\ntick = sys.modules[{worker.__name__!r}].ticking.tick"
    construct = Construct("g", "n", "tick()", setup, repeated=repeated)
    measured = worker.Measured(asdict(construct), reading)
    measured.sample()
    assert measured.samples == [by * repeated]
    assert measured.loops == max(1, round(worker.SAMPLE / (by * repeated)))


def test_the_loop_is_subtracted_once_and_the_rest_divided() -> None:
    def ready(name: str, repeated: int, *samples: float) -> Any:
        return types.SimpleNamespace(
            construct={"name": name}, repeated=repeated, samples=list(samples)
        )

    found = worker.prices(
        [ready("a", 8, 42.0, 82.0), ready(worker.EMPTY, 1, 90.0, 1.0, 2.0), ready("b", 1, 500.0)]
    )
    assert found == {"a": [5.0, 10.0], "b": [498.0]}
