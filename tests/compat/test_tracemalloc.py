# SPDX-License-Identifier: Apache-2.0
"""fettle.compat.tracemalloc beside the interpreter's own: the same raw traces give the same
statistics, differences, filters, texts and orders. What tracing finds is in test_tracing.py."""

import copy
import inspect
import operator
import pickle
import random
import tracemalloc as theirs
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from fettle.compat import tracemalloc as ours

BOTH = [theirs, ours]
EITHER = pytest.mark.parametrize("module", BOTH, ids=["tracemalloc", "ours"])
SEEDS = range(60)
KEYS = [("traceback", False), ("lineno", False), ("filename", False)]
KEYS += [("lineno", True), ("filename", True)]
FILES = ["a.py", "/x/b.py", "b.pyc", "<unknown>", "größe.py", "A.PY", "a[1].py", "/x/y/c.py"]


def draw_frames(rng: random.Random) -> tuple[tuple[str, int], ...]:
    """Few places, so that they meet again; a stack may have one twice, as of recursion."""
    return tuple((rng.choice(FILES), rng.randrange(4)) for _ in range(rng.randrange(1, 5)))


def draw_traces(rng: random.Random, most: int = 80) -> list[Any]:
    stacks = [draw_frames(rng) for _ in range(rng.randrange(1, 9))]
    traces: list[Any] = []
    for _ in range(rng.randrange(most)):
        size = rng.choice([0, 1, 10, rng.getrandbits(12), rng.getrandbits(40)])
        total = rng.choice([None, 1, 30])
        raw = (rng.choice([0, 0, 0, 3, 389047]), size, rng.choice(stacks), total)
        traces += [raw] * rng.choice([1, 1, 2, 5])
    return traces


def snapshots(seed: int) -> tuple[Any, Any]:
    """The same traces, in each module's Snapshot."""
    traces = draw_traces(random.Random(seed))
    return theirs.Snapshot(traces, 4), ours.Snapshot(list(traces), 4)


def plain(value: Any) -> Any:
    """What an object of either module holds, and how it prints."""
    name = type(value).__name__
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    if name in ("Statistic", "StatisticDiff"):
        fields = [getattr(value, slot) for slot in sorted(type(value).__slots__)]
        return name, [plain(field) for field in fields], str(value), repr(value)
    if name == "Traceback":
        return name, list(map(plain, value)), value.total_nframe, str(value), repr(value)
    if name == "Trace":
        texts = str(value), repr(value)
        return name, value.domain, value.size, plain(value.traceback), texts
    if name == "Frame":
        return name, value.filename, value.lineno, str(value), repr(value)
    if name in ("Traces", "_Traces"):
        return list(map(plain, value))
    return value


def same(function: Callable[[Any, ModuleType], Any], seed: int) -> None:
    """Whether the function finds the same, or the same error, in both."""
    found = []
    for snapshot, module in zip(snapshots(seed), BOTH, strict=True):
        try:
            found.append(plain(function(snapshot, module)))
        except Exception as error:
            found.append((type(error), str(error)))
    assert found[0] == found[1]


# ---- the module ----


def public(module: ModuleType) -> dict[str, Any]:
    """What the module itself defines under a public name."""
    return {
        name: value
        for name, value in vars(module).items()
        if not name.startswith("_") and getattr(value, "__module__", "").endswith("tracemalloc")
    }


def test_every_public_name_is_there_and_has_the_same_parameters() -> None:
    mine = public(ours)
    assert set(public(theirs)) == set(mine) == set(ours.__all__)
    for name, value in public(theirs).items():
        assert type(value) is type(mine[name]) or inspect.isroutine(value)
        if inspect.isclass(value):
            members = {each for each in vars(value) if not each.startswith("_")}
            assert members <= set(vars(mine[name]))
        found, wanted = inspect.signature(mine[name]), inspect.signature(value)
        assert parameters(found) == parameters(wanted), name


def parameters(signature: inspect.Signature) -> list[tuple[str, Any, Any]]:
    return [(each.name, each.kind, each.default) for each in signature.parameters.values()]


def test_methods_have_the_same_parameters() -> None:
    for name in ("dump", "filter_traces", "statistics", "compare_to", "load"):
        found, wanted = getattr(ours.Snapshot, name), getattr(theirs.Snapshot, name)
        assert parameters(inspect.signature(found)) == parameters(inspect.signature(wanted)), name
    found, wanted = ours.Traceback.format, theirs.Traceback.format
    assert parameters(inspect.signature(found)) == parameters(inspect.signature(wanted))


# ---- statistics ----


@pytest.mark.parametrize("seed", SEEDS)
def test_statistics(seed: int) -> None:
    for key, cumulative in KEYS:
        same(lambda snapshot, _, k=key, c=cumulative: snapshot.statistics(k, c), seed)


@pytest.mark.parametrize("seed", SEEDS)
def test_differences(seed: int) -> None:
    def compare(snapshot: Any, module: ModuleType, key: str, cumulative: bool) -> Any:
        rng = random.Random(seed)
        changed = [each for each in draw_traces(rng) if rng.random() < 0.8]
        old = module.Snapshot(changed + draw_traces(rng, 10), 4)
        return [
            snapshot.compare_to(old, key, cumulative),
            old.compare_to(snapshot, key, cumulative),
        ]

    for key, cumulative in KEYS:
        same(lambda snapshot, module, k=key, c=cumulative: compare(snapshot, module, k, c), seed)


@pytest.mark.parametrize(
    ("key", "cumulative"), [("line", False), ("traceback", True), (None, True), ("", False)]
)
def test_keys_that_there_are_not(key: Any, cumulative: bool) -> None:
    same(lambda snapshot, _: snapshot.statistics(key, cumulative), 3)
    same(lambda snapshot, _: snapshot.compare_to(snapshot, key, cumulative), 3)


@EITHER
@pytest.mark.parametrize(
    "size",
    [
        0,
        1,
        99,
        100,
        10239,
        10240,
        102349,
        102400,
        10485759,
        10485760,
        2**20,
        2**33 + 1,
        2**52,
        2**70,
    ],
)
def test_sizes_are_written_alike(module: ModuleType, size: int) -> None:
    """Each module's texts, as the interpreter's own writes them."""
    for count in (0, 1, 3):
        for made in (size, -size):
            frames = (("a.py", 1),)
            for name, values in (
                ("Statistic", (made, count)),
                ("StatisticDiff", (size, made, count, -count)),
            ):
                texts = [
                    repr(getattr(each, name)(each.Traceback(frames), *values))
                    + str(getattr(each, name)(each.Traceback(frames), *values))
                    for each in (theirs, module)
                ]
                assert texts[0] == texts[1]


def test_statistics_are_values() -> None:
    for module in BOTH:
        one, same_one, other = (
            module.Statistic(module.Traceback((("a.py", line),)), 5, 1) for line in (1, 1, 2)
        )
        assert one == same_one and hash(one) == hash(same_one) and one != other
        assert one != 5 and module.StatisticDiff(one.traceback, 5, 5, 1, 1) != one
        one.size = 6
        assert one != same_one


# ---- traces ----


@pytest.mark.parametrize("seed", SEEDS)
def test_traces_are_a_sequence(seed: int) -> None:
    rng = random.Random(seed)

    def look(snapshot: Any, module: ModuleType) -> Any:
        traces = snapshot.traces
        rng.seed(seed)
        places = [rng.randrange(-len(traces) - 2, len(traces) + 2) for _ in range(20)]
        ends = [rng.choice([None, *places]) for _ in range(30)]
        cuts = [slice(*ends[at : at + 2], rng.choice([None, 1, 2, -1, -3])) for at in range(28)]
        other = module.Trace((9, 9, (("z", 1),), 1))
        return [
            len(traces),
            repr(traces),
            list(traces),
            list(reversed(traces)),
            [traces[at] if -len(traces) <= at < len(traces) else None for at in places],
            [traces[cut] for cut in cuts],
            [traces.index(each) for each in traces],
            [traces.count(each) for each in traces],
            [each in traces for each in (*traces[:3], other)],
            traces == module.Snapshot(list(traces._traces), 1).traces,
            traces == module.Snapshot(list(traces._traces)[1:], 1).traces,
            traces == 5,
            list(traces._traces),
        ]

    same(look, seed)


@EITHER
@pytest.mark.parametrize("at", [5, -6, "0", None, 1.0])
def test_places_that_there_are_not(module: ModuleType, at: Any) -> None:
    errors = []
    for each in (theirs, module):
        traces = each.Snapshot([(0, 1, (("a", 1),), 1)] * 5, 1).traces
        with pytest.raises((IndexError, TypeError)) as caught:
            traces[at]
        errors.append(caught.type)
    assert errors[0] is errors[1]


def test_equality_of_traces_is_that_of_what_they_hold() -> None:
    raw = [(0, size, ((name, 1),), None) for size, name in ((1, "a"), (1, "a"), (2, "a"), (1, "a"))]
    traces = ours.Snapshot(raw, 1).traces
    split = ours._Blocks([(raw[0], 1), (raw[1], 1), (raw[2], 1), (raw[3], 1)])
    assert len(traces._traces.groups) == 3 and len(split.groups) == 4
    assert traces == ours.Snapshot(split, 1).traces
    assert traces._traces == raw and traces._traces != raw[:3]
    assert traces != ours.Snapshot(raw[:2], 1).traces
    with pytest.raises(TypeError):
        hash(traces)


def test_a_snapshot_of_many_blocks_costs_what_its_groups_do() -> None:
    block = (0, 64, (("a.py", 1),), 1)
    snapshot = ours.Snapshot(ours._Blocks([(block, 10**9), ((0, 1, (("b.py", 2),), 1), 5)]), 1)
    assert len(snapshot.traces) == 10**9 + 5
    assert snapshot.traces[10**9 - 1].size == 64 and snapshot.traces[-5].size == 1
    assert [s.size for s in snapshot.statistics("lineno")] == [64 * 10**9, 5]
    assert len(snapshot.filter_traces([ours.Filter(False, "b.py")]).traces) == 10**9


# ---- frames and tracebacks ----


@pytest.mark.parametrize("seed", SEEDS)
def test_tracebacks_are_ordered_sequences(seed: int) -> None:
    def look(_: Any, module: ModuleType) -> Any:
        rng = random.Random(seed)
        made = [module.Traceback(draw_frames(rng), rng.choice([None, 7])) for _ in range(12)]
        relations = [operator.lt, operator.le, operator.gt, operator.ge, operator.eq, operator.ne]
        return [
            sorted(made),
            [[compare(one, other) for compare in relations] for one in made for other in made],
            [
                [compare(one[0], other[-1]) for compare in relations]
                for one in made
                for other in made
            ],
            [hash(one) == hash(other) for one in made for other in made],
            [one[0] in other for one in made for other in made],
            [one[1:] for one in made],
            [one[::-1] for one in made],
            [list(reversed(one)) for one in made],
            [len(one) for one in made],
        ]

    same(look, seed)


@pytest.mark.parametrize("limit", [None, 1, 2, 9, 0, -1, -2, -9])
@pytest.mark.parametrize("recent", [False, True])
def test_tracebacks_are_written_alike(limit: int | None, recent: bool) -> None:
    frames = ((__file__, 3), ("none.py", 1), (__file__, 1), (__file__, 10**6))
    lines = [module.Traceback(frames).format(limit, recent) for module in BOTH]
    assert lines[0] == lines[1]


@EITHER
def test_frames_and_tracebacks_of_others(module: ModuleType) -> None:
    frame, traceback = module.Frame(("a", 1)), module.Traceback((("a", 1),))
    assert frame != ("a", 1) and traceback != (("a", 1),) and frame != traceback
    for one, other in ((frame, ("b", 2)), (traceback, ()), (frame, traceback)):
        with pytest.raises(TypeError):
            _ = one < other
    with pytest.raises(AttributeError):
        frame.filename = "b"
    with pytest.raises(AttributeError):
        traceback.total_nframe = 1


# ---- filters ----


def draw_filter(rng: random.Random, module: ModuleType) -> Any:
    inclusive = rng.random() < 0.5
    if rng.random() < 0.2:
        return module.DomainFilter(inclusive, rng.choice([0, 3, 7]))
    pattern = rng.choice([*FILES, "*", "*.py", "/x/*", "?.py", "[ab].py", "none", "b.py*", ""])
    return module.Filter(
        inclusive,
        pattern,
        rng.choice([None, None, 0, 1, 2]),
        rng.random() < 0.5,
        rng.choice([None, None, 0, 3]),
    )


@pytest.mark.parametrize("seed", SEEDS)
def test_filters(seed: int) -> None:
    def look(snapshot: Any, module: ModuleType) -> Any:
        rng = random.Random(seed)
        found = []
        for _ in range(20):
            filters = [draw_filter(rng, module) for _ in range(rng.randrange(4))]
            kept = snapshot.filter_traces(filters)
            assert kept is not snapshot and kept.traceback_limit == snapshot.traceback_limit
            found.append([list(kept.traces), [vars(each) for each in filters]])
        return found

    def vars(each: Any) -> Any:
        names = ("inclusive", "filename_pattern", "lineno", "all_frames", "domain")
        return [getattr(each, name, None) for name in names]

    same(look, seed)


def test_what_is_no_list_of_filters() -> None:
    same(lambda snapshot, module: snapshot.filter_traces(module.Filter(True, "*")), 1)
    same(lambda snapshot, _: snapshot.filter_traces(5), 1)
    same(lambda snapshot, _: snapshot.filter_traces([5]), 1)
    same(lambda snapshot, module: snapshot.filter_traces([module.BaseFilter(True)]), 1)
    same(lambda snapshot, _: snapshot.filter_traces("").traces, 1)


@EITHER
def test_a_filter_of_the_programs_own(module: ModuleType) -> None:
    class Large(module.BaseFilter):
        def _match(self, trace: Any) -> bool:
            return (trace[1] >= 10) == self.inclusive

    raw = [(0, size, (("a.py", 1),), 1) for size in (5, 10, 20, 10)]
    snapshot = module.Snapshot(raw, 1)
    assert [trace.size for trace in snapshot.filter_traces([Large(True)]).traces] == [10, 20, 10]
    assert [trace.size for trace in snapshot.filter_traces([Large(False)]).traces] == [5]


# ---- copies and files ----


@pytest.mark.parametrize("seed", SEEDS)
def test_snapshots_are_copied_pickled_and_dumped(seed: int, tmp_path: Path) -> None:
    snapshot = snapshots(seed)[1]
    snapshot.label, snapshot.time, snapshot.none = "größe\udcff", 1.5, None
    snapshot.dump(tmp_path / "snapshot")
    copies = [pickle.loads(pickle.dumps(snapshot, p)) for p in range(pickle.HIGHEST_PROTOCOL + 1)]
    copies += [copy.copy(snapshot), copy.deepcopy(snapshot)]
    copies.append(ours.Snapshot.load(str(tmp_path / "snapshot")))
    for protocol in (0, 2, 5):
        (tmp_path / "pickle").write_bytes(pickle.dumps(snapshot, protocol))
        copies.append(ours.Snapshot.load(tmp_path / "pickle"))
    for made in copies:
        assert type(made) is ours.Snapshot and made.traces == snapshot.traces
        assert list(made.traces) == list(snapshot.traces)
        assert (made.traceback_limit, made.label, made.time, made.none) == (
            4,
            "größe\udcff",
            1.5,
            None,
        )


@pytest.mark.parametrize("seed", SEEDS)
def test_what_theirs_dumps_ours_loads(seed: int, tmp_path: Path) -> None:
    snapshot = snapshots(seed)[0]
    snapshot.dump(tmp_path / "theirs")
    loaded = ours.Snapshot.load(tmp_path / "theirs")
    assert plain(loaded.traces) == plain(snapshot.traces)
    assert loaded.traceback_limit == 4
    for key, cumulative in KEYS:
        assert plain(loaded.statistics(key, cumulative)) == plain(
            snapshot.statistics(key, cumulative)
        )


class Calls:
    """What pickle would call."""

    def __reduce__(self) -> tuple[Any, Any]:
        return exec, ("open('called', 'w')",)


def test_a_file_that_is_no_snapshot_is_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    good = Path("good")
    ours.Snapshot([(0, 1, (("a", 1),), 1)], 1).dump(good)
    for name, data, says in (
        ("empty", b"", "is empty"),
        ("text", b"hello", "is neither a snapshot of fettle's nor one of tracemalloc's"),
        ("torn", good.read_bytes()[:-1], "is damaged"),
        ("calls", pickle.dumps(Calls()), "it has the name builtins.exec at byte"),
        ("newer", good.read_bytes()[:8] + b"\2\0\0\0", "is damaged"),
    ):
        Path(name).write_bytes(data)
        with pytest.raises(ValueError, match=r"^'[a-z]+' .*\.$") as caught:
            ours.Snapshot.load(name)
        assert says in str(caught.value)
    assert not Path("called").exists()
    with pytest.raises(FileNotFoundError):
        ours.Snapshot.load("none")
    with pytest.raises(ValueError, match=r"^'\\x1b\[31m' is empty\.$"):
        Path("\x1b[31m").touch()
        ours.Snapshot.load("\x1b[31m")


def test_what_can_not_be_dumped_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "snapshot"
    snapshot = ours.Snapshot([(0, 1, (("a", 1),), 1)], 1)
    snapshot.dump(path)
    before = path.read_bytes()
    snapshot.tags = ["x"]
    with pytest.raises(TypeError, match="'tags'"):
        snapshot.dump(path)
    with pytest.raises(ValueError, match="too large"):
        ours.Snapshot([(0, 1, (("a" * 2**21, 1),), 1)], 1).dump(path)
    with pytest.raises(FileNotFoundError):
        ours.Snapshot([], 1).dump(tmp_path / "none" / "snapshot")
    assert path.read_bytes() == before


def test_a_snapshot_of_the_other_module_is_refused() -> None:
    mine, other = ours.Snapshot([], 1), theirs.Snapshot([], 1)
    with pytest.raises(TypeError, match=r"^compare_to\(\) takes a fettle"):
        mine.compare_to(other, "lineno")
