# SPDX-License-Identifier: Apache-2.0
"""What values are to a digest, written a second time: as bytes, and as forms that can be compared.

A plan without parameters digests its prefix and nothing else, so digest_of tells what digest any
bytes have without a word of how values are encoded.
"""

import math
import struct
from typing import Any

from fettle._core import CallPlan

EMPTY = CallPlan("empty", ())


def digest_of(encoded: bytes, secret: bytes = b"") -> bytes:
    digest = EMPTY.digest((), {}, encoded, secret)
    assert digest is not None
    return digest


def head(mark: bytes, length: int) -> bytes:
    return mark + (bytes([length]) if length < 255 else b"\xff" + struct.pack("=Q", length))


def encode_float(mark: bytes, value: float) -> bytes:
    bits = struct.pack("=Q", 0x7FF8 << 48) if math.isnan(value) else struct.pack("=d", value)
    return mark + bits


def encode_text(text: str) -> bytes:
    widest = max(map(ord, text), default=0)
    mark, codec = (
        (b"s", "latin-1")
        if widest < 256
        else (b"t", "utf-16-le")
        if widest < 65536
        else (b"v", "utf-32-le")
    )
    return head(mark, len(text)) + text.encode(codec, "surrogatepass")


def number(digest: bytes) -> tuple[int, int]:
    low, high = struct.unpack("=QQ", digest)
    return high, low


def in_any_order(mark: bytes, rows: list[bytes], secret: bytes) -> bytes:
    digests = sorted((digest_of(row, secret) for row in rows), key=number)
    return head(mark, len(rows)) + b"".join(digests)


def encode_class(cls: type) -> bytes:
    return b"C" + encode_text(cls.__module__) + encode_text(cls.__qualname__)


ATOMS = {type(None): b"N", type(...): b".", type(NotImplemented): b"!"}


def encode(value: Any, secret: bytes = b"") -> bytes:
    """The bytes of a value of built-in types on a little-endian machine."""

    def inner(*values: Any) -> bytes:
        return b"".join(encode(one, secret) for one in values)

    cls = type(value)
    if cls in ATOMS:
        return ATOMS[cls]
    if cls is bool:
        return b"T" if value else b"F"
    if cls is int:
        if -(1 << 63) <= value < 1 << 63:
            return b"i" + struct.pack("=q", value)
        return head(b"I", len(hex(value))) + hex(value).encode()
    if cls is float:
        return encode_float(b"f", value)
    if cls is complex:
        return encode_float(b"c", value.real) + encode_float(b"f", value.imag)
    if cls is str:
        return encode_text(value)
    if cls is bytes or cls is bytearray:
        return head(b"b" if cls is bytes else b"B", len(value)) + value
    if cls is tuple or cls is list:
        return head(b"(" if cls is tuple else b"[", len(value)) + inner(*value)
    if cls is dict:
        return in_any_order(b"{", [inner(*item) for item in value.items()], secret)
    if cls is set or cls is frozenset:
        return in_any_order(b"S" if cls is set else b"Z", [inner(one) for one in value], secret)
    if cls is range or cls is slice:
        return (b"r" if cls is range else b"/") + inner(value.start, value.stop, value.step)
    if isinstance(value, type):
        return encode_class(value)
    raise TypeError(cls)


def encode_reduced(value: Any) -> bytes:
    """The bytes of an object whose parts are of built-in types."""
    parts = list(value.__reduce_ex__(4))
    parts += [None] * (6 - len(parts))
    function, arguments, state, items, pairs, setter = parts
    if isinstance(function, type):
        called = encode_class(function)
    else:
        called = b"g" + encode_text(function.__module__) + encode_text(function.__qualname__)
    row = b"".join(b"+" + encode(item) for item in items or ()) + b";"
    rows = b";" if pairs is None else in_any_order(b"{", [encode(pair) for pair in pairs], b"")
    assert setter is None
    return b"R" + called + encode(arguments) + encode(state) + row + rows + b"N"


def form(value: Any) -> Any:
    """Something hashable that is equal for equal values of equal types, and for no others."""
    cls = type(value)
    if cls is float or cls is complex:
        return cls, repr(value)
    if cls is tuple or cls is list:
        return cls, tuple(map(form, value))
    if cls is dict:
        return cls, frozenset((form(key), form(one)) for key, one in value.items())
    if cls is set or cls is frozenset:
        # two nan are two elements of one form
        forms = [form(one) for one in value]
        return cls, frozenset((one, forms.count(one)) for one in forms)
    if cls is range or cls is slice:
        return cls, form((value.start, value.stop, value.step))
    return cls, bytes(value) if cls is bytearray else value
