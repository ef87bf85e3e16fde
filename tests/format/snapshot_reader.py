# SPDX-License-Identifier: Apache-2.0
"""A second reader of snapshots of memory, written from docs/snapshot-format.md alone: plain Python,
slow, whole. It shares no code with the engine and exists to disagree with it."""

import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from .fettle_reader import crc32c, zstd

MAGIC = b"\x89FTS\r\n\x1a\n"
SKIPPABLE = 1


class SnapshotError(Exception):
    """A file that breaks a rule of the page."""


def must(held: bool) -> None:
    if not held:
        raise SnapshotError


class Payload:
    def __init__(self, raw: bytes) -> None:
        self.raw, self.at = raw, 0

    def take(self, length: int) -> bytes:
        must(self.at + length <= len(self.raw))
        self.at += length
        return self.raw[self.at - length : self.at]

    def varint(self, bits: int = 64) -> int:
        value = shift = 0
        while True:
            byte = self.take(1)[0]
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                must(value < 1 << bits and shift <= 70)
                return value


@dataclass
class Contents:
    texts: list[str] = field(default_factory=lambda: [""])
    stacks: list[tuple[tuple[str, int], ...]] = field(default_factory=list)
    groups: list[tuple[Any, int]] = field(default_factory=list)
    attributes: list[tuple[str, Any]] = field(default_factory=list)
    blocks: int = 0

    def text(self, payload: Payload) -> None:
        text = payload.take(payload.varint()).decode("utf-8", "surrogatepass")
        must(text != "")
        self.texts.append(text)

    def known_text(self, number: int) -> str:
        must(number < len(self.texts))
        return self.texts[number]

    def stack(self, payload: Payload) -> None:
        count = payload.varint()
        frames = [(self.known_text(payload.varint()), payload.varint(32)) for _ in range(count)]
        self.stacks.append(tuple(frames))

    def group(self, payload: Payload) -> None:
        domain, size, count = payload.varint(32), payload.varint(63), payload.varint()
        stack, depth = payload.varint(32), payload.varint(32)
        must(count > 0 and stack < len(self.stacks))
        self.groups.append(
            ((domain, size, self.stacks[stack], depth - 1 if depth else None), count)
        )
        self.blocks += count
        must(self.blocks <= 1 << 40)

    def attribute(self, payload: Payload) -> None:
        name, kind, bits = self.known_text(payload.varint()), payload.take(1)[0], payload.take(8)
        must(kind <= 5 and (kind > 2 or not any(bits)))
        constants = [None, False, True]
        if kind == 5:
            value: Any = self.known_text(int.from_bytes(bits, "little"))
        else:
            value = (
                constants[kind] if kind < 3 else struct.unpack("<q" if kind == 3 else "<d", bits)[0]
            )
        self.attributes.append((name, value))

    def end(self, payload: Payload) -> None:
        found = [len(self.texts) - 1, len(self.stacks), len(self.groups), len(self.attributes)]
        must(len(set(self.texts)) == len(self.texts))
        must([payload.varint() for _ in found] == found)
        must(payload.at == len(payload.raw))


def read(data: bytes) -> tuple[list[tuple[Any, int]], dict[str, Any]]:
    """(groups, attributes), as fettle._core.read_snapshot gives them."""
    must(data[:8] == MAGIC and data[8:16] == struct.pack("<II", 1, crc32c(data[:12])))
    into, at, sequence = Contents(), 16, 0
    kinds: list[tuple[bytes, Callable[[Payload], None]]] = [
        (b"TEXT", into.text),
        (b"STAK", into.stack),
        (b"GRUP", into.group),
        (b"ATTR", into.attribute),
        (b"END ", into.end),
    ]
    while kinds:
        head = data[at : at + 28]
        kind, flags, raw_length, length, stream, number, checksum = struct.unpack("<4s6I", head)
        stored = data[at + 28 : at + 28 + length]
        must(checksum == crc32c(head[:24] + stored) and number == sequence and stream == 0)
        at, sequence = at + 28 + length, sequence + 1
        if flags == SKIPPABLE and kind not in [name for name, _ in kinds]:
            continue
        while kinds and kinds[0][0] != kind:
            kinds.pop(0)
        must(bool(kinds) and flags == 0)
        payload = Payload(zstd.decompress(stored))
        must(len(payload.raw) == raw_length > 0)
        while payload.at < raw_length:
            kinds[0][1](payload)
        if kind == b"END ":
            kinds.clear()
    must(at == len(data))
    return into.groups, dict(into.attributes)
