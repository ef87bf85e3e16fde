# SPDX-License-Identifier: Apache-2.0
"""CallPlan: one digest for all ways to write a call, beside what Python binds."""

import functools
import gc
import inspect
import random
import threading
import weakref
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest
from fettle._core import CallPlan, digest

from tests.leaks import least_growth
from tests.persist.encoding import form
from tests.persist.values import random_value

Parameter = inspect.Parameter
NAMES = [*"abcdefg", "self", "é", "args"]


def plan_of(
    function: Callable[..., Any] | inspect.Signature,
    ignore: tuple[str, ...] = (),
    key: dict[str, Callable[[Any], Any]] | None = None,
    name: str = "module.load",
    functions: Callable[[Any], bytes] | None = None,
) -> CallPlan:
    signature = function if isinstance(function, inspect.Signature) else inspect.signature(function)
    rows = tuple(
        (
            one.name,
            int(one.kind),
            () if one.default is Parameter.empty else (one.default,),
            one.name in ignore,
            (key or {}).get(one.name),
        )
        for one in signature.parameters.values()
    )
    return CallPlan(name, rows, functions)


# ---- beside Python ----


def random_signature(source: random.Random, most: int = 6) -> inspect.Signature:
    kinds = sorted(source.choice((0, 1, 1, 3)) for _ in range(source.randrange(most)))
    kinds += [kind for kind in (2, 4) if source.random() < 0.4]
    names = source.sample(NAMES, len(NAMES)) + [f"p{i}" for i in range(most)]
    parameters, has_default = [], False
    for name, kind in zip(names, sorted(kinds), strict=False):
        default: Any = Parameter.empty
        if kind in (0, 1):
            has_default = has_default or source.random() < 0.3
        if (kind in (0, 1) and has_default) or (kind == 3 and source.random() < 0.5):
            default = source.choice([0, 1, None, "a"])
        parameters.append(Parameter(name, list(type(Parameter.VAR_KEYWORD))[kind], default=default))
    return inspect.Signature(parameters)


def random_call(source: random.Random, names: list[str]) -> tuple[tuple[Any, ...], dict[str, Any]]:
    args = tuple(source.choice([0, 1, None, "a", 1.0]) for _ in range(source.randrange(5)))
    some = source.sample([*names, "x", "y"], min(source.randrange(5), len(names) + 2))
    return args, {name: source.choice([0, 1, None, "a", True]) for name in some}


def function_of(signature: inspect.Signature) -> Callable[..., Any]:
    """A function of that signature that gives its arguments."""
    names: dict[str, Any] = {}
    exec(f"def function{signature}: return locals()", names)
    function: Callable[..., Any] = names["function"]
    return function


def bound_form(function: Callable[..., Any], args: Any, kwargs: Any) -> Any:
    """What is bound, or None where the call does not fit."""
    try:
        return form(function(*args, **kwargs))
    except TypeError:
        return None


@pytest.mark.parametrize("seed", range(60))
def test_calls_are_bound_as_python_binds_them(seed: int) -> None:
    source = random.Random(seed)
    signature = random_signature(source, 6 if seed % 6 else 20)
    plan, function = plan_of(signature), function_of(signature)
    known: dict[Any, bytes] = {}
    for _ in range(600):
        args, kwargs = random_call(source, list(signature.parameters))
        expected = bound_form(function, args, kwargs)
        found = plan.digest(args, kwargs)
        assert (found is None) == (expected is None), (signature, args, kwargs)
        if found is not None:
            assert known.setdefault(expected, found) == found, (signature, args, kwargs)
    assert len(set(known.values())) == len(known)


@pytest.mark.parametrize("seed", range(40))
def test_two_spellings_of_one_call_have_one_digest(seed: int) -> None:
    source = random.Random(seed)
    signature = random_signature(source, 6 if seed % 4 else 22)
    plan = plan_of(signature)
    for _ in range(50):
        positional, named = [], {}
        by_position, rest = True, {}
        for one in signature.parameters.values():
            value = random_value(source, 1)
            if one.kind in (0, 1):
                by_position = by_position and (one.kind == 0 or source.random() < 0.6)
                if by_position:
                    positional.append(value)
                else:
                    named[one.name] = value
            elif one.kind == 3:
                named[one.name] = value
            elif one.kind == 2 and by_position:
                positional += [random_value(source, 1) for _ in range(source.randrange(3))]
            elif one.kind == 4:
                rest = {f"extra{i}": random_value(source, 1) for i in range(source.randrange(4))}
        bound = signature.bind(*positional, **named, **rest)
        shuffled = list({**named, **rest}.items())
        source.shuffle(shuffled)
        expected = plan.digest(bound.args, bound.kwargs)
        assert expected is not None
        assert plan.digest(tuple(positional), dict(shuffled)) == expected


def test_a_plan_feeds_the_values_alone() -> None:
    plan = plan_of(lambda a, b: 0)
    assert plan.digest((1, 2), {}) == plan.digest((), {"b": 2, "a": 1})
    assert plan.digest((1,), {"b": 2}, b"prefix") != plan.digest((1, 2), {})
    assert plan.digest((1,), {"b": 2}, b"", b"secret") != plan.digest((1, 2), {})
    single = plan_of(lambda a: 0)
    assert single.digest(([1],), {}) == digest([1])


def test_what_starargs_hold_is_told_from_other_parameters() -> None:
    plan = plan_of(lambda *args, **kwargs: 0)
    calls: list[Any] = [
        ((), {}), ((1,), {}), ((1, 2), {}), (((1, 2),), {}), ((), {"a": 1}), (({"a": 1},), {}),
        ((1,), {"a": 1}), ((), {"args": 1}), ((), {"kwargs": 1}), ((), {"args": (1,)}),
    ]  # fmt: skip
    assert len({plan.digest(*call) for call in calls}) == len(calls)


def test_names_need_not_be_interned() -> None:
    plan = plan_of(lambda alpha, beta=1: 0)
    assert plan.digest((), {"".join(["al", "pha"]): 1}) == plan.digest((1,), {})

    class Name(str):
        def __eq__(self, other: object) -> bool:
            raise AssertionError

        __hash__ = str.__hash__

    assert plan.digest((), {Name("alpha"): 1}) == plan.digest((1,), {})
    with pytest.raises(TypeError, match="keywords must be strings"):
        plan.digest((), {1: 2})  # type: ignore[dict-item]


# ---- ignored arguments, key functions ----


def test_ignored_arguments_are_not_looked_at() -> None:
    lock = threading.Lock()
    plan = plan_of(lambda a, lock=None, *args, **kwargs: 0, ("lock", "args", "kwargs"))
    assert plan.digest((1, lock, lock), {"x": lock}) == plan.digest((1,), {})
    assert plan.digest((2, lock), {}) != plan.digest((1,), {})
    one, other = (plan_of(lambda a, b: 0, (name,)) for name in "ab")
    assert one.digest((1, 2), {}) != other.digest((2, 1), {})


def test_a_key_function_s_result_stands_for_the_argument() -> None:
    plan = plan_of(lambda a, *r, k=3, **w: 0, key={"a": len, "r": sum, "k": str, "w": sorted})
    assert plan.digest(("ab", 1, 2), {"x": 1}) == plan.digest(("cd", 3), {"k": 3, "x": 2})
    assert plan.digest(("ab",), {}) != plan.digest(("abc",), {})
    assert plan.digest(("ab",), {"k": "3"}) == plan.digest(("ab",), {"k": 3})
    assert plan.digest(("ab",), {"x": 1}) != plan.digest(("ab",), {"y": 1})
    with pytest.raises(TypeError, match="has no len"):
        plan.digest((1,), {})
    bad = plan_of(lambda a: 0, key={"a": lambda _: threading.Lock()})
    with pytest.raises(TypeError, match="argument 'a' of "):
        bad.digest((1,), {})


def test_functions_are_what_the_callback_says() -> None:
    plan = plan_of(lambda a: 0, functions=lambda function: function.__code__.co_code)
    assert plan.digest((lambda: 1,), {}) == plan.digest((lambda: 1,), {})
    assert plan.digest((lambda: 1,), {}) != plan.digest((lambda: [1],), {})


# ---- errors ----


def test_the_error_names_the_argument() -> None:
    words = (
        "argument 'lock' of module.load() can not be part of a key (cannot pickle "
        "'_thread.lock' object): leave it out with ignore=[\"lock\"], or say what it stands for "
        'with key={"lock": function}.'
    )
    lock = threading.Lock()
    simple, several = plan_of(lambda a, lock: 0), plan_of(lambda a, lock, *, b=1: 0)
    for plan, args, kwargs in (
        (simple, (1, lock), {}),
        (simple, (1, [{"a": lock}]), {}),
        (several, (1,), {"lock": lock}),
        (plan_of(lambda *lock: 0), (1, lock), {}),
        (plan_of(lambda **lock: 0), (), {"a": lock}),
        (plan_of(lambda a=1, lock=lock: 0), (), {}),
    ):
        with pytest.raises(TypeError) as caught:
            plan.digest(args, kwargs)
        assert str(caught.value) == words
        assert str(caught.value.__cause__) == "cannot pickle '_thread.lock' object"


def test_errors_that_say_nothing_of_the_argument_stay() -> None:
    class Raises:
        def __init__(self, error: type[BaseException]) -> None:
            self.error = error

        def __reduce_ex__(self, protocol: int) -> Any:
            raise self.error

    plan = plan_of(lambda a: 0)
    for error in (KeyboardInterrupt, MemoryError, RecursionError, SystemExit):
        with pytest.raises(error):
            plan.digest((Raises(error),), {})
    with pytest.raises(TypeError, match="'a' of module"):
        plan.digest((Raises(OSError),), {})
    released = memoryview(b"a")
    released.release()
    with pytest.raises(TypeError, match="'a' of module"):
        plan.digest((released,), {})


@pytest.mark.parametrize(
    "parameters",
    [
        (1,),
        ((),),
        (("a", 1, (), False),),
        (("a", 5, (), False, None),),
        (("a", -1, (), False, None),),
        (("a", 1, None, False, None),),
        (("a", 1, (1, 2), False, None),),
        ((b"a", 1, (), False, None),),
        (("a", 1, (), False, None), ("b", 0, (), False, None)),
        (("a", 2, (), False, None), ("b", 2, (), False, None)),
        (("a", 4, (), False, None), ("b", 4, (), False, None)),
        (("a", 3, (), False, None), ("b", 2, (), False, None)),
    ],
)
def test_what_is_no_parameter_is_refused(parameters: Any) -> None:
    with pytest.raises((TypeError, ValueError)):
        CallPlan("f", parameters)


# ---- lifetimes ----


class Held:
    def __call__(self, value: object) -> object:
        return value


def test_a_plan_in_a_cycle_is_collected() -> None:
    held = Held()
    plan = CallPlan("f", (("a", 1, (held,), False, held),), held)  # type: ignore[arg-type]
    held.plan = plan  # type: ignore[attr-defined]
    gone = weakref.ref(held)
    del held, plan
    gc.collect()
    assert gone() is None


def test_the_plan_may_go_while_it_is_used() -> None:
    plans: list[CallPlan] = []

    def drop(value: object) -> object:
        plans.clear()
        gc.collect()
        return value

    plans.append(plan_of(lambda a, b=[1], *, c=2: 0, key={"a": drop, "b": drop, "c": drop}))
    assert plans[0].digest((1,), {}) is not None
    assert plans == []


def test_arguments_may_change_meanwhile() -> None:
    kwargs: dict[str, Any] = {"b": 1, "c": [2]}

    def clear(value: object) -> object:
        kwargs.clear()
        gc.collect()
        return value

    plan = plan_of(lambda a, b, **rest: 0, key={"a": clear})
    assert plan.digest(([1],), kwargs) == plan.digest(([1],), {"b": 1, "c": [2]})


def test_each_allocation_may_fail() -> None:
    testing = pytest.importorskip("_testcapi")
    plan = plan_of(lambda a, *r, k=10**40, **w: 0, key={"k": str})
    names = [Parameter(f"p{i}", Parameter.POSITIONAL_OR_KEYWORD) for i in range(17)]
    many = plan_of(inspect.Signature(names))
    state = SimpleNamespace(a=[1, {2: {3, (4,)}}], b=bytearray(9), c=Fraction(1, 2), d=range(9))
    calls: list[tuple[CallPlan, Any, Any]] = [
        (plan, (state, "é", memoryview(b"abcd")[::2]), {"x": state, "y": len}),
        (plan, (UUID(int=9), Decimal("1.5")), {"k": 3}),
        (many, (state, *range(15)), {"p16": state}),
    ]
    for one, args, kwargs in calls:
        right, failed = one.digest(args, kwargs), 0
        for first in range(1000):
            testing.set_nomemory(first, first + 1)
            try:
                found = one.digest(args, kwargs)
            except MemoryError:
                failed += 1
                continue
            finally:
                testing.remove_mem_hooks()
            assert found == right
        assert failed > 5


def test_nothing_is_leaked() -> None:
    first: Any = (("a", 1, ([],), False, None),)

    def work() -> None:
        plan = plan_of(lambda a, /, b, *r, k=1, **w: 0, ("b",), {"k": functools.partial(pow, 2)})
        assert plan.digest((1, 2, 3), {"k": 4, "x": [5]}) is not None
        assert plan.digest((), {}) is None
        assert plan.digest((1, 2), {"b": 3, "x": [5]}) is None
        with pytest.raises(TypeError):
            plan.digest((1, 2, threading.Lock()), {"x": 1})
        with pytest.raises(TypeError):
            CallPlan("f", (*first, 5))  # type: ignore[arg-type]
        with pytest.raises(ValueError, match="wrong place"):
            CallPlan("f", (*first, ("b", 0, ([],), False, None)))

    assert least_growth(work, 50, 49) < 50
