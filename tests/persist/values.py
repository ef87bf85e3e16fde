# SPDX-License-Identifier: Apache-2.0
"""Random values of built-in types, from so few that equal ones are met often."""

import random
from typing import Any

ATOMS: list[Any] = [
    *(None, True, False, ..., NotImplemented, 0, 1, -1, 2, 255, 1 << 31, 1 << 63, -(1 << 63)),
    *(-(1 << 63) - 1, (1 << 63) - 1, 1 << 64, -(1 << 64), 10**300, -(10**300)),
    *(0.0, -0.0, 1.0, 0.1, float("inf"), float("nan"), -float("nan"), 0j, complex(1, -0.0)),
    *("", "0", "1", "a", "é", "ÿ", "Ā", "𐀀", "\ud800", "\udfff\ud800", "a\0", "x" * 300),
    *(b"", b"0", b"1", b"a", b"a\0", b"y" * 254, b"y" * 255, b"y" * 700, int, str, type),
    *(range(0), range(3), range(0, 3, 2), range(1 << 70), slice(None), slice(1, "a", 2.0)),
]


def random_hashable(source: random.Random, depth: int) -> Any:
    if depth == 0 or source.random() < 0.6:
        while isinstance(atom := source.choice(ATOMS), slice):
            pass
        return atom
    items = [random_hashable(source, depth - 1) for _ in range(source.randrange(4))]
    return tuple(items) if source.random() < 0.6 else frozenset(items)


def random_value(source: random.Random, depth: int = 3) -> Any:
    kind = source.randrange(8)
    size = source.randrange(4)
    if depth == 0 or kind < 2:
        return source.choice(ATOMS)
    if kind == 2:
        return random_hashable(source, depth)
    if kind == 3:
        return {random_hashable(source, depth - 1) for _ in range(size)}
    if kind == 4:
        return bytearray(source.choice([b"", b"a", b"1"]))
    items = [random_value(source, depth - 1) for _ in range(size)]
    if kind == 5:
        return items
    if kind == 6:
        return tuple(items)
    return {random_hashable(source, depth - 1): item for item in items}


def rebuilt(source: random.Random, value: Any) -> Any:
    """An equal value: other objects, dicts and sets filled in another order."""
    if type(value) is list or type(value) is tuple:
        return type(value)(rebuilt(source, item) for item in value)
    if type(value) is dict:
        pairs = [(rebuilt(source, key), rebuilt(source, one)) for key, one in value.items()]
        source.shuffle(pairs)
        return dict(pairs)
    if type(value) is set or type(value) is frozenset:
        items = [rebuilt(source, item) for item in value]
        source.shuffle(items)
        return type(value)(items)
    if type(value) is str:
        return "".join(list(value))
    if type(value) is float:
        return float(repr(value))
    if type(value) is int:
        return int(hex(value), 16)
    return value
