# SPDX-License-Identifier: Apache-2.0
"""fettle.census against gc.get_objects, and against objects that the test made and counted."""

import collections
import gc
import subprocess
import sys
import threading
import weakref
from typing import Any

import fettle
import pytest
from fettle.objects.census import Census, Row

from tests.leaks import least_growth

from .measure import attributes, made, plain_class, slotted_class


def row_of(cls: type) -> Row:
    found = [row for row in fettle.census() if row.type is cls]
    assert len(found) == 1
    return found[0]


def count_of(cls: type) -> int:
    return sum(row.instances for row in fettle.census() if row.type is cls)


def test_what_the_collector_knows_is_counted() -> None:
    """Each type, apart from dicts, some of which are objects' attributes, and from what the
    collector leaves out where it holds no containers."""
    gc.unfreeze()
    gc.collect()
    seen = {row.type: row.instances for row in fettle.census()}
    known = collections.Counter(type(thing) for thing in gc.get_objects())
    gc.freeze()  # as before this test
    del known[dict], known[list], known[tuple]
    busy = {type(sys._getframe()), type(known), Census, type(row_of), type(n for n in ())}
    wrong = {
        cls: (seen.get(cls), count)
        for cls, count in known.items()
        if cls not in busy and seen.get(cls, 0) < count
    }
    assert wrong == {}


def test_instances_and_bytes_are_those_made() -> None:
    for kind in (plain_class, slotted_class):
        cls = kind(attributes(3))
        kept = [cls() for _ in range(5000)]
        kept[7].__dir__()
        row = row_of(cls)
        assert row.instances == 5000
        assert row.bytes == sum(fettle.sizeof(one) for one in kept)
        assert row.bytes_each == pytest.approx(row.bytes / 5000, abs=0.5)
    del kept
    assert count_of(cls) == 0


def test_dicts_of_attributes_count_with_their_objects() -> None:
    cls = plain_class(["a", "b"])
    kept = [cls() for _ in range(3000)]
    before, dicts = row_of(cls).bytes, count_of(dict)
    held = [one.__dict__ for one in kept]
    gc.collect()  # into one generation, where what was made first is met first
    row = row_of(cls)
    assert row.instances == 3000
    assert row.bytes - before >= 3000 * 48
    assert row.bytes == sum(fettle.sizeof(one) for one in kept)
    assert count_of(dict) - dicts < 100
    del kept
    gc.collect()
    assert count_of(dict) - dicts > 2900  # they are nobody's attributes any more
    del held


def test_what_the_collector_does_not_know_is_found() -> None:
    texts, ints, flats, tables = (count_of(cls) for cls in (str, int, tuple, dict))
    kept: list[Any] = [
        {f"text number {n}": (10**20 + n, float(n)) for n in range(1000)},
        [{n + 5000: f"value number {n}"} for n in range(1000)],
    ]
    gc.collect()  # until 3.13 it forgets tuples and dicts that hold no containers
    assert 1900 < count_of(str) - texts < 2100
    assert 1900 < count_of(int) - ints < 2100
    assert 900 < count_of(tuple) - flats < 1100
    assert 900 < count_of(dict) - tables < 1100
    del kept


def test_an_object_that_many_refer_to_counts_once() -> None:
    before = count_of(bytes)
    shared = b"one only, for sure"
    kept = [[shared], (shared,), {shared: shared}, {"a": shared}, {shared}]
    assert 1 <= count_of(bytes) - before < 10
    del kept


def test_frozen_objects_are_seen() -> None:
    program = """
import gc, fettle
class P: pass
kept = [P() for _ in range(1000)]
gc.freeze()
print(next(row.instances for row in fettle.census() if row.type is P))
"""
    assert subprocess.check_output([sys.executable, "-c", program]).split() == [b"1000"]


class Meta(type):
    """Raises at whatever is asked of it."""

    def __getattribute__(cls, name: str) -> Any:
        raise RuntimeError("never to be seen")

    def __instancecheck__(cls, other: object) -> bool:
        raise RuntimeError("never to be seen")

    def __subclasscheck__(cls, other: type) -> bool:
        raise RuntimeError("never to be seen")

    def __eq__(cls, other: object) -> bool:
        raise RuntimeError("never to be seen")

    def __hash__(cls) -> int:
        raise RuntimeError("never to be seen")


def test_memory_that_only_a_type_written_in_c_knows_of() -> None:
    class Queue(collections.deque):
        def __init__(self) -> None:
            super().__init__(range(1000))
            self.name = None

        def __sizeof__(self) -> int:
            raise RuntimeError("never to be seen")

    kept = [Queue() for _ in range(100)]
    row = row_of(Queue)
    assert row.bytes == sum(fettle.sizeof(one) for one in kept) > 100 * 8000
    assert 0 < row.saving < 100 * 500  # slots save nothing of what is in the queue


def test_no_code_of_the_program_runs() -> None:
    class Hostile(metaclass=Meta):
        def __getattribute__(self, name: str) -> Any:
            raise RuntimeError("never to be seen")

        def __eq__(self, other: object) -> bool:
            raise RuntimeError("never to be seen")

        def __hash__(self) -> int:
            raise RuntimeError("never to be seen")

        def __sizeof__(self) -> int:
            raise RuntimeError("never to be seen")

        @property
        def __class__(self) -> Any:
            raise RuntimeError("never to be seen")

    kept = [Hostile() for _ in range(10)]
    assert row_of(Hostile).instances == 10
    assert fettle.sizeof(kept, deep=True) > 0
    assert fettle.layout(Hostile).instances == 10
    assert "Hostile" in repr(Census([row_of(Hostile)]))


def test_no_object_comes_or_goes() -> None:
    cls = plain_class(["a"])
    kept = [cls() for _ in range(100)]
    kept[0].me = kept[0]
    counts = [sys.getrefcount(one) for one in kept]
    assert least_growth(fettle.census, 10, 9, lambda: len(gc.get_objects())) < 10
    assert [sys.getrefcount(one) for one in kept] == counts


def test_beside_threads_that_allocate() -> None:
    stop = threading.Event()

    def work() -> None:
        while not stop.is_set():
            _ = [{"a": [n, str(n)]} for n in range(100)]

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    cls = plain_class(["a"])
    kept = [cls() for _ in range(1000)]
    for _ in range(10):
        assert row_of(cls).instances == len(kept)
    stop.set()
    for thread in threads:
        thread.join()


def test_running_generators_and_frames() -> None:
    def count() -> Any:
        yield fettle.census()
        yield 2

    generator = count()
    assert sum(row.instances for row in next(generator)) > 1000
    assert row_of(type(generator)).instances >= 1


# ---- saving ----


def test_saving_is_what_a_slotted_twin_takes_less() -> None:
    names = attributes(4)
    plain, slotted = plain_class(names), slotted_class(names)
    kept = [plain() for _ in range(2000)]
    twins = [slotted() for _ in range(2000)]
    row = row_of(plain)
    theirs = sum(fettle.sizeof(one) for one in kept) - sum(fettle.sizeof(one) for one in twins)
    assert row.saving == theirs
    assert row.why is None
    assert row_of(slotted).saving == 0
    assert row_of(slotted).why == "it has __slots__ already"


def test_weak_references_cost_with_slots_too() -> None:
    plain = plain_class(["a"])
    weak = made("class Plain:\n    __slots__ = ('a', '__weakref__')\n")
    kept = [plain() for _ in range(500)]
    before = row_of(plain).saving
    referring = weakref.ref(kept[3])
    one = weak()
    expected = sum(fettle.sizeof(each) for each in kept) - 500 * fettle.sizeof(one)
    assert row_of(plain).saving == expected < before
    assert referring() is kept[3]


REASONS = {
    "a base class has no __slots__: give it some first": """
class Base: pass
class Plain(Base):
    def __init__(self): self.a = None
""",
    "a base class is written in C and has a __dict__ of its own": """
class Plain(Exception): pass
""",
    "__dict__ is among its __slots__": """
class Plain:
    __slots__ = ("a", "__dict__")
""",
    "its base class has a variable size, with which Python allows no slots": """
class Plain(tuple):
    def __init__(self): self.a = None
""",
    "its instances have attributes of any name": """
class Plain:
    made = 0
    def __init__(self):
        for n in range(300): setattr(self, f"name{n}", None)
""",
    "it has a cached_property, which needs a __dict__": """
import functools
class Plain:
    @functools.cached_property
    def a(self): return 1
""",
    "its methods use __dict__": """
class Plain:
    @property
    def all(self): return list(self.__dict__)
""",
    "its instances have attributes that it does not set itself": """
class Plain:
    made = 0
    def __init__(self):
        Plain.made += 1
        setattr(self, f"name{self.made % 3}", None)
""",
}


@pytest.mark.parametrize("why", REASONS)
def test_why_a_class_can_not_have_slots(why: str) -> None:
    cls = made(REASONS[why])
    kept = [cls() for _ in range(10)]
    row = row_of(cls)
    assert (row.why, row.saving, row.instances) == (why, 0, len(kept))


def test_what_is_written_in_c_needs_no_reason() -> None:
    kept = [[1], {2: 3}, {4}, weakref.ref(Census)]
    for thing in kept:
        assert (row_of(type(thing)).saving, row_of(type(thing)).why) == (0, None)


def test_the_order_of_the_rows() -> None:
    rows = fettle.census()
    assert [row.bytes for row in rows] == sorted((row.bytes for row in rows), reverse=True)
    by_saving = fettle.census(sort="saving")
    assert [row.saving for row in by_saving] == sorted(
        (row.saving for row in by_saving), reverse=True
    )
    names = [row.name for row in fettle.census("name")]
    assert names == sorted(names)
    with pytest.raises(ValueError, match="bytes, instances, saving, name, not by size"):
        fettle.census("size")


def test_the_table() -> None:
    rows = Census(
        [
            Row(list, 1000, 1234567, 1235, 0, None),
            Row(made("class Plain:\n    __module__ = 'build\\x1b'\n"), 50, 4000, 80, 2000, None),
        ]
    )
    assert repr(rows).splitlines() == [
        "        bytes  instances    each       saving  class",
        "    1 234 567      1 000   1 235               list",
        "        4 000         50      80        2 000  build\\x1b.Plain",
        "    1 238 567 in 1 050 objects",
    ]
    many = Census(Row(list, 1, 2, 2, 0, None) for _ in range(30))
    assert repr(many).splitlines()[-2:] == [
        "           10 in 5 more classes",
        "           60 in 30 objects",
    ]


def test_nothing_leaks() -> None:
    assert least_growth(fettle.census, 10, 9) < 10
