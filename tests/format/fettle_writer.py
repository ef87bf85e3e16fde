# SPDX-License-Identifier: Apache-2.0
"""Writes recordings as .fettle files in every way that docs/format.md allows, not only in the
engine's: lists and texts cut anywhere, chunks of the future in between, roots left out."""

import random
import struct
from collections.abc import Callable

from .fettle_reader import (
    CONTINUES,
    MAGIC,
    MEMORY_IS_KNOWN,
    PEAK_IS_KNOWN,
    SKIPPABLE,
    TOGETHER,
    Code,
    Node,
    Path,
    Recording,
    Series,
    crc32c,
    zstd,
)


def varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def varints(*values: int) -> bytes:
    return b"".join(map(varint, values))


def header(major: int = 1, minor: int = 0) -> bytes:
    start = MAGIC + struct.pack("<HH", major, minor)
    return start + struct.pack("<I", crc32c(start))


def chunk(kind: bytes, raw: bytes, sequence: int, flags: int = 0, stream: int = 0) -> bytes:
    stored = zstd.compress(raw)
    head = struct.pack("<4s5I", kind, flags, len(raw), len(stored), stream, sequence)
    return head + struct.pack("<I", crc32c(head + stored)) + stored


class Writer:
    """One segment, cut into chunks at random places."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.chunks: list[tuple[bytes, bytes, int, int]] = []  # type, payload, flags, stream
        self.texts: dict[bytes, int] = {b"": 0}
        self.codes: dict[Code | None, int] = {None: 0}
        self.nodes = 0

    def put(self, kind: bytes, raw: bytes, flags: int = 0, stream: int = 0) -> None:
        if self.rng.random() < 0.05 and not (self.chunks and self.chunks[-1][2] & CONTINUES):
            self.chunks.append((b"LATE", b"of a later version", SKIPPABLE | 1 << 20, 7))
        self.chunks.append((kind, raw, flags, stream))

    def put_texts(self, kind: bytes, texts: list[bytes]) -> None:
        raw = b""
        for at, text in enumerate(texts):
            while self.rng.random() < 0.1 and len(text) > 0:
                part, text = text[: len(text) // 2], text[len(text) // 2 :]
                self.put(kind, raw + varint(len(part)) + part, CONTINUES)
                raw = b""
            raw += varint(len(text)) + text
            pair_is_whole = kind != b"META" or at % 2 == 1
            if pair_is_whole and self.rng.random() < 0.1:
                self.put(kind, raw)
                raw = b""
        if raw:
            self.put(kind, raw)

    def put_records(self, kind: bytes, records: list[bytes], flags: int = 0) -> None:
        while records:
            count = self.rng.randint(1, len(records))
            self.put(kind, b"".join(records[:count]), flags)
            records = records[count:]

    def text(self, text: bytes) -> int:
        return self.texts.setdefault(text, len(self.texts))

    def put_tree(self, stream: int, nodes: list[Node]) -> None:
        root_has_nothing = nodes[0] == Node(0, None)
        first = 1 if root_has_nothing and self.rng.random() < 0.5 else 0
        while first < len(nodes):
            run = nodes[first : first + self.rng.randint(1, len(nodes))]
            columns: list[Callable[[int, Node], int]] = [
                lambda at, node: at - node.parent,
                lambda at, node: self.codes[node.code],
                lambda at, node: node.calls,
                lambda at, node: node.own,
                lambda at, node: node.waiting,
            ]
            raw = varints(first, len(run))
            for column in columns:
                raw += varints(*(column(at, node) for at, node in enumerate(run, first)))
            self.put(b"TREE", raw, stream=stream)
            first += len(run)
            self.nodes += len(run)

    def put_links(self, stream: int, links: dict[int, int]) -> None:
        before, raw = 0, b""
        for marker, creator in sorted(links.items()):
            raw += varints(marker - before, marker - creator)
            before = marker
            if self.rng.random() < 0.3:
                self.put(b"LINK", raw, SKIPPABLE, stream)
                raw = b""
        if raw:
            self.put(b"LINK", raw, SKIPPABLE, stream)

    def bytes(self) -> bytes:
        parts = [header(minor=self.rng.choice([0, 0, 9]))]
        for sequence, (kind, raw, flags, stream) in enumerate(self.chunks):
            parts.append(chunk(kind, raw, sequence, flags, stream))
        return b"".join(parts)


def put_dictionaries(writer: Writer, recording: Recording) -> None:
    for thread in recording.threads:
        for node in thread.nodes[1:]:
            writer.codes.setdefault(node.code, len(writer.codes))
    for code, _ in recording.lines:
        writer.codes.setdefault(code, len(writer.codes))
    for path in recording.sites:
        writer.codes.setdefault(path[-1].code, len(writer.codes))
    texts = [text for pair in recording.sources.items() for text in pair]
    texts += [point.name for point in recording.points]
    texts += [text for row in recording.classes for text in (row.type, row.why)]
    texts += [row.type for row in recording.objects]
    texts += [text for series in recording.series for text in (series.label, *series.counters)]
    for text in texts:
        writer.text(text)
    codes = [
        varints(code.kind, *map(writer.text, (code.file, code.name, code.qualname)), code.line)
        for code in writer.codes
        if code is not None
    ]
    processes = [
        varints(
            process.pid,
            process.parent_pid,
            writer.text(process.command),
            writer.text(process.python),
            process.started,
            process.elapsed,
        )
        for process in recording.processes
    ]
    threads = [
        varints(thread.process, writer.text(thread.name), thread.uses)
        for thread in recording.threads
    ]
    writer.put_texts(b"TEXT", list(writer.texts)[1:])
    writer.put_records(b"CODE", codes)
    writer.put_records(b"PROC", processes)
    writer.put_records(b"THRD", threads)


def put_lines(writer: Writer, recording: Recording) -> None:
    """In any order, some of them in two parts."""
    records = []
    for (code, number), line in recording.lines.items():
        values = list(vars(line).values())
        if writer.rng.random() < 0.3:
            half = [value // 2 for value in values]
            values = [value - part for value, part in zip(values, half, strict=True)]
            records.append(varints(writer.codes[code], number, *half))
        records.append(varints(writer.codes[code], number, *values))
    writer.rng.shuffle(records)
    writer.put_records(b"LINE", records, SKIPPABLE)
    sources = [varints(*map(writer.text, pair)) for pair in recording.sources.items()]
    writer.put_records(b"SRCE", sources, SKIPPABLE)


def put_sites(writer: Writer, recording: Recording) -> dict[Path, list[int]]:
    """In their order, some of them in two parts; gives the ids of each."""
    records: list[bytes] = []
    ids: dict[Path, list[int]] = {(): [0]}
    for path, blocks in recording.sites.items():
        frame, values = path[-1], list(vars(blocks).values())
        parts = [values]
        if writer.rng.random() < 0.3:
            half = [value // 2 for value in values]
            parts = [half, [value - part for value, part in zip(values, half, strict=True)]]
        for part in parts:
            parent = writer.rng.choice(ids[path[:-1]])
            place = writer.codes[frame.code], frame.line, parent, frame.domain
            records.append(varints(*place, *part))
            ids.setdefault(path, []).append(len(records))
    writer.put_records(b"SITE", records, SKIPPABLE)
    return ids


def put_memory(writer: Writer, recording: Recording) -> None:
    ids = put_sites(writer, recording)
    heaps = [varints(*vars(heap).values()) for heap in recording.heaps]
    moments = [varints(*vars(moment).values()) for moment in recording.moments]
    points = [
        varints(point.process, writer.text(point.name), *list(vars(point).values())[2:6])
        for point in recording.points
    ]
    rows = [
        varints(at, writer.rng.choice(ids[site]), *numbers)
        for at, point in enumerate(recording.points)
        for site, *numbers in point.rows
    ]
    objects = [
        varints(row.process, writer.text(row.type), ids[row.site][-1], row.count, row.bytes)
        for row in recording.objects
    ]
    classes = [
        varints(
            row.process, writer.text(row.type), writer.text(row.why), *list(vars(row).values())[3:]
        )
        for row in recording.classes
    ]
    lists = {b"HEAP": heaps, b"MOMT": moments, b"PONT": points, b"PROW": rows, b"OBJS": objects}
    for kind, records in (lists | {b"CLAS": classes}).items():
        writer.put_records(kind, records, SKIPPABLE)


def series_record(writer: Writer, series: Series) -> bytes:
    flags = MEMORY_IS_KNOWN * (series.memory is not None)
    flags |= PEAK_IS_KNOWN * (series.peak is not None) | TOGETHER * series.together
    head = varints(writer.text(series.label), series.clock, series.loops)
    numbers = varints(flags, *(series.memory or (0, 0)), series.peak or 0)
    return head + struct.pack("<d", series.empty) + numbers


def put_timings(writer: Writer, recording: Recording) -> None:
    """Groups in one record or in several, some of them of nothing."""
    rng = writer.rng
    counters = [
        varints(at, writer.text(name)) + struct.pack("<d", value)
        for at, series in enumerate(recording.series)
        for name, value in series.counters.items()
    ]
    samples: list[bytes] = []
    for at, series in enumerate(recording.series):
        for number, group in enumerate(series.groups):
            rest, is_first = list(group), True
            while is_first or rest or rng.random() < 0.2:
                part = rest[: rng.randint(0, len(rest))]
                rest, is_first = rest[len(part) :], False
                packed = struct.pack(f"<{len(part)}d", *part)
                samples.append(varints(at, number, len(part)) + packed)
    series_records = [series_record(writer, series) for series in recording.series]
    for kind, records in {b"TIME": series_records, b"CNTR": counters, b"SMPL": samples}.items():
        writer.put_records(kind, records, SKIPPABLE)


def put_spans(writer: Writer, recording: Recording) -> None:
    spans = [
        varints(row.thread, row.uses, row.start, 0 if row.end is None else row.end - row.start + 1)
        for row in recording.spans
    ]
    collections = [varints(*vars(row).values()) for row in recording.collections]
    sums = [varints(*vars(row).values()) for row in recording.collection_sums]
    for kind, records in {b"COLL": collections, b"CSUM": sums, b"SPAN": spans}.items():
        writer.put_records(kind, records, SKIPPABLE)


def write(recording: Recording, seed: int = 0, end: bool = True) -> bytes:
    """The recording as one segment."""
    writer = Writer(random.Random(seed))
    writer.put_texts(b"META", [text for pair in recording.meta.items() for text in pair])
    put_dictionaries(writer, recording)
    for stream, thread in enumerate(recording.threads):
        writer.put_tree(stream, thread.nodes)
        writer.put_links(stream, thread.links)
    notes = [varints(note.kind, note.process, note.count) for note in recording.notes]
    writer.put_records(b"NOTE", notes)
    put_lines(writer, recording)
    put_memory(writer, recording)
    put_timings(writer, recording)
    put_spans(writer, recording)
    counts = [
        len(writer.texts) - 1,
        len(writer.codes) - 1,
        len(recording.processes),
        len(recording.threads),
        writer.nodes,
        len(recording.notes),
    ]
    if end:
        writer.put(b"END ", varints(*counts))
    return writer.bytes()
