# SPDX-License-Identifier: Apache-2.0
"""Which calls of a kept function are one computation: random signatures and calls beside a dict
whose keys are what inspect.signature().bind() says."""

import inspect
import random
from pathlib import Path
from typing import Any

import fettle
import pytest

from .memos import CALLS

Kind = inspect.Parameter
KINDS = [
    Kind.POSITIONAL_ONLY,
    Kind.POSITIONAL_OR_KEYWORD,
    Kind.VAR_POSITIONAL,
    Kind.KEYWORD_ONLY,
    Kind.VAR_KEYWORD,
]
VALUES: list[Any] = [
    0, 1, True, False, 1.0, -0.0, 0.0, "", "a", b"a", None, (), (1,), [1], [1.0], {"a": 1},
    {"a": True}, frozenset({1, 2}), {1, 2}, 2**70, 1j, ..., int, range(3), [[], ()],
]  # fmt: skip


def typed(value: Any) -> Any:
    """A value with the types of all that is in it."""
    if isinstance(value, list | tuple):
        return type(value), tuple(typed(each) for each in value)
    if isinstance(value, dict):
        return dict, frozenset((typed(key), typed(each)) for key, each in value.items())
    if isinstance(value, set | frozenset):
        return type(value), frozenset(typed(each) for each in value)
    return type(value), repr(value)


def signature(chosen: random.Random) -> inspect.Signature:
    """A signature of up to six parameters."""
    made: list[inspect.Parameter] = []
    has_default = False
    for kind in sorted(chosen.choices(KINDS, weights=[2, 4, 1, 2, 1], k=chosen.randint(0, 6))):
        several = kind in (Kind.VAR_POSITIONAL, Kind.VAR_KEYWORD)
        if several and any(each.kind == kind for each in made):
            continue
        if kind is Kind.KEYWORD_ONLY:
            has_default = False
        default: Any = Kind.empty
        if not several and (
            chosen.random() < 0.4 or (has_default and kind is not Kind.KEYWORD_ONLY)
        ):
            default, has_default = chosen.choice(VALUES), True
        made.append(inspect.Parameter(f"p{len(made)}", kind, default=default))
    return inspect.Signature(made)


def function_of(signature: inspect.Signature) -> Any:
    names = [f"d{i}" for i in range(len(signature.parameters))]
    parts = [
        each if each.default is each.empty else each.replace(default=Named(names[i]))
        for i, each in enumerate(signature.parameters.values())
    ]
    head = inspect.Signature(parts)
    space: dict[str, Any] = {"CALLS": CALLS, "__name__": __name__}
    space.update((names[i], each.default) for i, each in enumerate(signature.parameters.values()))
    text = f"def f{head}:\n    CALLS.append(1)\n    return locals()\n"
    exec(text, space)
    return space["f"]


class Named:
    """What stands in a signature as a name."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return self.name


def call(chosen: random.Random, signature: inspect.Signature) -> tuple[list[Any], dict[str, Any]]:
    """Arguments that often fit."""
    args: list[Any] = []
    keywords: dict[str, Any] = {}
    for each in signature.parameters.values():
        if each.kind is Kind.VAR_POSITIONAL:
            args += chosen.choices(VALUES, k=chosen.randint(0, 2)) if not keywords else []
        elif each.kind is Kind.VAR_KEYWORD:
            for name in chosen.sample(["a", "b", "p0", "c"], k=chosen.randint(0, 2)):
                keywords.setdefault(name, chosen.choice(VALUES))
        elif each.default is not each.empty and chosen.random() < 0.4:
            if each.kind is Kind.POSITIONAL_ONLY or keywords:
                continue
            keywords["skipped"] = 0  # what follows goes by name
        elif each.kind is Kind.POSITIONAL_ONLY:
            args.append(chosen.choice(VALUES))
        elif each.kind is Kind.KEYWORD_ONLY or keywords or chosen.random() < 0.3:
            keywords[each.name] = chosen.choice(VALUES)
        else:
            args.append(chosen.choice(VALUES))
    keywords.pop("skipped", None)
    if chosen.random() < 0.05:
        args.append(chosen.choice(VALUES))
    items = list(keywords.items())
    chosen.shuffle(items)
    return args, dict(items)


def positional_only(signature: inspect.Signature) -> list[str]:
    return [
        each.name for each in signature.parameters.values() if each.kind is Kind.POSITIONAL_ONLY
    ]


def bound_key(bound: inspect.BoundArguments) -> Any:
    bound.apply_defaults()
    return tuple(
        (name, typed(sorted(value.items())) if kind is Kind.VAR_KEYWORD else typed(value))
        for name, value in bound.arguments.items()
        for kind in [bound.signature.parameters[name].kind]
    )


@pytest.mark.parametrize("seed", range(8))
def test_random_signatures_and_calls(seed: int, memo: fettle.Memo) -> None:
    chosen = random.Random(seed)
    fitting = computed = 0
    for number in range(40):
        made = signature(chosen)
        function = function_of(made)
        kept = memo(version=number)(function)
        known: dict[Any, Any] = {}
        for _ in range(60):
            args, keywords = call(chosen, made)
            before = len(CALLS)
            try:
                key = bound_key(made.bind(*args, **keywords))
            except TypeError:
                if any(name in keywords for name in positional_only(made)):
                    continue  # **more may have such names, which bind() does not always know
                with pytest.raises(TypeError):
                    kept(*args, **keywords)
                assert len(CALLS) == before
                continue
            found = kept(*args, **keywords)
            fitting += 1
            computed += key not in known
            assert len(CALLS) == before + (key not in known), (made, args, keywords)
            assert typed(found) == typed(known.setdefault(key, found))
            assert typed(found) == typed(function(*args, **keywords))
            CALLS.clear()
    assert fitting > 1200 and computed > 500


def test_equal_things_that_are_one_key(memo: fettle.Memo) -> None:
    computed = []

    @memo
    def kept(x: Any) -> int:
        computed.append(x)
        return len(computed)

    nan = float("nan")
    for one, other in [
        ({1, 2, 3}, {3, 2, 1}),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}),
        (nan, float("nan")),
        ([nan, (nan,)], [float("nan"), (float("nan"),)]),
        (Path("a/b"), Path("a") / "b"),
        (frozenset("xyz"), frozenset("zyx")),
        ("ab", "".join(["a", "b"])),
    ]:
        assert kept(one) == kept(other), (one, other)
    assert len(computed) == 7


def test_things_that_are_several_keys(memo: fettle.Memo) -> None:
    @memo
    def kept(*things: Any) -> Any:
        return [typed(each) for each in things]

    one: list[Any] = [1]
    several: list[Any] = [
        0, 0.0, -0.0, False, "0", b"0", None, "", b"", (), [], {}, set(), frozenset(), 0j, (0,),
        [0], ((),), ([],), [()], {0: 0}, {0: False}, {False: 0}, bytearray(), range(0), "\0",
        "a\0", 2**64, -(2**64), 2.0**64, [one, one], [[1], [1]], ...,
    ]  # fmt: skip
    for _ in range(2):
        for each in several:
            assert kept(each) == [typed(each)]
            assert kept(each, each) == [typed(each)] * 2
    assert kept() == []
    # a list that is twice in another and two equal lists may be one key or two
    assert 2 * len(several) - 1 <= memo.stats().entries <= 2 * len(several) + 1


# ---- how calls end ----


class Own(BaseException):
    pass


@pytest.mark.parametrize("kind", [ValueError, Own, KeyboardInterrupt, SystemExit, StopIteration])
def test_exceptions_pass_and_are_not_kept(kind: type[BaseException], memo: fettle.Memo) -> None:
    raised = []

    @memo
    def kept(x: int) -> int:
        if len(raised) < 2:
            raised.append(kind(x))
            raise raised[-1]
        return x

    for _ in range(2):
        with pytest.raises(kind) as given:
            kept(1)
        assert given.value is raised[-1]
        assert not kept.cached(1)
    assert kept(1) == 1 and kept.cached(1) and len(raised) == 2


def test_arguments_are_as_they_were_before_the_call(memo: fettle.Memo) -> None:
    """What the function does to its arguments does not count."""
    computed = []

    @memo
    def kept(things: list[int]) -> int:
        computed.append(1)
        things.append(5)
        return len(things)

    mine = [1]
    assert kept(mine) == 2 and mine == [1, 5]
    assert kept([1]) == 2 and len(computed) == 1
    assert kept(mine) == 3 and len(computed) == 2
