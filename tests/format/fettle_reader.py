# SPDX-License-Identifier: Apache-2.0
"""A second reader of .fettle files, written from docs/format.md alone: plain Python, slow, whole.

It shares no code with the engine and exists to disagree with it. Memory has no budget here: not for
files of strangers. `python fettle_reader.py FILE` prints what is in a file.
"""

import math
import struct
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

try:
    from compression import zstd  # Python 3.14 and later
except ImportError:
    import zstandard as zstd

MAGIC = b"\x89FTL\r\n\x1a\n"
MAJOR = 1
SKIPPABLE, CONTINUES = 1, 2
RAW_MAX, STORED_MAX = 1 << 20, (1 << 20) + 4096
LISTS_OF_TEXTS = (b"META", b"TEXT")
KINDS_OF_CODE = range(1, 7)
PYTHON, TASK = 1, 5
CLOCKS = range(1, 3)
MEMORY_IS_KNOWN, PEAK_IS_KNOWN, TOGETHER = 1, 2, 4


class FettleError(Exception):
    """args: the kind of the trouble ("empty", "foreign", "newer", "corrupt")."""


@dataclass(frozen=True)
class Code:
    kind: int
    file: bytes
    name: bytes
    qualname: bytes
    line: int


@dataclass(frozen=True)
class Process:
    pid: int
    parent_pid: int
    command: bytes
    python: bytes
    started: int
    elapsed: int


@dataclass
class Node:
    parent: int
    code: Code | None  # None: the root
    calls: int = 0
    own: int = 0
    waiting: int = 0


def root_alone() -> list[Node]:
    return [Node(0, None)]


@dataclass
class Thread:
    process: int
    name: bytes
    uses: int
    nodes: list[Node] = field(default_factory=root_alone)
    links: dict[int, int] = field(default_factory=dict)  # the creator of a task's node


@dataclass
class Note:
    kind: int
    process: int
    count: int


@dataclass
class Line:
    hits: int = 0
    time: int = 0
    waiting: int = 0
    callees: int = 0

    def add(self, other: "Line") -> None:
        for name, value in vars(other).items():
            setattr(self, name, getattr(self, name) + value)


@dataclass(frozen=True)
class Frame:
    code: Code | None  # None: not known
    line: int
    domain: int


Path = tuple[Frame, ...]  # of a site: its callers' frames, the outermost first, then its own


@dataclass
class Blocks:
    """What was allocated at a site."""

    total_count: int = 0
    total_bytes: int = 0
    peak_count: int = 0
    peak_bytes: int = 0
    alive_count: int = 0
    alive_bytes: int = 0
    temporary_count: int = 0
    temporary_bytes: int = 0

    def add(self, other: "Blocks") -> None:
        for name, value in vars(other).items():
            setattr(self, name, getattr(self, name) + value)


@dataclass
class Heap:
    process: int
    frames: int
    sample: int
    total_count: int
    total_bytes: int
    peak_bytes: int
    peak_time: int
    alive_count: int
    alive_bytes: int


@dataclass
class Moment:
    process: int
    time: int
    live: int
    rss: int


@dataclass
class Point:
    process: int
    name: bytes
    time: int
    live_count: int
    live_bytes: int
    rss: int
    rows: list[tuple[Path, int, int]] = field(default_factory=list)  # site, count, bytes


@dataclass
class Objects:
    process: int
    type: bytes
    site: Path  # the empty one: before the recording
    count: int
    bytes: int


@dataclass
class Class:
    process: int
    type: bytes
    why: bytes
    instances: int
    bytes: int
    plain: int
    slotted: int


@dataclass
class Series:
    label: bytes
    clock: int
    loops: int
    empty: float
    memory: tuple[int, int] | None = None  # bytes and blocks
    peak: int | None = None
    counters: dict[bytes, float] = field(default_factory=dict)
    groups: list[list[float]] = field(default_factory=list)
    together: bool = False  # with the series before


@dataclass
class Collection:
    process: int
    generation: int
    start: int
    duration: int
    collected: int
    uncollectable: int


@dataclass
class CollectionSum:
    process: int
    generation: int
    count: int
    time: int
    longest: int
    collected: int
    uncollectable: int


@dataclass
class Span:
    thread: int
    uses: int
    start: int
    end: int | None


@dataclass
class Recording:
    meta: dict[bytes, bytes] = field(default_factory=dict)
    processes: list[Process] = field(default_factory=list)
    threads: list[Thread] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    lines: dict[tuple[Code, int], Line] = field(default_factory=dict)
    sources: dict[bytes, bytes] = field(default_factory=dict)
    sites: dict[Path, Blocks] = field(default_factory=dict)
    heaps: list[Heap] = field(default_factory=list)
    moments: list[Moment] = field(default_factory=list)
    points: list[Point] = field(default_factory=list)
    objects: list[Objects] = field(default_factory=list)
    classes: list[Class] = field(default_factory=list)
    series: list[Series] = field(default_factory=list)
    collections: list[Collection] = field(default_factory=list)
    collection_sums: list[CollectionSum] = field(default_factory=list)
    spans: list[Span] = field(default_factory=list)
    ended: bool = False
    torn: bool = False
    good_bytes: int = 0
    newer_chunks: int = 0


def crc_table() -> list[int]:
    table = []
    for byte in range(256):
        for _ in range(8):
            byte = (byte >> 1) ^ (0x82F63B78 if byte & 1 else 0)
        table.append(byte)
    return table


CRC_TABLE = crc_table()


def crc32c(data: bytes) -> int:
    state = 0xFFFFFFFF
    for byte in data:
        state = (state >> 8) ^ CRC_TABLE[(state ^ byte) & 0xFF]
    return state ^ 0xFFFFFFFF


def corrupt_unless(held: bool) -> None:
    if not held:
        raise FettleError("corrupt")


class Payload:
    """Walks the bytes of a chunk."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    def __bool__(self) -> bool:
        return self.at < len(self.data)

    def take(self, length: int) -> bytes:
        corrupt_unless(length <= len(self.data) - self.at)
        self.at += length
        return self.data[self.at - length : self.at]

    def number(self) -> int:
        value = 0
        for shift in range(0, 70, 7):
            byte = self.take(1)[0]
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                corrupt_unless(value < 1 << 64)
                return value
        raise FettleError("corrupt")

    def u32(self) -> int:
        value = self.number()
        corrupt_unless(value < 1 << 32)
        return value

    def below(self, bound: int) -> int:
        value = self.u32()
        corrupt_unless(value < bound)
        return value

    def double(self) -> float:
        value: float = struct.unpack("<d", self.take(8))[0]
        return value


@dataclass
class Chunk:
    type: bytes
    flags: int
    raw_length: int
    stored: bytes
    stream: int
    sequence: int

    def payload(self) -> bytes:
        corrupt_unless(self.raw_length <= RAW_MAX and len(self.stored) <= STORED_MAX)
        return unpack_frame(self.stored, self.raw_length)


def unpack_frame(stored: bytes, raw_length: int) -> bytes:
    """What exactly one zstd frame holds that says it holds raw_length bytes."""
    try:
        if zstd.__name__ == "zstandard":
            size = zstd.frame_content_size(stored)
            unpacker = zstd.ZstdDecompressor().decompressobj()
        else:
            size = zstd.get_frame_info(stored).decompressed_size
            unpacker = zstd.ZstdDecompressor()
        corrupt_unless(size == raw_length)
        raw = unpacker.decompress(stored)
    except (zstd.ZstdError, MemoryError) as error:
        raise FettleError("corrupt") from error
    corrupt_unless(unpacker.eof and not unpacker.unused_data and len(raw) == raw_length)
    return bytes(raw)


class Segment:
    """The numbering of one segment, and what its chunks add to the recording."""

    def __init__(self, recording: Recording) -> None:
        self.recording = recording
        self.texts = [b""]
        self.codes: list[Code | None] = [None]
        self.sites: list[Path] = [()]
        self.points: list[Point] = []
        self.last_point = 0
        self.series: list[Series] = []
        self.last_counted = 0
        self.last_measured = -1  # none
        self.settled = set(recording.meta)
        self.first_process = len(recording.processes)
        self.first_thread = len(recording.threads)
        self.first_note = len(recording.notes)
        self.nodes = 0
        self.sequence = 0
        self.meta_only = True
        self.ended = False
        self.open: bytes | None = None  # the beginning of a text
        self.open_type = b""
        self.key: bytes | None = None

    def admit(self, chunk: Chunk) -> None:
        """Whether the chunk may stand here, whatever is in it."""
        meta = chunk.type == b"META"
        restarts = meta and chunk.sequence == 0 and self.meta_only and self.open is None
        corrupt_unless(not self.ended and (chunk.sequence == self.sequence or restarts))
        known = chunk.type in TAKERS
        if known and chunk.flags & ~(SKIPPABLE | CONTINUES):
            raise FettleError("newer")
        corrupt_unless(self.open is None or chunk.type == self.open_type)
        if known:
            corrupt_unless(chunk.stream == 0 or chunk.type in (b"TREE", b"LINK"))
            corrupt_unless(not chunk.flags & CONTINUES or chunk.type in LISTS_OF_TEXTS)
        self.sequence = chunk.sequence + 1
        self.meta_only = self.meta_only and meta

    def whole_texts(self, chunk: Chunk, payload: Payload) -> Iterator[bytes]:
        continues = bool(chunk.flags & CONTINUES)
        corrupt_unless(bool(payload) or not (continues or self.open is not None))
        while payload:
            text = (self.open or b"") + payload.take(payload.number())
            self.open = None
            if continues and not payload:
                self.open, self.open_type = text, chunk.type
            else:
                yield text

    def text(self, payload: Payload) -> bytes:
        return self.texts[payload.below(len(self.texts))]

    def process(self, payload: Payload) -> int:
        here = len(self.recording.processes) - self.first_process
        return self.first_process + payload.below(here)

    def take_meta(self, chunk: Chunk, payload: Payload) -> None:
        for text in self.whole_texts(chunk, payload):
            if self.key is None:
                self.key = text
                continue
            if self.key not in self.settled:
                self.recording.meta[self.key] = text
            self.key = None
        corrupt_unless(self.key is None or self.open is not None)

    def take_texts(self, chunk: Chunk, payload: Payload) -> None:
        self.texts.extend(self.whole_texts(chunk, payload))

    def take_codes(self, chunk: Chunk, payload: Payload) -> None:
        while payload:
            kind = payload.u32()
            texts = [self.text(payload) for _ in range(3)]
            line = payload.u32()
            corrupt_unless(kind != 0)
            if kind not in KINDS_OF_CODE:
                raise FettleError("newer")
            self.codes.append(Code(kind, *texts, line))

    def take_processes(self, chunk: Chunk, payload: Payload) -> None:
        while payload:
            pids = payload.u32(), payload.u32()
            texts = self.text(payload), self.text(payload)
            times = payload.number(), payload.number()
            self.recording.processes.append(Process(*pids, *texts, *times))

    def take_threads(self, chunk: Chunk, payload: Payload) -> None:
        while payload:
            process, name = self.process(payload), self.text(payload)
            self.recording.threads.append(Thread(process, name, payload.number()))

    def take_tree(self, chunk: Chunk, payload: Payload) -> None:
        threads = self.recording.threads[self.first_thread :]
        corrupt_unless(chunk.stream < len(threads))
        nodes = threads[chunk.stream].nodes
        first, count = payload.number(), payload.number()
        corrupt_unless(first == len(nodes) or (first == 0 and len(nodes) == 1))
        corrupt_unless(0 < count <= len(payload.data) // 5)
        ids = range(first, first + count)
        distances = [payload.number() for _ in ids]
        codes = [payload.below(len(self.codes)) for _ in ids]
        calls, own, waiting = ([payload.number() for _ in ids] for _ in range(3))
        corrupt_unless(not payload)
        for at, distance, code in zip(ids, distances, codes, strict=True):
            corrupt_unless(distance == code == 0 if at == 0 else 0 < distance <= at and code > 0)
        nodes[first:] = [
            Node(at - distance, self.codes[code], *counters)
            for at, distance, code, *counters in zip(
                ids, distances, codes, calls, own, waiting, strict=True
            )
        ]
        self.nodes += count

    def take_links(self, chunk: Chunk, payload: Payload) -> None:
        threads = self.recording.threads[self.first_thread :]
        corrupt_unless(chunk.stream < len(threads))
        thread = threads[chunk.stream]
        while payload:
            further, back = payload.u32(), payload.u32()
            marker = max(thread.links, default=0) + further
            corrupt_unless(further > 0 and marker < len(thread.nodes))
            code = thread.nodes[marker].code
            corrupt_unless(code is not None and code.kind == TASK and 0 < back < marker)
            thread.links[marker] = marker - back

    def take_notes(self, chunk: Chunk, payload: Payload) -> None:
        while payload:
            kind, process = payload.u32(), self.process(payload)
            self.recording.notes.append(Note(kind, process, payload.number()))

    def take_lines(self, chunk: Chunk, payload: Payload) -> None:
        while payload:
            code, number = self.codes[payload.below(len(self.codes))], payload.u32()
            line = Line(*(payload.number() for _ in range(4)))
            corrupt_unless(code is not None and code.kind == PYTHON)
            corrupt_unless(max(line.waiting, line.callees) <= line.time)
            corrupt_unless(number != 0 or line.time == 0)
            self.recording.lines.setdefault((code, number), Line()).add(line)

    def take_sources(self, chunk: Chunk, payload: Payload) -> None:
        while payload:
            file, source = self.text(payload), self.text(payload)
            self.recording.sources.setdefault(file, source)

    def site(self, payload: Payload) -> Path:
        return self.sites[payload.below(len(self.sites))]

    def take_sites(self, chunk: Chunk, payload: Payload) -> None:
        while payload:
            code, line = self.codes[payload.below(len(self.codes))], payload.u32()
            parent, domain = self.site(payload), payload.u32()
            corrupt_unless(line == 0 if code is None else code.kind == PYTHON)
            path = (*parent, Frame(code, line, domain))
            blocks = Blocks(*(payload.number() for _ in range(8)))
            self.sites.append(path)
            self.recording.sites.setdefault(path, Blocks()).add(blocks)

    def take_heaps(self, chunk: Chunk, payload: Payload) -> None:
        while payload:
            process, frames = self.process(payload), payload.u32()
            known = self.recording.heaps
            corrupt_unless(not known or known[-1].process < process)
            known.append(Heap(process, frames, *(payload.number() for _ in range(7))))

    def take_moments(self, chunk: Chunk, payload: Payload) -> None:
        while payload:
            moment = Moment(self.process(payload), *(payload.number() for _ in range(3)))
            known = self.recording.moments
            corrupt_unless(
                not known or (known[-1].process, known[-1].time) <= (moment.process, moment.time)
            )
            known.append(moment)

    def take_points(self, chunk: Chunk, payload: Payload) -> None:
        while payload:
            process, name = self.process(payload), self.text(payload)
            known = self.recording.points
            corrupt_unless(not known or known[-1].process <= process)
            known.append(Point(process, name, *(payload.number() for _ in range(4))))
            self.points.append(known[-1])

    def take_point_rows(self, chunk: Chunk, payload: Payload) -> None:
        while payload:
            point, site = payload.below(len(self.points)), self.site(payload)
            corrupt_unless(self.last_point <= point and site != ())
            self.last_point = point
            self.points[point].rows.append((site, payload.number(), payload.number()))

    def take_objects(self, chunk: Chunk, payload: Payload) -> None:
        while payload:
            process, name, site = self.process(payload), self.text(payload), self.site(payload)
            row = Objects(process, name, site, payload.number(), payload.number())
            self.recording.objects.append(row)

    def take_classes(self, chunk: Chunk, payload: Payload) -> None:
        while payload:
            process, texts = self.process(payload), (self.text(payload), self.text(payload))
            row = Class(process, *texts, *(payload.number() for _ in range(4)))
            self.recording.classes.append(row)

    def take_series(self, chunk: Chunk, payload: Payload) -> None:
        while payload:
            label, clock = self.text(payload), payload.u32()
            loops, empty, flags = payload.number(), payload.double(), payload.u32()
            size, blocks, peak = (payload.number() for _ in range(3))
            corrupt_unless(bool(self.series) or not flags & TOGETHER)
            if clock > max(CLOCKS):
                raise FettleError("newer")
            corrupt_unless(clock in CLOCKS and loops > 0 and math.isfinite(empty) and empty >= 0)
            corrupt_unless(not flags & ~(MEMORY_IS_KNOWN | PEAK_IS_KNOWN | TOGETHER))
            corrupt_unless(bool(flags & MEMORY_IS_KNOWN) or size == blocks == 0)
            corrupt_unless(bool(flags & PEAK_IS_KNOWN) or peak == 0)
            together = bool(flags & TOGETHER)
            self.series.append(Series(label, clock, loops, empty, together=together))
            if flags & MEMORY_IS_KNOWN:
                self.series[-1].memory = size, blocks
            if flags & PEAK_IS_KNOWN:
                self.series[-1].peak = peak
            self.recording.series.append(self.series[-1])

    def take_counters(self, chunk: Chunk, payload: Payload) -> None:
        while payload:
            at, name = payload.below(len(self.series)), self.text(payload)
            value, counters = payload.double(), self.series[at].counters
            corrupt_unless(self.last_counted <= at and name not in counters)
            corrupt_unless(math.isfinite(value))
            self.last_counted = at
            counters[name] = value

    def take_samples(self, chunk: Chunk, payload: Payload) -> None:
        while payload:
            at, group, count = payload.below(len(self.series)), payload.u32(), payload.u32()
            seconds = list(struct.unpack(f"<{count}d", payload.take(8 * count)))
            groups = self.series[at].groups
            corrupt_unless(self.last_measured <= at and all(map(math.isfinite, seconds)))
            if group == len(groups):
                groups.append([])
            corrupt_unless(group == len(groups) - 1)
            groups[-1] += seconds
            self.last_measured = at

    def take_collections(self, chunk: Chunk, payload: Payload) -> None:
        while payload:
            process, generation = self.process(payload), payload.u32()
            row = Collection(process, generation, *(payload.number() for _ in range(4)))
            known = self.recording.collections
            corrupt_unless(
                not known or (known[-1].process, known[-1].start) <= (process, row.start)
            )
            known.append(row)

    def take_collection_sums(self, chunk: Chunk, payload: Payload) -> None:
        while payload:
            process, generation = self.process(payload), payload.u32()
            row = CollectionSum(process, generation, *(payload.number() for _ in range(5)))
            known = self.recording.collection_sums
            corrupt_unless(
                not known or (known[-1].process, known[-1].generation) < (process, generation)
            )
            corrupt_unless(row.count > 0 and row.longest <= row.time)
            known.append(row)

    def take_spans(self, chunk: Chunk, payload: Payload) -> None:
        while payload:
            here = len(self.recording.threads) - self.first_thread
            thread = self.first_thread + payload.below(here)
            uses, start, lasted = (payload.number() for _ in range(3))
            known = self.recording.spans
            corrupt_unless(not known or (known[-1].thread, known[-1].start) <= (thread, start))
            corrupt_unless(uses > 0 and start + max(lasted - 1, 0) < 2**64 - 1)
            end = start + lasted - 1 if lasted else None
            known.append(Span(thread, uses, start, end))

    def take_end(self, chunk: Chunk, payload: Payload) -> None:
        written = [
            len(self.texts) - 1,
            len(self.codes) - 1,
            len(self.recording.processes) - self.first_process,
            len(self.recording.threads) - self.first_thread,
            self.nodes,
            len(self.recording.notes) - self.first_note,
        ]
        corrupt_unless([payload.number() for _ in written] == written and not payload)
        self.ended = True


TAKERS: dict[bytes, Callable[[Segment, Chunk, Payload], None]] = {
    b"META": Segment.take_meta,
    b"TEXT": Segment.take_texts,
    b"CODE": Segment.take_codes,
    b"PROC": Segment.take_processes,
    b"THRD": Segment.take_threads,
    b"TREE": Segment.take_tree,
    b"LINK": Segment.take_links,
    b"NOTE": Segment.take_notes,
    b"LINE": Segment.take_lines,
    b"SRCE": Segment.take_sources,
    b"SITE": Segment.take_sites,
    b"HEAP": Segment.take_heaps,
    b"MOMT": Segment.take_moments,
    b"PONT": Segment.take_points,
    b"PROW": Segment.take_point_rows,
    b"OBJS": Segment.take_objects,
    b"CLAS": Segment.take_classes,
    b"TIME": Segment.take_series,
    b"CNTR": Segment.take_counters,
    b"SMPL": Segment.take_samples,
    b"COLL": Segment.take_collections,
    b"CSUM": Segment.take_collection_sums,
    b"SPAN": Segment.take_spans,
    b"END ": Segment.take_end,
}


def header_is_torn(header: bytes) -> bool:
    if len(header) < 16 or crc32c(header[:12]) != struct.unpack_from("<I", header, 12)[0]:
        return True
    if struct.unpack_from("<H", header, 8)[0] > MAJOR:
        raise FettleError("newer")
    return False


def chunk_at(data: bytes, at: int) -> Chunk | None:
    """The chunk there, or None if it is torn."""
    if len(data) - at < 28:
        return None
    kind, flags, raw, stored, stream, sequence, crc = struct.unpack_from("<4s6I", data, at)
    payload = data[at + 28 : at + 28 + stored]
    if len(payload) < stored or crc32c(data[at : at + 24] + payload) != crc:
        return None
    return Chunk(kind, flags, raw, payload, stream, sequence)


def read(data: bytes) -> Recording:
    """What is in the bytes of a file. FettleError."""
    if not data:
        raise FettleError("empty")
    if not data.startswith(MAGIC):
        raise FettleError("foreign")
    corrupt_unless(len(data) < 16 or not header_is_torn(data[:16]))
    recording = Recording()
    segment = Segment(recording)
    at = 0
    while at < len(data):
        if data.startswith(MAGIC, at):
            if header_is_torn(data[at : at + 16]):
                recording.torn = True
                break
            segment = Segment(recording)
            at += 16
            continue
        chunk = chunk_at(data, at)
        if chunk is None:
            recording.torn = True
            break
        segment.admit(chunk)
        if chunk.type in TAKERS:
            TAKERS[chunk.type](segment, chunk, Payload(chunk.payload()))
        elif chunk.flags & SKIPPABLE:
            recording.newer_chunks += 1
        else:
            raise FettleError("newer")
        at += 28 + len(chunk.stored)
    recording.good_bytes = at
    recording.ended = segment.ended
    return recording


def main() -> None:
    with open(sys.argv[1], "rb") as file:
        recording = read(file.read())
    for name, value in vars(recording).items():
        if name != "threads":
            print(f"{name}: {value}")
    for thread in recording.threads:
        print(f"thread {thread.name!r} of process {thread.process}, uses {thread.uses}:")
        for at, node in enumerate(thread.nodes):
            print(f"  {at} <- {node.parent}: {node.code} {node.calls} {node.own} {node.waiting}")


if __name__ == "__main__":
    main()
