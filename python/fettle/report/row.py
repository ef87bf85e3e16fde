# SPDX-License-Identifier: Apache-2.0
"""What the reports need to know of a row: a function, a neighbour of one, or a line of the tree."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    class Named(Protocol):
        @property
        def file(self) -> str: ...
        @property
        def line(self) -> int: ...
        @property
        def name(self) -> str: ...

    class Timed(Named, Protocol):
        @property
        def calls(self) -> int: ...
        @property
        def own(self) -> float: ...
        @property
        def cumulative(self) -> float: ...
        @property
        def cumulative_waiting(self) -> float: ...
        @property
        def own_awaited(self) -> float: ...
        @property
        def cumulative_awaited(self) -> float: ...

    class Row(Timed, Protocol):
        @property
        def primitive(self) -> int: ...


def own(row: "Timed") -> float:
    """Seconds in the function itself, for a coroutine those in which it was suspended too."""
    return row.own + row.own_awaited


def cumulative(row: "Timed") -> float:
    """Seconds in it and all it called or awaited."""
    return row.cumulative + row.cumulative_awaited


def waited(row: "Timed") -> float:
    """The part of cumulative in which it waited."""
    return row.cumulative_waiting + row.cumulative_awaited
