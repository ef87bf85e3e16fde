# SPDX-License-Identifier: Apache-2.0
"""Random programs: the identity of a function changes if and only if one it reaches is edited."""

import random
import sys
import types
from collections.abc import Iterator

import pytest
from fettle.caching.code import Identity, identify

WAYS = 7


class Program:
    """Functions that call each other in several ways; what each adds to its callees is drawn."""

    def __init__(self, seed: int) -> None:
        draw = random.Random(seed)
        self.count = draw.randrange(2, 12)
        self.calls = [
            [
                (draw.randrange(WAYS), draw.randrange(self.count))
                for _ in range(draw.randrange(4) if draw.random() < 0.8 else 0)
            ]
            for _ in range(self.count)
        ]
        self.constants = [draw.choice([1, 1.0, "a", b"a", (1, 2), -0.0]) for _ in self.calls]
        self.places = [draw.randrange(3) for _ in self.calls]  # of the constant
        self.order = draw.sample(range(self.count), self.count)

    def reached(self, start: int) -> set[int]:
        found, pending = set(), [start]
        while pending:
            at = pending.pop()
            if at not in found:
                found.add(at)
                pending += [callee for _, callee in self.calls[at]]
        return found

    def function(self, at: int) -> Iterator[str]:
        constant, place = repr(self.constants[at]), self.places[at]
        yield f"DATA{at} = {constant}"
        yield f"def f{at}(x, y={constant if place == 1 else None}):"
        yield "    import %s as mine"
        for way, callee in self.calls[at]:
            yield [
                f"    x = f{callee}(x)",
                f"    x = here.f{callee}(x)",
                f"    x = [f{callee}(each) for each in x]",
                f"    x = lambda: f{callee}(x)",
                f"    x = mine.f{callee}(x)",
                f"    x = TABLE{callee}['f'](x)",
                f"    x = Class{callee}.method(x)",
            ][way]
        yield f"    return x, y, {constant if place == 0 else f'DATA{at}' if place == 2 else 0}"
        yield f"class Class{at}:"
        yield f"    method = f{at}"
        yield f"TABLE{at} = {{'f': f{at}}}"

    def load(self, name: str) -> types.ModuleType:
        module = types.ModuleType(name)
        module.__dict__["here"] = module
        sys.modules[name] = module
        source = "\n".join(line for at in self.order for line in self.function(at))
        exec(compile(source.replace("%s", name), f"{name}.py", "exec"), module.__dict__)
        return module

    def identities(self) -> list[Identity]:
        module = self.load("random_program")
        try:
            return [identify(getattr(module, f"f{at}")) for at in range(self.count)]
        finally:
            del sys.modules["random_program"]


@pytest.mark.parametrize("first", range(0, 400, 40))
def test_only_what_is_reached_counts(first: int) -> None:
    for seed in range(first, first + 40):
        program, draw = Program(seed), random.Random(seed)
        before = [each.digest for each in program.identities()]
        assert before == [each.digest for each in program.identities()]
        edited = draw.randrange(program.count)
        old = program.constants[edited]
        program.constants[edited] = draw.choice(
            [each for each in (2, 2.0, True, "b", b"b", 0.0, (1, 3), (1, 2.0)) if each is not old]
        )
        draw.shuffle(program.order)  # functions move about in the file, too
        after = [each.digest for each in program.identities()]
        changed = {at for at in range(program.count) if before[at] != after[at]}
        assert changed == {at for at in range(program.count) if edited in program.reached(at)}, seed


@pytest.mark.parametrize("seed", range(30))
def test_the_followed_functions_are_those_reached(seed: int) -> None:
    program = Program(seed)
    for at, identity in enumerate(program.identities()):
        names = {function.__name__ for function, _ in identity.codes}
        assert names == {f"f{each}" for each in program.reached(at)}


def test_a_rebound_callee_is_noticed() -> None:
    for seed in range(60):
        program, draw = Program(seed), random.Random(seed)
        module = program.load("random_program")
        try:
            at = draw.randrange(program.count)
            start = draw.randrange(program.count)
            identity = identify(getattr(module, f"f{start}"))
            called = {
                callee
                for each in program.reached(start)
                for way, callee in program.calls[each]
                if way < 5
            }
            assert identity.is_current()
            setattr(module, f"f{at}", lambda x: x)
            assert identity.is_current() == (at not in called), seed
            digest = identify(getattr(module, f"f{start}")).digest
            assert at not in called or at == start or digest != identity.digest
        finally:
            del sys.modules["random_program"]
