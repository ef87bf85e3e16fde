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

    def prune(self, most: int, own: "Sequence[int]", key: int) -> int:
        """Keeps the heaviest rows, by what is in them and below; all that is left out below one
        is one row below it, with this key. At most so many rows stay. Gives how many were left out.

        >>> both = Union([-1, 0, 1, 0, 3], [0, 1, 2, 3, 4], [-1], [0])
        >>> both.prune(4, [0, 5, 5, 1, 1], 9), list(both.parent), list(both.key)
        (2, [-1, 0, 1, 0], [0, 1, 2, 9])
        >>> list(both.of_new)
        [0, 1, 2, 3, 3]
        """
        count = len(self.parent)
        if count <= most:
            return 0
        order = _heaviest_first(self.parent, own)
        kept = int(most * 0.62)
        while True:
            stays = bytearray(count)
            for at in order[:kept]:
                stays[at] = 1
            rows = sum(stays) + len({self.parent[at] for at in order[kept:]} & {*order[:kept]})
            if rows <= most or kept <= most // 2:
                break
            kept = most // 2
        self._keep(stays, key)
        return count - kept

    def _keep(self, stays: bytearray, key: int) -> None:
        """Numbers the rows anew."""
        parent, keys, places = array("q"), array("q"), array("q")
        for at, stay in enumerate(stays):
            above = self.parent[at]
            places.append(len(parent) if stay else -1)
            if stay:
                parent.append(places[above] if above >= 0 else -1)
                keys.append(self.key[at])
        rest: dict[int, int] = {}  # by the row above
        last = len(parent)
        for at, stay in enumerate(stays):
            if stay:
                continue
            above = places[self.parent[at]]
            if above >= last:  # left out with the row above
                places[at] = above
                continue
            if above not in rest:
                rest[above] = len(parent)
                parent.append(above)
                keys.append(key)
            places[at] = rest[above]
        self.parent, self.key = parent, keys
        self.of_new = array("q", [places[at] for at in self.of_new])
        self.of_old = array("q", [places[at] for at in self.of_old])

    def summed(self, column: "Sequence[int]", places: "Sequence[int]") -> "array[int]":
        """A column of one tree, by the rows of both."""
        sums = array("q", bytes(8 * len(self.parent)))
        for at, number in zip(places, column, strict=True):
            sums[at] += number
        return sums


def _heaviest_first(parent: "Sequence[int]", own: "Sequence[int]") -> list[int]:
    """The rows by what is in them and below; one above another comes before it."""
    weight = [number + 1 for number in own]
    for at in range(len(parent) - 1, 0, -1):
        if parent[at] >= 0:
            weight[parent[at]] += weight[at]
    return sorted(range(len(parent)), key=weight.__getitem__, reverse=True)
