# SPDX-License-Identifier: Apache-2.0
"""The tree of memory: each number is its own, those one step below, and what was folded."""

import io
import random

import pytest
from fettle.problem import Problem
from fettle.report import memory, names, sitetree

from .memories import Memory, Site, heap


def grown(rng: random.Random, count: int) -> list[Site]:
    return [
        Site(
            rng.randrange(1, 9),
            rng.choice("fgh"),
            rng.choice(["/a.py", "/b.py"]),
            parent=rng.randrange(-1, at),
            alive=(rng.randrange(4), rng.randrange(10_000)),
        )
        for at in range(count)
    ]


def test_every_row_is_the_sum_of_what_stands_below_it() -> None:
    """Of any choice: bytes of a row are exact, beside a plain walk down from it."""
    rng = random.Random(9)
    for _ in range(60):
        sites = grown(rng, rng.randrange(1, 80))
        tree = sitetree.Tree(Memory(sites).sites(), "alive", names.Files(["/a.py", "/b.py"]))
        tree.choose(rng.choice([0, 0.01, 0.2]), rng.choice([0, 1, 5, 20]), "")
        below: dict[int, list[int]] = {at: [] for at in range(-1, len(sites))}
        for at, site in enumerate(sites):
            below[site.parent].append(at)

        def whole(at: int, below: dict[int, list[int]] = below, sites: list[Site] = sites) -> int:
            return sites[at].alive[1] + sum(map(whole, below[at]))

        rows = [list(row) for row in tree.rows()]
        shown = {row[0] for row in rows if row[0] >= 0}
        for at in shown:
            assert sites[at].parent == -1 or sites[at].parent in shown
        seen = [row for row in rows if row[0] >= 0]
        assert [row[2] for row in seen] == [whole(row[0]) for row in seen]
        for at in {-1} | shown:
            folded = [row[2] for row in rows if row[0] == -1 and row[3] == at]
            parts = [row[2] for row in rows if row[0] >= 0 and sites[row[0]].parent == at]
            own = sites[at].alive[1] if at >= 0 else 0
            everything = whole(at) if at >= 0 else sum(site.alive[1] for site in sites)
            assert own + sum(parts) + sum(folded) == everything


def shown(made: Memory, fold: float = 0.01, **choice: object) -> list[str]:
    out = io.StringIO()
    sitetree.show(made.profile(), fold, memory.Choice(**choice), out, [])  # type: ignore[arg-type]
    return out.getvalue().splitlines()


def paths() -> Memory:
    sites = [
        Site(31, "<module>"),
        Site(20, "main", parent=0),
        Site(6, peak=(9, 9000), parent=1),
        Site(7, peak=(1, 30), parent=1),
        Site(6, "save", "/app/store.py", peak=(1, 970), parent=0),
    ]
    return Memory(sites, [heap(frames=8, peak_bytes=10_000, peak_time=0.25)])


def test_the_tree() -> None:
    assert shown(paths())[1:] == [
        "     peak      %  blocks     own  allocated at",
        "  10.0 kB  100.0      11          build.py:31  <module>",
        "   9.0 kB   90.3      10            build.py:20  main",
        "   9.0 kB   90.0       9  9.0 kB      build.py:6  load",
        "     30 B    0.3       1              (1 line)",
        "    970 B    9.7       1   970 B    store.py:6  save",
        " (folded: 30 B; --fold 0 -n 0 shows all)",
    ]
    assert len(shown(paths(), fold=0)) == 7
    assert [line.split("  ")[-1].strip() for line in shown(paths(), rows=2)[2:-1]] == [
        "<module>",
        "main",
        "(2 lines)",
        "(1 line)",
    ]


def test_what_leads_to_a_file() -> None:
    lines = shown(paths(), within="store")
    assert [line.split("  ")[-1].strip() for line in lines[2:-1]] == [
        "<module>",
        "save",
        "(1 line)",
    ]
    with pytest.raises(Problem):
        shown(paths(), within="nothing")


def test_without_paths_a_sentence_says_so() -> None:
    made = paths()
    made.heap_list = [heap(frames=1)]
    with pytest.raises(Problem, match="--frames 32") as refused:
        shown(made)
    assert refused.value.code == 1


def test_a_tree_may_be_deep() -> None:
    sites = [Site(1, parent=at - 1, peak=(1, 1)) for at in range(5000)]
    lines = shown(Memory(sites, [heap(frames=128)]), fold=0.0, rows=0)
    assert len(lines) == 5002
    assert "[4999] build.py:1" in lines[-1]
