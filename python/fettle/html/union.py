# SPDX-License-Identifier: Apache-2.0
"""Two trees as one: rows are the same if the ways to them from the top are, key by key."""

from array import array

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence


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
        new_parent: "Sequence[int]",
        new_key: "Sequence[int]",
        old_parent: "Sequence[int]",
        old_key: "Sequence[int]",
    ) -> None:
        self.parent = array("q")
        self.key = array("q")
        self._found: dict[tuple[int, int], int] = {}
        self.of_new = self._add(new_parent, new_key)
        self.of_old = self._add(old_parent, old_key)

    def _add(self, parents: "Sequence[int]", keys: "Sequence[int]") -> "array[int]":
        """Where each row of a tree is; siblings with the same key are one."""
        places = array("q")
        found, count = self._found, len(self.parent)
        for parent, key in zip(parents, keys, strict=True):
            above = places[parent] if parent >= 0 else -1
            at = found.setdefault((above, key), count)
            if at == count:
                count += 1
                self.parent.append(above)
                self.key.append(key)
            places.append(at)
        return places

    def summed(self, column: "Sequence[int]", places: "Sequence[int]") -> "array[int]":
        """A column of one tree, by the rows of both."""
        sums = array("q", bytes(8 * len(self.parent)))
        for at, number in zip(places, column, strict=True):
            sums[at] += number
        return sums
