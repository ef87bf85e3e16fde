# SPDX-License-Identifier: Apache-2.0
"""A construct of the price list: what it is called, and what is run to measure it."""

from dataclasses import dataclass

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True, slots=True)
class Construct:
    """What the setup names are local variables of the statement, except those in `free` (they stay
    in the enclosing function) and those that it declares global. `before` stands ahead of the loop,
    off the clock, and runs for each sample: for what a statement makes grow."""

    group: str
    name: str
    statement: str
    setup: str = ""
    before: str = ""
    free: tuple[str, ...] = ()
    is_async: bool = False  # the statement stands in a coroutine function
    is_base: bool = False
    repeated: int = 1  # how often the statement stands in its loop


def group_of(
    group: str,
    setup: str,
    *rows: tuple[str, str] | tuple[str, str, str],
    before: str = "",
    free: tuple[str, ...] = (),
    is_async: bool = False,
    has_base: bool = True,
) -> "Iterator[Construct]":
    """Rows are (name, statement) or (name, statement, more of the setup)."""
    for at, (name, statement, *more) in enumerate(rows):
        whole = "\n".join(filter(None, (setup, *more)))
        base = has_base and at == 0
        yield Construct(group, name, statement, whole, before, free, is_async, base)
