# SPDX-License-Identifier: Apache-2.0
"""Data that a function changes itself: what of it is its state, and what counts all the same."""

from pathlib import Path

import pytest

from .projects import digests, write

CLASSES = """
from collections import Counter, OrderedDict, defaultdict, deque
import other
class Calc:
    def __init__(self, by): self.by = by
    def add(self, x): return x + self.by
class Table(dict):
    def __setitem__(self, key, value): dict.__setitem__(self, key, value * 10)
class Many(Counter):
    def __getitem__(self, key): return 7
class Outer:
    inner = Calc(1)
CALC, TABLE, MANY, OUTER = Calc(1), Table(), Many(), Outer()
"""
OTHER = "def pop(x): return 5\nLIMITS = [6]\n"
# (what f does, what is edited, into what)
FOLLOWED = [
    ("return CALC.add(x)", "x + self.by", "x - self.by"),
    ("return CALC.add(x)", "Calc(1), Table()", "Calc(2), Table()"),
    ("return OUTER.inner.add(x)", "x + self.by", "x - self.by"),
    ("TABLE['a'] = x; return x", "value * 10", "value * 11"),
    ("TABLE.update(a=x); return x", "value * 10", "value * 11"),
    ("MANY['a'] += x; return x", "return 7", "return 8"),
    ("return other.pop(x)", "return 5", "return 6"),
    ("other.LIMITS.append(x)", "[6]", "[7]"),
    ("CFG.setdefault('b', 0); return CFG['a']", "'a': 1", "'a': 2"),
    ("CFG['b'] = 0; return CFG['a']", "'a': 1", "'a': 2"),
    ("CFG['b'] += 0; return CFG['a']", "'a': 1", "'a': 2"),
    ("CFG.update(b=1); return len(CFG)", "'a': 1", "'a': 2"),
    ("CFG.update(b=1); return (lambda: CFG)()", "'a': 1", "'a': 2"),
    ("CFG.clear(); return CFG.get('a')", "'a': 1", "'a': 2"),
    ("return CFG.pop('a')", "'a': 1", "'a': 2"),
    ("ITEMS.sort(); return ITEMS[0]", "[3, 4]", "[2, 4]"),
    ("ITEMS.sort()", "[3, 4]", "[2, 4]"),
    ("return ITEMS[(y := 1)]", "[3, 4]", "[3, 5]"),
    ("return [0] < ITEMS < [9]", "[3, 4]", "[3, 5]"),
    ("d = {}; d[ITEMS.x] = 1", "[3, 4]", "[3, 5]"),
    ("GROUPS[x] += 1", "defaultdict(int)", "defaultdict(float)"),
    ("ITEMS.append(x)", "[3, 4]", "Calc(1)"),
]
STATE = [
    ("ITEMS.append(x); return x", "[3, 4]", "[3, 4, 5]"),
    ("ITEMS.append(x); ITEMS.append(x); ITEMS.extend(x)", "[3, 4]", "[3, 4, 5]"),
    ("return (lambda: ITEMS.append(x))()", "[3, 4]", "[3, 4, 5]"),
    ("CFG[x] = 1; CFG['b'] = x", "'a': 1", "'a': 2"),
    ("CFG['a'] += 1; CFG.update(b=3); return x", "'a': 1", "'a': 2"),
    ("CFG[x] += 1; del CFG[x]", "'a': 1", "'a': 2"),
    ("key = x; CFG[LIMIT] += 1; CFG[key] -= 1", "'a': 1", "'a': 2"),
    ("GROUPS[x] += 1", "GROUPS = ", "GROUPS = defaultdict(int, a=1) or "),
    ("SEEN.add(x); SEEN.discard(x)", "{8}", "{9}"),
    ("LAST.append(x)", "deque([1])", "deque([1, 2])"),
    ("WORDS.update(x)", "Counter('a')", "Counter('b')"),
    ("ORDERED[x] = 1", "OrderedDict()", "OrderedDict(a=1)"),
    ("global n; n += 1; return x", "n = 0", "n = 1"),
    ("global n; n += 1; return n", "n = 0", "n = 1"),
    ("global n\n    if n is None: n = 3\n    return n", "n = 0", "n = None"),
]
DATA = """
CFG = {'a': 1}
ITEMS = [3, 4]
GROUPS = defaultdict(int)
SEEN, LAST, WORDS, ORDERED = {8}, deque([1]), Counter('a'), OrderedDict()
LIMIT = 11
n = 0
"""


def pair(folder: Path, does: str, old: str, new: str) -> list[str]:
    """The digests of f before and after the edit."""
    files = {"main.py": f"{CLASSES}{DATA}\ndef f(x):\n    {does}\n", "other.py": OTHER}
    assert sum(text.count(old) for text in files.values()) >= 1
    after = {name: text.replace(old, new, 1) for name, text in files.items()}
    assert files != after
    return digests([write(folder / "old", files), write(folder / "new", after)])


@pytest.mark.parametrize(("does", "old", "new"), FOLLOWED)
def test_what_is_more_than_state_counts(tmp_path: Path, does: str, old: str, new: str) -> None:
    before, after = pair(tmp_path, does, old, new)
    assert before != after


@pytest.mark.parametrize(("does", "old", "new"), STATE)
def test_a_container_that_is_only_changed_does_not(
    tmp_path: Path, does: str, old: str, new: str
) -> None:
    before, after = pair(tmp_path, does, old, new)
    assert before == after
