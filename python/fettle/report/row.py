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

    class Row(Timed, Protocol):
        @property
        def primitive(self) -> int: ...
