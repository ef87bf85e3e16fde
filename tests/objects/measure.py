# SPDX-License-Identifier: Apache-2.0
"""What objects take, by tracemalloc: an allocator's view, which knows nothing of how they are laid
out."""

import gc
import tracemalloc
from collections.abc import Callable

MANY = 10_000


def traced_bytes(make: Callable[[], object], count: int = MANY, warm: int = 200) -> float:
    """Bytes that each of count objects takes, once some were made and are alive."""
    kept: list[object] = [make() for _ in range(warm)]
    room: list[object] = [None] * count
    gc.collect()
    gc.disable()
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        for i in range(count):
            room[i] = make()
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
        gc.enable()
    del kept
    return (after - before) / count


def attributes(count: int) -> list[str]:
    return [f"a{i}" for i in range(count)]


def plain_class(names: list[str]) -> type:
    """class Plain: def __init__(self): self.a0 = None ..."""
    body = "".join(f"        self.{name} = None\n" for name in names) or "        pass\n"
    return made(f"class Plain:\n    def __init__(self):\n{body}")


def slotted_class(names: list[str]) -> type:
    body = "".join(f"        self.{name} = None\n" for name in names) or "        pass\n"
    return made(f"class Plain:\n    __slots__ = {names!r}\n    def __init__(self):\n{body}")


def made(source: str) -> type:
    space: dict[str, type] = {"__name__": __name__}
    exec(source, space)
    return space["Plain"]
