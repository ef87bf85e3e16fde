# SPDX-License-Identifier: Apache-2.0
"""The cache policies again, in the plainest Python: what the C ones are compared with.

A cache that computes looks a key up, computes on a miss, and inserts afterwards; a recursive
function looks up and inserts others in between. So a model has the two apart: `look` says whether
the key is kept, and notes the hit; `insert` takes a key that is not kept, and drops one where the
cache is full.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable, Set


class Model:
    """Any of them; `size` is at least 1."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.clear()

    def get(self, key: Hashable) -> bool:
        """A call that calls nothing of this cache: is it a hit?"""
        hit = self.look(key)
        if not hit:
            self.insert(key)
        return hit

    def look(self, key: Hashable) -> bool:
        raise NotImplementedError

    def insert(self, key: Hashable) -> None:
        raise NotImplementedError

    def forget(self, key: Hashable) -> None:
        """Whether it is kept or not."""
        raise NotImplementedError

    def clear(self) -> None:
        raise NotImplementedError

    def kept(self) -> Set[Hashable]:
        raise NotImplementedError


class Lru(Model):
    """The one that was not looked up for the longest time goes."""

    def look(self, key: Hashable) -> bool:
        if key in self.order:
            self.order.move_to_end(key)
        return key in self.order

    def insert(self, key: Hashable) -> None:
        if len(self.order) == self.size:
            self.order.popitem(last=False)
        self.order[key] = None

    def forget(self, key: Hashable) -> None:
        self.order.pop(key, None)

    def clear(self) -> None:
        self.order: OrderedDict[Hashable, None] = OrderedDict()

    def kept(self) -> Set[Hashable]:
        return self.order.keys()


class Clock(Model):
    """A queue in which a hit leaves a mark: the first without one goes, the others lose theirs and
    queue again."""

    def look(self, key: Hashable) -> bool:
        if key in self.queue:
            self.queue[key] = True
        return key in self.queue

    def insert(self, key: Hashable) -> None:
        while len(self.queue) == self.size:
            head, marked = self.queue.popitem(last=False)
            if marked:
                self.queue[head] = False
        self.queue[key] = False

    def forget(self, key: Hashable) -> None:
        self.queue.pop(key, None)

    def clear(self) -> None:
        self.queue: OrderedDict[Hashable, bool] = OrderedDict()

    def kept(self) -> Set[Hashable]:
        return self.queue.keys()


class Car(Model):
    """CLOCK with adaptive replacement (Bansal and Modha, FAST 2004).

    Two clocks, `once` of keys that were seen once and `often` of those seen again (T1 and T2 of the
    paper), each with a list of the keys it evicted lately (B1 and B2), the latest last. `target`
    (p) is how long `once` should be; a key that comes again too late says which of the clocks
    should have been longer.

    `share` is the one thing that is not as published, where it is max(1, target): `once` has an
    eighth of the cache at least (docs/adr/0014-caches-policies.md says why).
    """

    target: int

    def look(self, key: Hashable) -> bool:
        for clock in (self.once, self.often):
            if key in clock:
                clock[key] = True
                return True
        return False

    def insert(self, key: Hashable) -> None:
        if len(self.once) + len(self.often) == self.size:
            self.evict()
        once, often = len(self.evicted_once), len(self.evicted_often)
        if key in self.evicted_once:
            self.target = min(self.target + max(1, often // once), self.size)
            del self.evicted_once[key]
            self.often[key] = False
        elif key in self.evicted_often:
            self.target = max(self.target - max(1, once // often), 0)
            del self.evicted_often[key]
            self.often[key] = False
        else:
            if once and len(self.once) + once == self.size:
                self.evicted_once.popitem(last=False)
            elif often and len(self.once) + len(self.often) + once + often == 2 * self.size:
                self.evicted_often.popitem(last=False)
            self.once[key] = False
        self.check()

    def evict(self) -> None:
        share = max(1, self.size // 8, self.target)
        while True:
            from_once = len(self.once) >= share
            clock = self.once if from_once else self.often
            key, marked = clock.popitem(last=False)
            if not marked:
                (self.evicted_once if from_once else self.evicted_often)[key] = None
                return
            self.often[key] = False

    def forget(self, key: Hashable) -> None:
        self.once.pop(key, None)
        self.often.pop(key, None)

    def clear(self) -> None:
        self.once: OrderedDict[Hashable, bool] = OrderedDict()
        self.often: OrderedDict[Hashable, bool] = OrderedDict()
        self.evicted_once: OrderedDict[Hashable, None] = OrderedDict()
        self.evicted_often: OrderedDict[Hashable, None] = OrderedDict()
        self.target = 0

    def kept(self) -> Set[Hashable]:
        return self.once.keys() | self.often.keys()

    def check(self) -> None:
        """The paper's invariants, of which the policy makes use."""
        first = len(self.once) + len(self.evicted_once)
        assert len(self.once) + len(self.often) <= self.size
        assert first <= self.size
        assert first + len(self.often) + len(self.evicted_often) <= 2 * self.size
        assert 0 <= self.target <= self.size


MODELS: dict[str, type[Model]] = {"lru": Lru, "clock": Clock, "car": Car}
