# SPDX-License-Identifier: Apache-2.0
"""What a kept function rests on is seen to change, however many names that are and whatever else
changes in their namespaces."""

import random
from pathlib import Path
from typing import Any

import fettle

NAMES = 60
SOURCE = "\n".join(
    [
        *(f"def helper_{i}(): return {i}" for i in range(NAMES)),
        "def total(key):",
        "    note(key)",
        f"    return key + {' + '.join(f'helper_{i}()' for i in range(NAMES))}",
    ]
)


def test_any_change_of_any_name_is_seen(tmp_path: Path) -> None:
    rng = random.Random(1)
    calls: list[int] = []
    space: dict[str, Any] = {"__name__": "watched", "note": calls.append}
    exec(SOURCE, space)
    memo = fettle.Memo(tmp_path)
    kept = memo(space["total"])
    values = list(range(NAMES))
    for step in range(200):
        assert kept(1) == 1 + sum(values)
        before = len(calls)
        space["unrelated"] = step  # the namespace changes, and nothing that counts
        assert kept(1) == 1 + sum(values)
        assert len(calls) == before
        at = rng.randrange(NAMES)
        values[at] = rng.randrange(3)
        replacement: dict[str, Any] = {}
        exec(f"def helper_{at}(): return {values[at]}", replacement)
        if step % 2:
            space[f"helper_{at}"].__code__ = replacement[f"helper_{at}"].__code__
        else:
            exec(f"def helper_{at}(): return {values[at]}", space)
    assert len(calls) > NAMES
    memo.close()


def test_a_name_that_comes_and_goes_is_seen(tmp_path: Path) -> None:
    space: dict[str, Any] = {"__name__": "watched"}
    exec("def ask(key):\n try:\n  return key + bonus\n except NameError:\n  return key", space)
    memo = fettle.Memo(tmp_path)
    kept = memo(space["ask"])
    for bonus in (None, 5, None, 7, 5):
        if bonus is None:
            space.pop("bonus", None)
        else:
            space["bonus"] = bonus
        assert kept(1) == 1 + (bonus or 0)
        assert kept(1) == 1 + (bonus or 0)
    vars_of = dict(space)
    space.clear()
    space.update(vars_of, bonus=9)
    assert kept(1) == 10
    memo.close()
