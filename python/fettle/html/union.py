# SPDX-License-Identifier: Apache-2.0
"""Two trees as one: rows are the same if the ways to them from the top are, key by key.

The core does it (engine/model/ways.h): a tree may have a million rows.
"""

from array import array

from fettle import _core

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

MOST = 2**63 - 1


class Union:
    """Each way once, those of the new tree first. Parents come before children.

    >>> both = Union([-1, 0, 0], [7, 8, 9], [-1, 0, 1], [7, 9, 8])
    >>> list(both.parent), list(both.key), list(both.of_old)
    ([-1, 0, 0, 2], [7, 8, 9, 8], [0, 2, 3])
    >>> list(both.summed([1, 2, 3], both.of_old))
    [1, 0, 2, 3]
    """

    def __init__(
        self,
        new_parent: "Iterable[int]",
        new_key: "Iterable[int]",
        old_parent: "Iterable[int]",
        old_key: "Iterable[int]",
    ) -> None:
        columns = map(_column, (new_parent, new_key, old_parent, old_key))
        found = map(_array, _core.unite_columns(*columns))
        self.parent, self.key, self.of_new, self.of_old = found

    def prune(self, most: int, own: "Iterable[int]", key: int) -> int:
        """Keeps the heaviest rows, by what is in them and below; all that is left out below one
        is one row below it, with this key. At most so many rows stay. Gives how many were left out.

        >>> both = Union([-1, 0, 1, 0, 3], [0, 1, 2, 3, 4], [-1], [0])
        >>> both.prune(4, [0, 5, 5, 1, 1], 9), list(both.parent), list(both.key)
        (3, [-1, 0, 1, 0], [0, 1, 9, 9])
        >>> list(both.of_new)
        [0, 1, 2, 3, 3]
        """
        *columns, left = _core.prune_columns(self.parent, self.key, _column(own), most, key)
        self.parent, self.key, moved = map(_array, columns)
        self.of_new = array("q", map(moved.__getitem__, self.of_new))
        self.of_old = array("q", map(moved.__getitem__, self.of_old))
        return left

    def summed(self, column: "Iterable[int]", places: "Iterable[int]") -> "array[int]":
        """A column of one tree, by the rows of both."""
        return _array(_core.sum_column(_column(column), _column(places), len(self.parent)))


def _column(numbers: "Iterable[int]") -> "array[int]":
    """What is beyond 63 bits, as only a strange file has it, stops there."""
    if isinstance(numbers, array):
        return numbers
    return array("q", [min(number, MOST) for number in numbers])


def _array(data: bytes) -> "array[int]":
    return array("q", data)
