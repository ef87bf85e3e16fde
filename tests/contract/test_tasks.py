# SPDX-License-Identifier: Apache-2.0
"""Tasks of event loops: tables and call tree by their definitions; to other tools, calls only."""

import json
import random
from collections import Counter, defaultdict
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from fettle import _core
from fettle._core import Profile

from . import oracle
from .synthetic import AWAITED, TASK, C, Recording, Thread

SEEDS = range(12)


def arbitrary(seed: int) -> Recording:
    """Random trees with tasks, suspensions and creators, recursion among them."""
    dice = random.Random(seed)
    r = Recording()
    r.process()
    functions = [r.code(b"f.py", i, b"f%d" % i, b"", C if i % 4 == 3 else 1) for i in range(6)]
    task, awaited = r.code(b"", 0, b"<task>", b"", TASK), r.code(b"", 0, b"<w>", b"", AWAITED)
    for i in range(2):
        thread = r.thread(0, b"thread %d" % i)
        while len(thread.nodes) < 120:
            parent = max(0, len(thread.nodes) - 1 - int(dice.expovariate(0.2)))
            code = thread.nodes[parent].code
            if code == awaited:
                continue
            if code not in (0, task) and dice.random() < 0.2:
                waited = dice.randrange(1, 10**9)
                thread.add(parent, awaited, dice.randrange(1, 9), waited, waited)
            elif code != task and dice.random() < 0.3:
                marker = thread.add(parent, task, 0)
                if marker > 1 and dice.random() < 0.8:
                    creators = [at for at in range(1, marker) if is_call(r, thread, at)]
                    thread.links |= {marker: dice.choice(creators)} if creators else {}
            else:
                own = dice.randrange(10**9)
                thread.add(parent, dice.choice(functions), dice.randrange(9), own, own // 2)
    return r


def is_call(r: Recording, thread: Thread, at: int) -> bool:
    return at > 0 and r.codes[thread.nodes[at].code].kind not in (TASK, AWAITED)


def without_tasks(r: Recording) -> Recording:
    """Only calls, one node for each path of them."""
    left = replace(r, threads=[])
    for thread in r.threads:
        copy = left.thread(thread.process, thread.name, thread.uses)
        places: dict[tuple[int, ...], int] = {(): 0}
        for at, node in enumerate(thread.nodes):
            if not is_call(r, thread, at):
                continue
            calls = [one for one in oracle.path_to(thread, at) if is_call(r, thread, one)]
            path = tuple(thread.nodes[one].code for one in calls)
            if path not in places:
                places[path] = copy.add(places[path[:-1]], node.code, 0)
            oracle.add_numbers(copy.nodes[places[path]], node)
    return left


def within_task(r: Recording, thread: Thread, at: int) -> list[int]:
    """The calls from the task's outermost coroutine down to the node."""
    path = oracle.path_to(thread, at)
    tasks = [i for i, one in enumerate(path) if r.codes[thread.nodes[one].code].kind == TASK]
    inner = path[tasks[-1] + 1 :] if tasks else path
    return [one for one in inner if is_call(r, thread, one)]


def tables(r: Recording) -> tuple[dict[int, oracle.Sums], dict[oracle.Edge, oracle.Sums]]:
    of_calls = oracle.tables(without_tasks(r))
    functions = defaultdict(oracle.Sums, of_calls[0])
    edges = defaultdict(oracle.Sums, of_calls[1])
    for thread in r.threads:
        for at, node in enumerate(thread.nodes):
            if r.codes[node.code].kind != AWAITED:
                continue
            path = within_task(r, thread, at)
            whole = [one for one in oracle.path_to(thread, at) if is_call(r, thread, one)]
            codes = [0, *(thread.nodes[one].code for one in whole)]
            pairs = list(pairwise(codes))[-len(path) :]
            functions[pairs[-1][1]].own_awaited += node.own
            edges[pairs[-1]].own_awaited += node.own
            for code in {pair[1] for pair in pairs}:
                functions[code].cumulative_awaited += node.own
            for pair in set(pairs):
                edges[pair].cumulative_awaited += node.own
    return functions, edges


def seconds(sums: oracle.Sums) -> tuple[float, ...]:
    return (sums.calls, sums.primitive, *(ns / 1e9 for ns in list(vars(sums).values())[2:]))


@pytest.mark.parametrize("seed", SEEDS)
def test_the_tables(seed: int, tmp_path: Path) -> None:
    r = arbitrary(seed)
    profile = Profile.read(str(r.write(tmp_path)))
    functions, edges = tables(r)
    places = sorted(code for code, sums in functions.items() if sums)
    assert [row[4:] for row in profile.functions()] == [seconds(functions[at]) for at in places]
    assert {(row.caller, row.callee): row[2:] for row in profile.edges()} == {
        (places.index(caller) if caller else -1, places.index(callee)): seconds(sums)
        for (caller, callee), sums in edges.items()
        if sums
    }
    recorded = without_tasks(r)
    assert profile.totals()[:4] == Profile.read(str(recorded.write(tmp_path))).totals()[:4]
    for row, thread in zip(profile.threads(), recorded.threads, strict=True):
        assert row.own == pytest.approx(sum(node.own for node in thread.nodes) / 1e9)
        assert row.calls == sum(node.calls for node in thread.nodes)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_call_tree_shows_a_task_below_its_creator(seed: int, tmp_path: Path) -> None:
    r = arbitrary(seed)
    expected: Counter[tuple[object, ...]] = Counter()
    for number, thread in enumerate(r.threads):
        shown: dict[int, list[int]] = {}  # the calls that stand over each, itself included
        for at in range(1, len(thread.nodes)):
            parent = thread.links.get(at, thread.nodes[at].parent)
            shown[at] = [*shown.get(parent, []), *([at] if is_call(r, thread, at) else [])]
        for at, node in enumerate(thread.nodes):
            if not is_call(r, thread, at):
                continue
            below = [
                thread.nodes[one] for one in shown if at in shown[one] and is_call(r, thread, one)
            ]
            waits = {
                one: thread.nodes[one].own
                for one in range(1, len(thread.nodes))
                if r.codes[thread.nodes[one].code].kind == AWAITED
            }
            own_awaited = sum(ns for one, ns in waits.items() if thread.nodes[one].parent == at)
            awaited = sum(ns for one, ns in waits.items() if at in within_task(r, thread, one))
            names = tuple(r.codes[thread.nodes[one].code].name.decode() for one in shown[at])
            times = node.own, sum(one.own for one in below), own_awaited, awaited
            if node.calls or any(times):
                expected[number, names, node.calls, *(ns / 1e9 for ns in times)] += 1
    rows = Profile.read(str(r.write(tmp_path))).tree()
    paths: list[tuple[int, tuple[str, ...]]] = []
    got: Counter[tuple[object, ...]] = Counter()
    for row in rows:
        number, names = paths[row.parent] if row.parent >= 0 else (-1, ())
        if row.kind in {"call", "task"}:
            times = row.own, row.cumulative, row.own_awaited, row.cumulative_awaited
            got[number, (*names, row.name), row.calls, *times] += 1
        paths.append(
            (
                row.place if row.kind == "thread" else number,
                (*names, *[row.name] * (row.kind in {"call", "task"})),
            )
        )
    assert got == expected


@pytest.mark.parametrize("seed", SEEDS)
def test_other_tools_are_given_calls_only(seed: int, tmp_path: Path) -> None:
    r = arbitrary(seed)
    profile = Profile.read(str(r.write(tmp_path)))
    plain = Profile.read(str(without_tasks(r).write(tmp_path)))
    formats = [name for name, *_ in _core.exporters() if name != "json"]
    assert len(formats) > 3
    for name in formats:
        assert profile.export(name) == plain.export(name), name
    few, many = profile.prune(30), plain.prune(30)
    assert few[1:] == many[1:]
    assert few[0].export("json") == many[0].export("json")


def test_json_has_the_tasks(tmp_path: Path) -> None:
    r = arbitrary(3)
    data = json.loads(Profile.read(str(r.write(tmp_path))).export("json"))
    for thread, made in zip(r.threads, data["threads"], strict=True):
        nodes = made["nodes"]
        assert dict(zip(nodes["task"], nodes["creator"], strict=True)) == thread.links
        kinds = [data["codes"][code]["kind"] for code in nodes["code"]]
        assert kinds.count("task") == sum(r.codes[n.code].kind == TASK for n in thread.nodes)
        assert kinds.count("awaited") == sum(r.codes[n.code].kind == AWAITED for n in thread.nodes)


def test_files_are_merged_with_their_tasks(tmp_path: Path) -> None:
    first, second = arbitrary(1), arbitrary(2)
    profile = Profile.read(str(first.write(tmp_path)))
    profile.merge(Profile.read(str(second.write(tmp_path))))
    data = json.loads(profile.export("json"))
    links = [
        dict(zip(t["nodes"]["task"], t["nodes"]["creator"], strict=True)) for t in data["threads"]
    ]
    assert links == [thread.links for thread in [*first.threads, *second.threads]]
