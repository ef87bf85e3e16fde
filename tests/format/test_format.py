# SPDX-License-Identifier: Apache-2.0
"""The .fettle format: the engine against a second reader and a second writer, both written from
docs/format.md alone."""

import math
import os
import pathlib
import random
import struct
from array import array
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

try:
    from . import fettle_reader, fettle_writer
except ImportError:
    pytest.skip("needs zstandard, or Python 3.14", allow_module_level=True)
from .fettle_reader import (
    PYTHON,
    TASK,
    Blocks,
    Class,
    Code,
    Collection,
    CollectionSum,
    FettleError,
    Frame,
    Heap,
    Line,
    Moment,
    Node,
    Note,
    Objects,
    Path,
    Point,
    Process,
    Recording,
    Series,
    Span,
    Thread,
)

pytestmark = pytest.mark.once  # files of the engine's

CORPUS = pathlib.Path(__file__).parents[2] / "fuzz" / "corpus" / "reader"
NOTE_KINDS = [
    "folded",
    "disk full",
    "no tool id",
    "hook taken",
    "still running",
    "torn",
    "deep stack",
    "out of memory",
    "children lost",
    "never started",
    "too many lines",
    "tracer taken",
    "allocator taken",
    "no shadow",
    "interpreters",
    "collections",
]


SPANS = ("collections", "collection_sums", "spans")
MEMORY = ("sites", "heaps", "moments", "points", "objects", "classes")


@pytest.fixture
def core():
    return pytest.importorskip("fettle._core")


def add_node(thread: Thread, rng: random.Random, node: Node) -> None:
    """A task has no numbers, and mostly a creator."""
    at = len(thread.nodes)
    task = node.code is not None and node.code.kind == TASK
    thread.nodes.append(Node(node.parent, node.code) if task else node)
    if task and at > 1 and rng.random() < 0.7:
        thread.links[at] = rng.randrange(1, at)


def add_nodes(
    thread: Thread, codes: list[Code], rng: random.Random, number: Callable[[], int]
) -> None:
    for at in range(1, rng.randint(1, 60)):
        own = number()
        parent = max(0, at - 1 - int(rng.expovariate(0.3)))
        add_node(thread, rng, Node(parent, rng.choice(codes), number(), own, own // 3))


def random_lines(
    codes: list[Code], rng: random.Random, number: Callable[[], int]
) -> dict[tuple[Code, int], Line]:
    lines = {}
    for code in codes:
        if code.kind != PYTHON or rng.random() < 0.3:
            continue
        lines[code, 0] = Line(number())
        for at in range(rng.randint(0, 20)):
            time = number()
            parts = rng.randint(0, time), rng.randint(0, time)
            lines[code, code.line + at + 1] = Line(number(), time, *parts)
    return lines


def random_sites(
    codes: list[Code], rng: random.Random, number: Callable[[], int]
) -> dict[Path, Blocks]:
    """In an order in which callers come first."""
    functions = [code for code in codes if code.kind == PYTHON]
    sites: dict[Path, Blocks] = {}
    for _ in range(rng.randint(0, 20)):
        code = rng.choice([None, *functions])
        line = 0 if code is None else rng.randint(0, 3)
        parent = rng.choice([(), *sites])
        path = (*parent, Frame(code, line, rng.choice([0, 0, 389047])))
        sites.setdefault(path, Blocks(*(number() for _ in range(8))))
    return sites


def add_memory(
    recording: Recording, texts: list[bytes], rng: random.Random, number: Callable[[], int]
) -> None:
    def numbers(count: int) -> list[int]:
        return [number() for _ in range(count)]

    sites = list(recording.sites)
    for process in range(len(recording.processes)):
        if rng.random() < 0.7:
            recording.heaps.append(Heap(process, number() % 2**32, *numbers(7)))
        times = sorted(numbers(rng.randint(0, 5)))
        recording.moments += [Moment(process, time, *numbers(2)) for time in times]
        for _ in range(rng.randint(0, 2)):
            point = Point(process, rng.choice(texts), *numbers(4))
            if sites:
                for _ in range(rng.randint(0, 6)):
                    point.rows.append((rng.choice(sites), number(), number()))
            recording.points.append(point)
    for _ in range(rng.randint(0, 4)):
        process = rng.randrange(len(recording.processes))
        site = rng.choice([(), *sites])
        recording.objects.append(Objects(process, rng.choice(texts), site, *numbers(2)))
        why = rng.choice([b"", *texts])
        recording.classes.append(Class(process, rng.choice(texts), why, *numbers(4)))


def random_double(rng: random.Random) -> float:
    """A finite one of any size."""
    while not math.isfinite(drawn := struct.unpack("<d", rng.randbytes(8))[0]):
        pass
    return drawn


def random_series(
    texts: list[bytes], rng: random.Random, number: Callable[[], int]
) -> Iterator[Series]:
    for at in range(rng.randint(0, 3)):
        series = Series(rng.choice(texts), rng.randint(1, 2), number() + 1, rng.random() * 1e-8)
        if rng.random() < 0.5:
            series.memory = number(), number()
        if rng.random() < 0.5:
            series.peak = number()
        names = rng.sample(texts, rng.randint(0, min(3, len(texts))))
        series.counters = {name: random_double(rng) for name in names}
        series.groups = [
            [random_double(rng) for _ in range(rng.randint(0, 9))] for _ in range(rng.randint(0, 4))
        ]
        series.together = at > 0 and rng.random() < 0.5
        yield series


def add_spans(recording: Recording, rng: random.Random, number: Callable[[], int]) -> None:
    for process in range(len(recording.processes)):
        for start in sorted(number() for _ in range(rng.randint(0, 5))):
            row = Collection(process, rng.randint(0, 3), start, number(), number(), number())
            recording.collections.append(row)
        for generation in sorted(rng.sample(range(4), rng.randint(0, 4))):
            numbers = number() + 1, 2 * (time := number()) // 2, time // rng.randint(1, 3)
            row = CollectionSum(process, generation, *numbers, number(), number())
            recording.collection_sums.append(row)
    for thread in range(len(recording.threads)):
        for start in sorted(number() // 2 for _ in range(rng.randint(0, 4))):
            end = None if rng.random() < 0.3 else start + number() // 2
            recording.spans.append(Span(thread, number() + 1, start, end))


def random_recording(seed: int, bits: int = 40) -> Recording:
    rng = random.Random(seed)

    def number() -> int:
        return rng.getrandbits(rng.randint(1, bits))

    def text() -> bytes:
        letters = "abcdefghij \N{GREEK SMALL LETTER PI}\N{SNOWMAN}"
        return "".join(rng.choices(letters, k=rng.randint(1, 12))).encode()

    texts = [text() for _ in range(rng.randint(1, 20))]
    codes = [
        Code(rng.choice([1, 1, 2, 2, TASK]), *rng.choices(texts, k=3), rng.randint(0, 5000))
        for _ in range(rng.randint(1, 12))
    ]
    command = b"\0".join(texts[:3])
    recording = Recording(ended=True)
    recording.meta = {text(): text() for _ in range(rng.randint(0, 4))}
    recording.processes = [
        Process(rng.getrandbits(22), number() % 2**32, command, b"3.14.2", number(), number())
        for _ in range(rng.randint(1, 3))
    ]
    recording.threads = [
        Thread(rng.randrange(len(recording.processes)), rng.choice(texts), number())
        for _ in range(rng.randint(0, 4))
    ]
    for thread in recording.threads:
        add_nodes(thread, codes, rng, number)
    recording.notes = [
        Note(rng.randint(1, 18), rng.randrange(len(recording.processes)), number())
        for _ in range(rng.randint(0, 3))
    ]
    recording.lines = random_lines(codes, rng, number)
    recording.sources = {text(): text() for _ in range(rng.randint(0, 3))}
    recording.sites = random_sites(codes, rng, number)
    add_memory(recording, texts, rng, number)
    recording.series = list(random_series(texts, rng, lambda: rng.getrandbits(min(bits, 63))))
    add_spans(recording, rng, lambda: rng.getrandbits(min(bits, 63)))
    return recording


def same_content(left: Recording, right: Recording) -> bool:
    names = ("meta", "processes", "threads", "notes", "lines", "sources", "series", *MEMORY, *SPANS)
    return all(getattr(left, name) == getattr(right, name) for name in names)


def merged(left: Recording, right: Recording) -> Recording:
    shift = len(left.processes)
    return Recording(
        meta=right.meta | left.meta,
        processes=left.processes + right.processes,
        threads=left.threads
        + [replace(thread, process=thread.process + shift) for thread in right.threads],
        notes=left.notes + [replace(note, process=note.process + shift) for note in right.notes],
        lines=summed(left.lines, right.lines, Line),
        sources=right.sources | left.sources,
        sites=summed(left.sites, right.sites, Blocks),
        heaps=left.heaps + shifted(right.heaps, shift),
        moments=left.moments + shifted(right.moments, shift),
        points=left.points + shifted(right.points, shift),
        objects=left.objects + shifted(right.objects, shift),
        classes=left.classes + shifted(right.classes, shift),
        series=left.series + right.series,
        collections=left.collections + shifted(right.collections, shift),
        collection_sums=left.collection_sums + shifted(right.collection_sums, shift),
        spans=left.spans
        + [replace(span, thread=span.thread + len(left.threads)) for span in right.spans],
        ended=right.ended,
    )


def shifted(rows: list, shift: int) -> list:
    return [replace(row, process=row.process + shift) for row in rows]


def summed(left: dict, right: dict, zero: Callable) -> dict:
    """What both have, at the same keys added."""
    sums = {place: replace(part) for place, part in left.items()}
    for place, part in right.items():
        sums.setdefault(place, zero()).add(part)
    return sums


def lineage(thread: Thread, at: int) -> list[int]:
    """The node and its ancestors, the root and the marks of tasks left out."""
    path = []
    while at != 0:
        if thread.nodes[at].code.kind != TASK:
            path.append(at)
        at = thread.nodes[at].parent
    return path


def function_rows(recording: Recording) -> Counter[tuple]:
    """The rows of Profile.functions() by definition: every node against each of its ancestors."""
    sums: defaultdict[Code, list[int]] = defaultdict(lambda: [0] * 8)
    for thread in recording.threads:
        for at, node in enumerate(thread.nodes[1:], 1):
            if node.code.kind == TASK:
                continue
            path = lineage(thread, at)
            above = {thread.nodes[other].code for other in path[1:]}
            row = sums[node.code]
            row[0] += node.calls
            row[1] += 0 if node.code in above else node.calls
            row[2] += node.own
            row[4] += node.waiting
            for code in {thread.nodes[other].code for other in path}:
                sums[code][3] += node.own
                sums[code][5] += node.waiting
    return Counter(
        (
            code.file.decode(),
            code.line,
            code.name.decode(),
            code.qualname.decode(),
            *row[:2],
            *(f"{value / 1e9:.9g}" for value in row[2:]),
        )
        for code, row in sums.items()
        if any(row)
    )


def line_tables(recording: Recording) -> list[tuple]:
    """What Profile.lines() gives."""
    tables: defaultdict[Code, dict[int, Line]] = defaultdict(dict)
    for (code, number), line in recording.lines.items():
        tables[code][number] = line
    return sorted(
        (
            code.file.decode(),
            code.line,
            code.name.decode(),
            code.qualname.decode(),
            lines.get(0, Line()).hits,
            [(number, *vars(line).values()) for number, line in sorted(lines.items()) if number],
        )
        for code, lines in tables.items()
    )


def site_rows(recording: Recording) -> list[tuple]:
    """What Profile.sites() gives."""
    places = {path: at for at, path in enumerate(recording.sites)}
    unknown = "<unknown>"
    rows = []
    for path, blocks in recording.sites.items():
        code, line, domain = vars(path[-1]).values()
        function = (unknown, line, 0, unknown, unknown)
        if code is not None:
            names = code.name.decode(), code.qualname.decode()
            function = (code.file.decode(), line, code.line, *names)
        rows.append((*function, places.get(path[:-1], -1), domain, *vars(blocks).values()))
    return rows


def plain_seconds(*rows: tuple) -> list[tuple]:
    """Times as the rows give them: floats have fewer digits than ns."""
    return [
        tuple(f"{value:.12g}" if isinstance(value, float) else value for value in row)
        for row in rows
    ]


def assert_spans_agree(profile, recording: Recording) -> None:
    collections, spans = profile.spans()
    assert plain_seconds(*collections) == plain_seconds(
        *[
            (row.process, row.start / 1e9, row.duration / 1e9, row.generation, row.collected)
            for row in recording.collections
        ]
    )
    threads = [(recording.threads[row.thread], row) for row in recording.spans]
    assert plain_seconds(*spans) == plain_seconds(
        *[
            (
                thread.process,
                thread.name.decode(),
                row.start / 1e9,
                None if row.end is None else row.end / 1e9,
            )
            for thread, row in threads
        ]
    )
    assert plain_seconds(*profile.collection_sums()) == plain_seconds(
        *[
            (
                *list(vars(row).values())[:3],
                row.time / 1e9,
                row.longest / 1e9,
                row.collected,
                row.uncollectable,
            )
            for row in recording.collection_sums
        ]
    )


def assert_memory_agrees(profile, recording: Recording) -> None:
    places = {(): -1} | {path: at for at, path in enumerate(recording.sites)}
    assert [tuple(row) for row in profile.sites()] == site_rows(recording)
    heaps = [
        (*list(vars(heap).values())[:6], heap.peak_time / 1e9, heap.alive_count, heap.alive_bytes)
        for heap in recording.heaps
    ]
    assert plain_seconds(*profile.heaps()) == plain_seconds(*heaps)
    moments = [(row.process, row.time / 1e9, row.live, row.rss) for row in recording.moments]
    assert plain_seconds(*profile.moments()) == plain_seconds(*moments)
    points = [
        (row.process, row.name.decode(), row.time / 1e9, row.live_count, row.live_bytes, row.rss)
        for row in recording.points
    ]
    assert plain_seconds(*(row[:6] for row in profile.points())) == plain_seconds(*points)
    assert [row.rows for row in profile.points()] == [
        [(places[site], count, size) for site, count, size in point.rows]
        for point in recording.points
    ]
    assert [tuple(row) for row in profile.objects()] == [
        (row.process, row.type.decode(), places[row.site], row.count, row.bytes)
        for row in recording.objects
    ]
    assert [tuple(row) for row in profile.classes()] == [
        (row.process, row.type.decode(), *list(vars(row).values())[3:], row.why.decode())
        for row in recording.classes
    ]


def assert_timings_agree(profile, recording: Recording) -> None:
    clocks = {1: "cpu", 2: "wall"}
    assert [tuple(row) for row in profile.timings()] == [
        (
            series.label.decode(),
            clocks[series.clock],
            series.loops,
            series.empty,
            tuple(array("d", group) for group in series.groups),
            series.memory,
            series.peak,
            {name.decode(): value for name, value in series.counters.items()},
            series.together,
        )
        for series in recording.series
    ]


def assert_core_agrees(profile, recording: Recording) -> None:
    """The tables of the engine's profile are those of the recording."""
    assert profile.meta() == {key.decode(): value.decode() for key, value in recording.meta.items()}
    for row, process in zip(profile.processes(), recording.processes, strict=True):
        assert (row.pid, row.parent_pid) == (process.pid, process.parent_pid)
        assert row.command == tuple(process.command.decode().split("\0"))
        assert row.python == process.python.decode()
        assert row.started == pytest.approx(process.started / 1e9, rel=1e-12)
        assert row.elapsed == pytest.approx(process.elapsed / 1e9, rel=1e-12)
    for row, thread in zip(profile.threads(), recording.threads, strict=True):
        assert (row.process, row.name) == (thread.process, thread.name.decode())
        assert (row.uses, row.nodes) == (thread.uses, len(thread.nodes))
        assert row.calls == sum(node.calls for node in thread.nodes)
        assert row.own == pytest.approx(sum(node.own for node in thread.nodes) / 1e9, rel=1e-12)
    kinds = dict(enumerate(NOTE_KINDS, 1))
    assert [tuple(row) for row in profile.notes()] == [
        (kinds.get(note.kind, f"note {note.kind}"), note.process, note.count)
        for note in recording.notes
    ]
    rows = Counter(
        (*row[:6], *(f"{value:.9g}" for value in row[6:])) for row in profile.functions()
    )
    assert rows == function_rows(recording)
    assert profile.lines() == line_tables(recording)
    for name, source in recording.sources.items():
        assert profile.source(name.decode()) == source.decode()
    assert_memory_agrees(profile, recording)
    assert_spans_agree(profile, recording)
    assert_timings_agree(profile, recording)


def core_read(core, tmp_path: Path, data: bytes):
    """The engine's profile of these bytes, or the kind of the error."""
    path = tmp_path / "input.fettle"
    path.write_bytes(data)
    try:
        return core.Profile.read(str(path))
    except core.FileError as error:
        return error.args[0]


def plain_read(data: bytes) -> Recording | str:
    try:
        return fettle_reader.read(data)
    except FettleError as error:
        return str(error.args[0])


def assert_readers_agree(core, tmp_path: Path, data: bytes) -> None:
    """Both accept or both refuse, for the same reason, and see as much before the same cut."""
    ours, plain = core_read(core, tmp_path, data), plain_read(data)
    if isinstance(plain, str) or isinstance(ours, str):
        assert ours == plain
        return
    assert (ours.ended, ours.torn) == (plain.ended, plain.torn)
    assert ours.newer_chunks == plain.newer_chunks
    assert len(ours.meta()) == len(plain.meta)
    assert len(ours.processes()) == len(plain.processes)
    assert len(ours.notes()) == len(plain.notes)
    assert [(row.uses, row.nodes) for row in ours.threads()] == [
        (thread.uses, len(thread.nodes)) for thread in plain.threads
    ]
    assert sorted((row[1], *numbers) for row in ours.lines() for numbers in row[5]) == sorted(
        (code.line, number, *vars(line).values())
        for (code, number), line in plain.lines.items()
        if number
    )
    assert sorted(row[1:2] + row[6:] for row in ours.sites()) == sorted(
        (path[-1].line, path[-1].domain, *vars(blocks).values())
        for path, blocks in plain.sites.items()
    )
    for name in MEMORY[1:]:
        assert len(getattr(ours, name)()) == len(getattr(plain, name))
    assert [len(row.rows) for row in ours.points()] == [len(row.rows) for row in plain.points]
    for row, series in zip(ours.timings(), plain.series, strict=True):
        assert (row.loops, row.empty, row.memory) == (series.loops, series.empty, series.memory)
        assert (row.peak, [*row.counters.values()]) == (series.peak, [*series.counters.values()])
        assert [group.tolist() for group in row.groups] == series.groups
        assert row.together == series.together


@pytest.mark.parametrize("seed", range(30))
def test_the_plain_reader_reads_what_the_plain_writer_wrote(seed):
    recording = random_recording(seed, bits=64)
    data = fettle_writer.write(recording, seed)
    back = fettle_reader.read(data)
    assert same_content(recording, back)
    assert back.ended and not back.torn and back.good_bytes == len(data)


@pytest.mark.parametrize("name", sorted(path.name for path in CORPUS.glob("*.fettle")))
def test_the_corpus_is_what_its_names_say(name):
    recording = plain_read((CORPUS / name).read_bytes())
    if name.startswith("newer"):
        assert recording == "newer"
    elif name == "damaged-8.fettle":  # in the header
        assert recording == "corrupt"
    else:
        assert isinstance(recording, Recording)
        broken = name.startswith(("cut", "damaged"))
        assert (recording.torn, recording.ended) == (broken, not broken)


@pytest.mark.parametrize("name", sorted(path.name for path in CORPUS.glob("*.fettle")))
def test_the_readers_agree_on_the_corpus(core, tmp_path, name):
    """Its files are of all versions: their headers say so."""
    assert_readers_agree(core, tmp_path, (CORPUS / name).read_bytes())


def test_the_corpus_has_files_of_all_minor_versions():
    minors = {path.read_bytes()[10] for path in CORPUS.glob("[lmrst]*.fettle")}
    assert minors == {0, 1, 2, 3, 4}


# What a reader of a version does not know, but one of the next.
NEWER = {
    3: {b"COLL", b"CSUM", b"SPAN"},
    2: {b"TIME", b"CNTR", b"SMPL"},
    1: {b"SITE", b"HEAP", b"MOMT", b"PONT", b"PROW", b"OBJS", b"CLAS"},
    0: {b"LINE", b"SRCE"},
}


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("minor", NEWER)
def test_an_older_reader_sees_all_but_what_it_does_not_know(
    core, tmp_path, monkeypatch, seed, minor
):
    recording = random_recording(seed)
    code = Code(PYTHON, b"f", b"n", b"q", 1)
    path = (Frame(code, 2, 0),)
    recording.sites[path] = Blocks(1, 1)
    last = len(recording.processes) - 1
    recording.moments.append(Moment(last, 2**50, 1, 1))
    recording.points.append(Point(last, b"p", 1, 1, 1, 1, [(path, 1, 1)]))
    recording.objects.append(Objects(last, b"t", path, 1, 1))
    recording.classes.append(Class(last, b"t", b"", 1, 1, 1, 1))
    recording.heaps[:] = [Heap(last, *range(8))]
    recording.lines[code, 2] = Line(1, 1)
    recording.series.append(Series(b"s", 1, 1, 0.0, None, None, {b"c": 1.0}, [[1.0]]))
    recording.sources[b"f"] = b"text"
    recording.threads.append(Thread(last, b"late", 1))
    recording.collections.append(Collection(last, 0, 2**62, 1, 1, 1))
    recording.collection_sums[:] = [CollectionSum(last, 0, 1, 1, 1, 1, 1)]
    recording.spans.append(Span(len(recording.threads) - 1, 1, 1, None))
    written = tmp_path / "written.fettle"
    profile = core_read(core, tmp_path, fettle_writer.write(recording, seed))
    with written.open("wb") as file:
        profile.append(file.fileno())
    data = fettle_writer.header() + written.read_bytes()
    unknown_kinds = [kind for added in range(minor, 4) for kind in NEWER[added]]
    for kind in unknown_kinds:
        monkeypatch.delitem(fettle_reader.TAKERS, kind)
    old = fettle_reader.read(data)
    assert old.ended and old.newer_chunks == len(unknown_kinds) and not old.spans
    unknown = SPANS
    unknown += ("series",) if minor < 3 else ()
    unknown += MEMORY if minor < 2 else ()
    unknown += ("lines", "sources") if minor < 1 else ()
    back = replace(old, **{name: getattr(recording, name) for name in unknown})
    assert same_content(back, recording)


@pytest.mark.parametrize("seed", range(30))
def test_the_engine_reads_what_the_plain_writer_wrote(core, tmp_path, seed):
    recording = random_recording(seed)
    profile = core_read(core, tmp_path, fettle_writer.write(recording, seed))
    assert profile.ended and not profile.torn
    assert_core_agrees(profile, recording)


@pytest.mark.parametrize("seed", range(30))
def test_the_plain_reader_reads_what_the_engine_wrote(core, tmp_path, seed):
    recording = random_recording(seed, bits=64)
    profile = core_read(core, tmp_path, fettle_writer.write(recording, seed))
    written = tmp_path / "written.fettle"
    with written.open("wb") as file:
        profile.begin(file.fileno())
        begun = fettle_reader.read(written.read_bytes())
        profile.append(file.fileno())
    whole = fettle_reader.read(written.read_bytes())
    assert begun.meta == recording.meta and not begun.ended and not begun.torn
    assert same_content(recording, whole)
    assert whole.ended and not whole.torn and whole.good_bytes == os.stat(written).st_size


@pytest.mark.parametrize("seed", range(10))
def test_concatenated_files_are_the_merged_recording(core, tmp_path, seed):
    first, second = random_recording(seed), random_recording(seed + 100)
    data = fettle_writer.write(first, seed) + fettle_writer.write(second, seed)
    both = merged(first, second)
    assert same_content(fettle_reader.read(data), both)
    assert_core_agrees(core_read(core, tmp_path, data), both)


def test_the_readers_agree_on_a_file_cut_anywhere(core, tmp_path):
    data = fettle_writer.write(random_recording(3), 3)
    for cut in range(len(data)):
        assert_readers_agree(core, tmp_path, data[:cut])


def test_the_readers_agree_on_flipped_bits(core, tmp_path):
    data = fettle_writer.write(random_recording(4), 4)
    rng = random.Random(4)
    bits = [*range(8 * 50), *(rng.randrange(8 * len(data)) for _ in range(1000))]
    for bit in bits:
        damaged = bytearray(data)
        damaged[bit // 8] ^= 1 << bit % 8
        assert_readers_agree(core, tmp_path, bytes(damaged))


def test_the_readers_agree_on_wrong_content_with_right_checksums(core, tmp_path):
    """Payloads, heads and orders changed at random before the checksums are computed."""
    rng = random.Random(5)
    verdicts = Counter()
    for round_ in range(1500):
        writer = fettle_writer.Writer(random.Random(round_))
        data = fettle_writer.write(random_recording(round_ % 20), round_ % 20)
        segment_chunks(writer, data)
        change_something(writer, rng)
        changed = writer.bytes()
        assert_readers_agree(core, tmp_path, changed)
        verdict = plain_read(changed)
        verdicts[verdict if isinstance(verdict, str) else "accepted"] += 1
    assert set(verdicts) == {"accepted", "corrupt", "newer"}


def segment_chunks(writer: fettle_writer.Writer, data: bytes) -> None:
    """Takes a file apart again into the writer's chunks."""
    at = 16
    while at < len(data):
        chunk = fettle_reader.chunk_at(data, at)
        assert chunk is not None
        writer.chunks.append((chunk.type, chunk.payload(), chunk.flags, chunk.stream))
        at += 28 + len(chunk.stored)


def change_something(writer: fettle_writer.Writer, rng: random.Random) -> None:
    chunks = writer.chunks
    at = rng.randrange(len(chunks))
    kind, raw, flags, stream = chunks[at]
    what = rng.randrange(8)
    if what < 4 and raw:
        place = rng.randrange(len(raw))
        value = rng.choice([0, 1, 2, 0x7F, 0x80, 0xFF, rng.randrange(256)])
        chunks[at] = (kind, raw[:place] + bytes([value]) + raw[place + 1 :], flags, stream)
    elif what == 4:
        chunks[at] = (kind, raw[: rng.randint(0, len(raw))], flags, stream)
    elif what == 5:
        chunks[at] = (kind, raw, flags ^ 1 << rng.randrange(4), stream)
    elif what == 6:
        chunks[at] = (kind, raw, flags, rng.randrange(4))
    elif rng.random() < 0.5:
        del chunks[at]
    else:
        other = rng.randrange(len(chunks))
        chunks[at], chunks[other] = chunks[other], chunks[at]
