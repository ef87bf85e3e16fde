# SPDX-License-Identifier: Apache-2.0
"""A profile.proto, read by protobuf's wire format and the comments in pprof's own definition."""

import gzip
from collections import Counter, defaultdict
from collections.abc import Iterator

from .oracle import lines, path_to
from .spelling import name, text
from .synthetic import Recording

Frame = tuple[str, str, int, int]  # name, file, line, line of the def
Sample = tuple[tuple[Frame, ...], tuple[int, ...], tuple[tuple[str, str], ...]]
Message = dict[int, list[int | bytes]]
LARGEST = 2**63 - 1
TYPES = [("time", "nanoseconds"), ("calls", "count"), ("waiting", "nanoseconds")]
TYPES_OF_LINES = [(f"line_{name}", unit) for name, unit in [TYPES[0], ("hits", "count"), TYPES[2]]]
TYPES_OF_MEMORY = [
    (f"{what}_{thing}", unit)
    for what in ("alloc", "inuse", "peak")
    for thing, unit in [("objects", "count"), ("space", "bytes")]
]


def sites(recording: Recording) -> Iterator[tuple[tuple[int, ...], tuple[int, ...]]]:
    """Of each the path, own site first, and what was allocated, alive at the end and at the peak;
    neither is ever summed here: pprof's own reader does that."""
    parents = [0, *(row[2] for row in recording.memory.sites)]
    for at, row in enumerate(recording.memory.sites, 1):
        path = []
        while at:
            path.append(at)
            at = parents[at]
        yield tuple(path), (*row[4:6], *row[8:10], *row[6:8])


def expected_sites(recording: Recording) -> Iterator[Sample]:
    before = (0,) * (len(TYPES) + len(TYPES_OF_LINES) * bool(recording.lines))
    frames: list[Frame] = [("", "", 0, 0)]
    for code, line, *_ in recording.memory.sites:
        of = recording.codes[code]
        known = text(name(of)), text(of.file), line, of.line
        frames.append(known if code else ("<unknown>", "", 0, 0))
    for path, values in sites(recording):
        if any(values):
            clamped = tuple(min(value, LARGEST) for value in values)
            yield tuple(frames[at] for at in path), before + clamped, ()


def expected(recording: Recording) -> Counter[Sample]:
    names = [(text(name(code)), text(code.file)) for code in recording.codes]
    firsts = [code.line for code in recording.codes]
    frames = [(*of, first, first) for of, first in zip(names, firsts, strict=True)]
    of_memory = (0,) * len(TYPES_OF_MEMORY) if recording.memory.sites else ()
    more = ((0,) * len(TYPES_OF_LINES) if recording.lines else ()) + of_memory
    samples: Counter[Sample] = Counter(expected_sites(recording))
    for (code, line), (hits, time, waiting, _) in lines(recording).items():
        if line and (hits or time):
            numbers = tuple(min(n, LARGEST) for n in (time, hits, waiting))
            samples[((*names[code], line, firsts[code]),), (0, 0, 0, *numbers, *of_memory), ()] += 1
    for thread in recording.threads:
        labels = (
            ("thread", text(thread.name)),
            ("pid", str(recording.processes[thread.process].pid)),
        )
        for at, node in enumerate(thread.nodes):
            values = tuple(min(n, LARGEST) for n in (node.own, node.calls, node.waiting))
            if at and any(values):
                codes = [thread.nodes[id].code for id in reversed(path_to(thread, at))]
                samples[tuple(frames[code] for code in codes), values + more, labels] += 1
    return samples


def varints(data: bytes) -> Iterator[int]:
    value = shift = 0
    for byte in data:
        value |= (byte & 0x7F) << shift
        shift += 7
        assert shift <= 70
        if byte < 0x80:
            yield value
            value = shift = 0
    assert shift == 0


def message(data: bytes) -> Message:
    fields: defaultdict[int, list[int | bytes]] = defaultdict(list)
    while data:
        key, data = varint(data)
        assert key & 7 in (0, 2), "the wire types of profile.proto"
        value, data = varint(data)
        if key & 7 == 0:
            fields[key >> 3].append(value)
        else:
            assert len(data) >= value
            fields[key >> 3].append(data[:value])
            data = data[value:]
    return fields


def varint(data: bytes) -> tuple[int, bytes]:
    size = next(i for i, byte in enumerate(data) if byte < 0x80) + 1
    return next(varints(data[:size])), data[size:]


def number(fields: Message, field: int) -> int:
    (value,) = fields.get(field, [0])
    assert isinstance(value, int)
    return value


def numbers(fields: Message, field: int) -> Iterator[int]:
    """Of a repeated field; protobuf lets a writer pack them or not."""
    for value in fields.get(field, []):
        yield from [value] if isinstance(value, int) else varints(value)


def parts(fields: Message, field: int) -> list[bytes]:
    return [value for value in fields.get(field, []) if isinstance(value, bytes)]


class Reader:
    def __init__(self, exported: bytes) -> None:
        self.whole = message(gzip.decompress(exported))
        self.strings = [string.decode() for string in parts(self.whole, 6)]
        assert self.strings[0] == ""
        assert len(set(self.strings)) == len(self.strings)
        types = [message(part) for part in parts(self.whole, 1)]
        self.types = [(self.string(t, 1), self.string(t, 2)) for t in types]
        assert self.types in [
            TYPES + lines + memory
            for lines in ([], TYPES_OF_LINES)
            for memory in ([], TYPES_OF_MEMORY)
        ]
        self.shown = self.string(self.whole, 14)
        assert self.shown in dict(self.types)
        self.functions = self.by_id(5)
        self.locations = self.by_id(4)

    def string(self, fields: Message, field: int) -> str:
        return self.strings[number(fields, field)]

    def by_id(self, field: int) -> dict[int, Message]:
        found = [message(part) for part in parts(self.whole, field)]
        ids = {number(fields, 1): fields for fields in found}
        assert len(ids) == len(found)
        assert 0 not in ids
        return ids

    def frame(self, location: int) -> Frame:
        (line,) = parts(self.locations[location], 4)
        fields = message(line)
        function = self.functions[number(fields, 1)]
        assert 3 not in function, "system_name"
        place = number(fields, 2), number(function, 5)
        return self.string(function, 2), self.string(function, 4), *place

    def sample(self, part: bytes) -> Sample:
        fields = message(part)
        labels = [message(label) for label in parts(fields, 3)]
        return (
            tuple(map(self.frame, numbers(fields, 1))),
            tuple(numbers(fields, 2)),
            tuple((self.string(label, 1), self.string(label, 2)) for label in labels),
        )

    def samples(self) -> Iterator[Sample]:
        return (self.sample(part) for part in parts(self.whole, 2))


def read(exported: bytes) -> Counter[Sample]:
    reader = Reader(exported)
    assert all(len(values) == len(reader.types) for _, values, _ in reader.samples())
    return Counter(reader.samples())
