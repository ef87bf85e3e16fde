# SPDX-License-Identifier: Apache-2.0
"""Recordings out of nothing: a small writer of .fettle files that shares no code with the engine.

It follows docs/format.md. The zstd frames hold raw blocks, so that no package is needed.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

PYTHON, C, FOLDED, FOLDED_AGAIN, TASK, AWAITED = 1, 2, 3, 4, 5, 6
RAW_MAX = 1 << 20
BLOCK_MAX = 1 << 17


@dataclass(frozen=True)
class Code:
    file: bytes
    line: int
    name: bytes
    qualname: bytes = b""
    kind: int = PYTHON


@dataclass
class Node:
    parent: int
    code: int
    calls: int
    own: int
    waiting: int = 0


@dataclass
class Process:
    pid: int = 100
    parent_pid: int = 1
    command: bytes = b"python\0app.py"
    python: bytes = b"3.14.2"
    started: int = 1_700_000_000_000_000_000
    elapsed: int = 5_000_000_000


def _root_only() -> list[Node]:
    return [Node(0, 0, 0, 0)]


@dataclass
class Thread:
    process: int = 0
    name: bytes = b"main"
    uses: int = 1
    nodes: list[Node] = field(default_factory=_root_only)
    links: dict[int, int] = field(default_factory=dict)  # the creator of a task's node

    def add(self, parent: int, code: int, calls: int = 1, own: int = 0, waiting: int = 0) -> int:
        self.nodes.append(Node(parent, code, calls, own, waiting))
        return len(self.nodes) - 1


@dataclass
class Memory:
    """Rows of numbers as docs/format.md has them; texts are bytes."""

    sites: list[tuple[int, ...]] = field(default_factory=list)  # 1, 2, ...
    heaps: list[tuple[int, ...]] = field(default_factory=list)
    moments: list[tuple[int, ...]] = field(default_factory=list)
    points: list[tuple[int | bytes, ...]] = field(default_factory=list)
    point_rows: list[tuple[int, ...]] = field(default_factory=list)
    objects: list[tuple[int | bytes, ...]] = field(default_factory=list)
    classes: list[tuple[int | bytes, ...]] = field(default_factory=list)


SPAN_CHUNKS = {"collections": b"COLL", "collection_sums": b"CSUM", "spans": b"SPAN"}
MEMORY_CHUNKS = {
    "sites": b"SITE",
    "heaps": b"HEAP",
    "moments": b"MOMT",
    "points": b"PONT",
    "point_rows": b"PROW",
    "objects": b"OBJS",
    "classes": b"CLAS",
}


@dataclass
class Recording:
    meta: list[tuple[bytes, bytes]] = field(default_factory=list)
    codes: list[Code] = field(default_factory=lambda: [Code(b"", 0, b"", kind=0)])
    processes: list[Process] = field(default_factory=list)
    threads: list[Thread] = field(default_factory=list)
    notes: list[tuple[int, int, int]] = field(default_factory=list)
    lines: list[tuple[int, ...]] = field(default_factory=list)  # code, line, hits and three times
    sources: list[tuple[bytes, bytes]] = field(default_factory=list)  # file, text
    memory: "Memory" = field(default_factory=lambda: Memory())
    collections: list[tuple[int, ...]] = field(default_factory=list)
    collection_sums: list[tuple[int, ...]] = field(default_factory=list)
    spans: list[tuple[int, ...]] = field(default_factory=list)

    def code(self, *fields: object, **more: object) -> int:
        self.codes.append(Code(*fields, **more))  # type: ignore[arg-type]
        return len(self.codes) - 1

    def process(self, **fields: object) -> int:
        self.processes.append(Process(**fields))  # type: ignore[arg-type]
        return len(self.processes) - 1

    def thread(self, process: int = 0, name: bytes = b"main", uses: int = 1) -> Thread:
        self.threads.append(Thread(process, name, uses))
        return self.threads[-1]

    def write(self, folder: Path, ended: bool = True) -> Path:
        path = next(p for i in count() if not (p := folder / f"synthetic-{i}.fettle").exists())
        path.write_bytes(file_bytes(self, ended))
        return path


def _crc_table() -> list[int]:
    table = []
    for byte in range(256):
        for _ in range(8):
            byte = byte >> 1 ^ (0x82F63B78 if byte & 1 else 0)
        table.append(byte)
    return table


CRC_TABLE = _crc_table()


def crc32c(data: bytes) -> int:
    crc = 0xFFFFFFFF
    for byte in data:
        crc = crc >> 8 ^ CRC_TABLE[(crc ^ byte) & 0xFF]
    return crc ^ 0xFFFFFFFF


def u32(value: int) -> bytes:
    return value.to_bytes(4, "little")


def varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def varints(*values: int) -> bytes:
    return b"".join(map(varint, values))


def zstd_frame(raw: bytes) -> bytes:
    """One frame of raw blocks that states its size: RFC 8878, with a single segment."""
    out = bytearray(b"\x28\xb5\x2f\xfd\xa0" + u32(len(raw)))
    starts = range(0, len(raw), BLOCK_MAX) or [0]
    for start in starts:
        block = raw[start : start + BLOCK_MAX]
        last = start == starts[-1]
        out += (len(block) << 3 | last).to_bytes(3, "little") + block
    return bytes(out)


def header() -> bytes:
    start = b"\x89FTL\r\n\x1a\n\x01\0\x01\0"
    return start + u32(crc32c(start))


def chunk(kind: bytes, raw: bytes, sequence: int, stream: int = 0, flags: int = 0) -> bytes:
    assert len(raw) <= RAW_MAX
    stored = zstd_frame(raw)
    numbers = flags, len(raw), len(stored), stream, sequence
    head = kind + b"".join(map(u32, numbers))
    return head + u32(crc32c(head + stored)) + stored


def pack(records: list[bytes]) -> list[bytes]:
    """The records as payloads that are no longer than a chunk may be."""
    payloads, now = [], bytearray()
    for record in records:
        if len(now) + len(record) > RAW_MAX:
            payloads.append(bytes(now))
            now.clear()
        now += record
    return payloads + [bytes(now)] * bool(now)


def text_list(texts: list[bytes]) -> list[bytes]:
    return pack([varint(len(text)) + text for text in texts])


def tree_payloads(nodes: list[Node]) -> list[bytes]:
    step = RAW_MAX // 40  # of the longest nodes
    payloads = []
    for first in range(0, len(nodes), step):
        part = nodes[first : first + step]
        columns = [
            [at - node.parent for at, node in enumerate(part, first)],
            [node.code for node in part],
            [node.calls for node in part],
            [node.own for node in part],
            [node.waiting for node in part],
        ]
        payloads.append(varints(first, len(part)) + b"".join(varints(*c) for c in columns))
    return payloads


def link_records(links: dict[int, int]) -> list[bytes]:
    before, records = 0, []
    for marker, creator in sorted(links.items()):
        records.append(varints(marker - before, marker - creator))
        before = marker
    return records


def memory_records(
    recording: Recording, text: Callable[[bytes], int]
) -> list[tuple[bytes, list[bytes]]]:
    def record(row: tuple[bytes | int, ...]) -> bytes:
        return varints(*(text(part) if isinstance(part, bytes) else part for part in row))

    return [
        (kind, [record(row) for row in getattr(recording.memory, name)])
        for name, kind in MEMORY_CHUNKS.items()
    ]


def file_bytes(recording: Recording, ended: bool = True) -> bytes:
    ids = {b"": 0}

    def text(value: bytes) -> int:
        return ids.setdefault(value, len(ids))

    codes = [
        varints(code.kind, text(code.file), text(code.name), text(code.qualname), code.line)
        for code in recording.codes[1:]
    ]
    processes = [
        varints(p.pid, p.parent_pid, text(p.command), text(p.python), p.started, p.elapsed)
        for p in recording.processes
    ]
    threads = [varints(t.process, text(t.name), t.uses) for t in recording.threads]
    notes = [varints(*note) for note in recording.notes]
    lines = [varints(*line) for line in recording.lines]
    sources = [varints(text(file), text(source)) for file, source in recording.sources]
    memory = memory_records(recording, text)
    nodes = sum(len(t.nodes) for t in recording.threads)
    meta = [varint(len(k)) + k + varint(len(v)) + v for k, v in recording.meta]
    parts = [(b"META", 0, payload) for payload in pack(meta)]
    parts += [(b"TEXT", 0, payload) for payload in text_list(list(ids)[1:])]
    parts += [(b"CODE", 0, payload) for payload in pack(codes)]
    parts += [(b"PROC", 0, payload) for payload in pack(processes)]
    parts += [(b"THRD", 0, payload) for payload in pack(threads)]
    for stream, thread in enumerate(recording.threads):
        parts += [(b"TREE", stream, payload) for payload in tree_payloads(thread.nodes)]
        parts += [(b"LINK", stream, payload) for payload in pack(link_records(thread.links))]
    parts += [(b"NOTE", 0, payload) for payload in pack(notes)]
    parts += [(b"LINE", 0, payload) for payload in pack(lines)]
    parts += [(b"SRCE", 0, payload) for payload in pack(sources)]
    parts += [(kind, 0, payload) for kind, rows in memory for payload in pack(rows)]
    for name, kind in SPAN_CHUNKS.items():
        rows = [varints(*row) for row in getattr(recording, name)]
        parts += [(kind, 0, payload) for payload in pack(rows)]
    if ended:
        counts = len(ids) - 1, len(codes), len(processes), len(threads), nodes, len(notes)
        parts.append((b"END ", 0, varints(*counts)))
    chunks = (chunk(kind, raw, i, stream) for i, (kind, stream, raw) in enumerate(parts))
    return header() + b"".join(chunks)


# ---- samples ----

HOSTILE = [
    b'"quoted" and \\back\\slashed\\',
    b"two\nlines\r\n\tand a tab",
    b"a\0NUL",
    b"bidi \xe2\x80\xae txt.exe \xe2\x81\xa6",  # RIGHT-TO-LEFT OVERRIDE and an isolate
    b"\xe2\x80\xa8 and \xe2\x80\xa9",  # line ends in old JavaScript
    b"\xff\xfe not UTF-8 \x80",
    b"lone \xed\xa0\x80 and \xed\xb3\xbf surrogates",
    b"overlong \xc0\xaf \xe0\x80\xaf, past the end \xf4\x90\x80\x80 \xf7\xbf\xbf\xbf",
    b"cut \xe2\x82",
    b"\\xff in letters",
    b"\xff in letters",  # spelled as the one before
    b"\x1b[31mred\x1b[0m\x7f",
    "é ü 漢字 🐍 \U0010ffff ￿".encode(),
    b"</script><!--",
    b"x" * 5000,
    b"",
]


def login() -> Recording:
    """A program with everything a table shows: recursion, two callers, C functions, waiting."""
    r = Recording(meta=[(b"command", b"login.py"), (b"state", b"ended")])
    r.process()
    module = r.code(b"login.py", 1, b"<module>", b"<module>")
    main = r.code(b"login.py", 26, b"main_app", b"main_app")
    user = r.code(b"login.py", 14, b"login_user", b"login_user")
    sleep = r.code(b"~", 0, b"<built-in method time.sleep>", b"", C)
    fact = r.code(b"login.py", 40, b"fact", b"outer.<locals>.fact")
    thread = r.thread()
    top = thread.add(0, module, 1, 1_000_000)
    app = thread.add(top, main, 1, 2_000_000)
    login_node = thread.add(app, user, 2, 3_000_000, 1)
    thread.add(login_node, sleep, 4, 6_000_000_001, 6_000_000_000)
    first = thread.add(app, fact, 3, 500)
    second = thread.add(first, fact, 6, 700)
    thread.add(second, sleep, 1, 1_000_000_000, 1_000_000_000)
    return r


def namesakes() -> Recording:
    """Functions that pstats can not tell apart: one key, several qualnames."""
    r = Recording()
    r.process()
    caller = r.code(b"a.py", 1, b"<module>", b"<module>")
    one = r.code(b"a.py", 7, b"wrapped", b"A.wrapped")
    two = r.code(b"a.py", 7, b"wrapped", b"B.wrapped")
    other = r.code(b"a.py", 8, b"wrapped", b"A.wrapped")
    thread = r.thread()
    top = thread.add(0, caller, 1, 10)
    for calls, code in [(3, one), (4, two), (5, other)]:
        below = thread.add(top, code, calls, 1000 * code)
        thread.add(below, two, 1, 7)
    thread.add(0, two, 2, 9)
    return r


def hostile() -> Recording:
    r = Recording(meta=[(b"key %d" % i, t) for i, t in enumerate(HOSTILE) if b"\0" not in t])
    r.process(command=b"\0".join(HOSTILE), python=HOSTILE[5])
    thread = r.thread(name=HOSTILE[2])
    at = 0
    for i, text in enumerate(HOSTILE):
        at = thread.add(at, r.code(text, i, HOSTILE[-i - 1], text), i + 1, 10 + i)
    return r


def extremes() -> Recording:
    """The largest numbers that each field holds, and kinds of notes that nobody knows."""
    r = Recording()
    r.process(
        pid=2**32 - 1, parent_pid=2**32 - 1, command=b"", started=2**64 - 1, elapsed=2**64 - 1
    )
    thread = r.thread(uses=2**64 - 1)
    code = r.code(b"big.py", 2**32 - 1, b"big", b"big")
    small = r.code(b"small.py", 2**31, b"small", b"small")
    thread.add(0, code, 2**63, 2**63, 2**62)
    thread.add(1, small, 2**31, 2**53 + 1)
    thread.add(1, r.code(b"z.py", 1, b"never called", b""), 0, 0)
    r.notes = [(kind, 0, 2**64 - 1) for kind in range(1, 17)] + [(2**32 - 1, 0, 0)]
    r.collections = [(0, 2**32 - 1, start, *[2**64 - 1] * 3) for start in (0, 5, 5, 2**64 - 1)]
    r.collection_sums = [(0, 3, *[2**64 - 1] * 5), (0, 2**32 - 1, 1, 1, 1, 0, 0)]
    r.spans = [(0, 2**64 - 1, 0, 0), (0, 1, 5, 2**64 - 6), (0, 1, 2**64 - 2, 1)]
    return r


def folded() -> Recording:
    """Past the cap of nodes: edges without paths."""
    r = Recording()
    r.process()
    f = r.code(b"f.py", 1, b"f", b"f")
    g = r.code(b"f.py", 5, b"g", b"g")
    mark = r.code(b"", 0, b"", b"", FOLDED)
    again = r.code(b"", 0, b"", b"", FOLDED_AGAIN)
    thread = r.thread()
    thread.add(thread.add(0, f, 2, 100), g, 3, 50)
    caller = thread.add(thread.add(0, mark, 0), f, 0)
    thread.add(caller, g, 10, 1000)
    caller = thread.add(thread.add(0, again, 0), g, 0)
    thread.add(caller, g, 20, 2000)
    r.notes = [(1, 0, 30)]
    return r


def lines() -> Recording:
    """Two functions line by line, whose calls were recorded too, and one that never ran."""
    r = Recording(meta=[(b"command", b"app.py"), (b"state", b"ended")])
    r.process()
    module = r.code(b"app.py", 1, b"<module>", b"<module>")
    load = r.code(b"app.py", 3, b"load", b"load")
    parse = r.code(b"lib/parse.py", 10, b"parse", b"Parser.parse")
    sleep = r.code(b"~", 0, b"<built-in method time.sleep>", b"", C)
    never = r.code(b"app.py", 20, b"never", b"never")
    inner = r.code(b"app.py", 6, b"<genexpr>", b"load.<locals>.<genexpr>")
    thread = r.thread()
    at = thread.add(thread.add(0, module, 1, 1000), load, 2, 5_200)
    thread.add(at, sleep, 2, 4_000_000, 3_900_000)
    thread.add(thread.add(at, inner, 22, 30_000), parse, 20, 70_000)
    r.lines = [
        (load, 0, 2, 0, 0, 0),
        (load, 6, 24, 102_500, 0, 70_000),  # with the generator expression
        (load, 4, 2, 4_001_000, 3_900_000, 4_000_000),
        (load, 7, 2, 1_500, 0, 0),
        (parse, 0, 20, 0, 0, 0),
        (parse, 11, 20, 60_000, 0, 0),
        (parse, 12, 10, 10_000, 0, 0),
        (parse, 13, 0, 0, 0, 0),
        (never, 0, 0, 0, 0, 0),
        (never, 21, 0, 0, 0, 0),
    ]
    r.sources = [(b"app.py", b"import time\n"), (b"lib/parse.py", b"\xff")]
    return r


def lines_only() -> Recording:
    """Lines without a call, with more than a float holds, of names that need escaping."""
    r = Recording()
    r.process()
    for i, name in enumerate(HOSTILE):
        code = r.code(name, i, HOSTILE[-i - 1], name)
        r.lines += [(code, 0, i, 0, 0, 0), (code, i + 1, 2**63 + i, 2**53 + i, i, 0)]
        r.lines += [(code, 2**32 - 1, 0, 0, 0, 0)] * (i % 3)
    r.sources = [(name, text) for name, text in zip(HOSTILE, HOSTILE[::-1], strict=True)]
    return r


def memory() -> Recording:
    """Two processes with memory, one sampled; names that need escaping, numbers no float holds."""
    r = Recording()
    r.process()
    r.process(pid=101)
    codes = [r.code(name, i, HOSTILE[-i - 1], name) for i, name in enumerate(HOSTILE)]
    m = r.memory
    m.sites = [(code, 10 * code, code // 2, 0, *range(code, code + 8)) for code in codes]
    m.sites += [(0, 0, 3, 389047, *[2**64 - 1] * 8), (codes[0], 0, 0, 0, *[0] * 8)]
    m.heaps = [(0, 1, 0, 5, 600, 500, 10**9, 2, 300), (1, 25, 131072, *[2**64 - 1] * 6)]
    m.moments = [(0, 0, 10, 2**20), (0, 5, 20, 2**21), (1, 5, 2**64 - 1, 0)]
    m.points = [(i // 9, name, i, i + 1, i + 2, i + 3) for i, name in enumerate(HOSTILE)]
    m.point_rows = [(i, 1 + i % 3, i, 2**53 + i) for i in range(len(HOSTILE)) for _ in range(i % 3)]
    m.objects = [(i % 2, name, i % 4, i, 2**63 + i) for i, name in enumerate(HOSTILE)]
    m.classes = [
        (i % 2, name, HOSTILE[-i], i, 2**63 + i, 3 * i, 2 * i) for i, name in enumerate(HOSTILE)
    ]
    return r


def arbitrary_lines(seed: int) -> Recording:
    """Lines of some of the functions, which may come to more than these took themselves."""
    dice = random.Random(seed)
    r = arbitrary(seed, nodes=40)
    for code in range(1, len(r.codes)):
        if r.codes[code].kind == PYTHON and dice.random() < 0.7:
            r.lines.append((code, 0, dice.randrange(100), 0, 0, 0))
            for line in dice.sample(range(1, 60), dice.randrange(20)):
                time = dice.choice([0, 10**3, 10**6, 10**8]) * dice.randrange(3)
                r.lines.append((code, line, 1, time, time // 7, dice.randrange(time + 1)))
    dice.shuffle(r.lines)
    return r


def arbitrary(seed: int, nodes: int = 300, functions: int = 12) -> Recording:
    """Random trees of a few functions: much recursion, some threads and processes."""
    dice = random.Random(seed)
    r = Recording()
    for i in range(3):
        r.process(pid=100 + i)
    for i in range(functions):
        if dice.random() < 0.3:
            r.code(b"~", 0, b"<method %d>" % i, b"", C)
        else:
            name = b"f%d" % dice.randrange(functions)
            r.code(b"m%d.py" % dice.randrange(3), dice.randrange(4), name, name + b"%d" % i)
    for i in range(4):
        thread = r.thread(dice.randrange(3), b"thread %d" % i, dice.randrange(1, 4))
        paths = {}
        for _ in range(nodes):
            path = dice.randrange(len(thread.nodes)), dice.randrange(1, functions + 1)
            own = dice.randrange(10**9)
            if path not in paths:
                paths[path] = thread.add(*path, dice.randrange(100), own, dice.randrange(own + 1))
    return r


SAMPLES = {
    "empty": Recording,
    "login": login,
    "namesakes": namesakes,
    "hostile": hostile,
    "extremes": extremes,
    "folded": folded,
    "lines": lines,
    "lines only": lines_only,
    "arbitrary lines": lambda: arbitrary_lines(1),
    "memory": memory,
} | {f"arbitrary {seed}": lambda seed=seed: arbitrary(seed) for seed in range(5)}
WITHOUT_CALLS = "empty", "lines only", "memory"  # pstats refuses what has none
