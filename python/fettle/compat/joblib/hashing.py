# SPDX-License-Identifier: Apache-2.0
"""hash(): a digest of any object that can be pickled, the same in every process.

What is digested is the object's pickle, written so that it depends on the object's value alone:
dictionaries and sets in order, strings never as references to an earlier one, arrays by their
bytes. The digests are those of joblib, byte for byte, so that what it has kept is found.

The classes here are Python's pickler in Python, which is slow and can be overridden everywhere.
"""

import hashlib
import io
import pickle
import struct
import sys
import types
from collections.abc import Callable, Iterable
from typing import Any, ClassVar

__all__ = ["Hasher", "NumpyHasher", "Pickler", "hash"]

_HASHES = ("md5", "sha1")
_PROTOCOL = 3  # the last one without frames
_BOUND = (types.MethodType, types.BuiltinMethodType)

Pickler: Any = pickle._Pickler


class _ConsistentSet:
    """Stands for a set: its elements in an order that does not depend on how it was made."""

    def __init__(self, elements: Iterable[Any]) -> None:
        try:
            self._sequence = sorted(elements)
        except (TypeError, ArithmeticError):  # not to be ordered; a Decimal that is nan
            self._sequence = sorted(hash(element) for element in elements)


class _MyHash:
    """Stands for a bound method, which pickle may not take: its name and what it is bound to."""

    def __init__(self, *args: Any) -> None:
        self.args = args


# A digest has the names of classes in it, and these are joblib's.
_NAMED = {
    each: b"c" + b"joblib.hashing\n" + each.__name__.encode() + b"\n"
    for each in (_ConsistentSet, _MyHash)
}


class Hasher(Pickler):
    """A pickler of one object, whose pickle is digested."""

    dispatch: ClassVar[dict[Any, Any]] = dict(Pickler.dispatch)

    def __init__(self, hash_name: str = "md5") -> None:
        self.stream = io.BytesIO()
        super().__init__(self.stream, protocol=_PROTOCOL)
        self._hash = hashlib.new(hash_name, usedforsecurity=False)

    def hash(self, obj: Any, return_digest: bool = True) -> str | None:
        """The hexadecimal digest. PicklingError where something in obj can not be pickled."""
        try:
            self.dump(obj)
        except pickle.PicklingError as error:
            error.args += (f"PicklingError while hashing {obj!r}: {error!r}",)
            raise
        self._hash.update(self.stream.getvalue())
        return self._hash.hexdigest() if return_digest else None

    def save(self, obj: Any) -> None:
        if isinstance(obj, _BOUND):
            obj = self._bound(obj)
        super().save(obj)

    @staticmethod
    def _bound(method: Any) -> _MyHash:
        owner = method.__self__
        name = getattr(method, "__func__", method).__name__
        if isinstance(owner, types.ModuleType):
            return _MyHash(name, owner.__name__)
        return _MyHash(name, owner) if owner is None else _MyHash(name, owner, type(owner))

    def memoize(self, obj: Any) -> None:
        # Equal strings may be one object or several, which must make no difference.
        if not isinstance(obj, (bytes, str)):
            super().memoize(obj)

    def save_global(self, obj: Any, name: str | None = None) -> None:
        if isinstance(obj, type) and obj in _NAMED:
            self.write(_NAMED[obj])
            self.memoize(obj)
        else:
            super().save_global(obj, name)

    # Those of the pickler in Python that do otherwise: what is pickled by its name is always.
    dispatch[type] = dispatch[types.FunctionType] = save_global
    dispatch[types.BuiltinFunctionType] = save_global

    def _batch_setitems(self, items: Iterable[tuple[Any, Any]], *more: Any) -> None:
        pairs = list(items)
        try:
            pairs.sort()
        except TypeError:  # keys that have no order have digests, which do
            pairs = sorted((hash(key), value) for key, value in pairs)
        super()._batch_setitems(iter(pairs), *more)  # from 3.14 on more is the dictionary

    def save_set(self, elements: set[Any]) -> None:
        super().save(_ConsistentSet(elements))

    dispatch[set] = save_set


class NumpyHasher(Hasher):
    """A Hasher that digests arrays from where they lie.

    coerce_mmap: a mapped array has the digest of an array in memory.
    """

    def __init__(self, hash_name: str = "md5", coerce_mmap: bool = False) -> None:
        import numpy as np

        self.coerce_mmap = coerce_mmap
        self.np: Any = np
        super().__init__(hash_name=hash_name)

    def save(self, obj: Any) -> None:
        np = self.np
        if isinstance(obj, np.ndarray) and not obj.dtype.hasobject:
            self._hash.update(self._bytes(obj))
            mapped = self.coerce_mmap and isinstance(obj, np.memmap)
            kind = np.ndarray if mapped else type(obj)
            obj = (kind, ("HASHED", obj.dtype, obj.shape, obj.strides))
        elif isinstance(obj, np.dtype):
            # On its own, as whether two equal ones are the same object must make no difference.
            self._hash.update(b"_HASHED_DTYPE")
            self._hash.update(pickle.dumps(obj))
            return
        super().save(obj)

    def _bytes(self, array: Any) -> memoryview:
        """The bytes of its elements: copied only where they do not lie one after the other."""
        if array.shape == ():
            array = array.flatten()
        elif not array.flags.c_contiguous:
            array = array.T if array.flags.f_contiguous else array.flatten()
        return memoryview(array.view(self.np.uint8))


# ---- the short way ----


def _int(value: int) -> bytes | None:
    if 0 <= value <= 0xFF:
        return b"K%c" % value
    if 0 <= value <= 0xFFFF:
        return b"M" + value.to_bytes(2, "little")
    if -(1 << 31) <= value < 1 << 31:
        return b"J" + value.to_bytes(4, "little", signed=True)
    return None


def _str(value: str) -> bytes:
    encoded = value.encode("utf-8", "surrogatepass")
    return b"X" + len(encoded).to_bytes(4, "little") + encoded


_float = struct.Struct(">d").pack
_PLAIN: dict[type, Callable[[Any], bytes | None]] = {
    int: _int,
    str: _str,
    float: lambda value: b"G" + _float(value),
    bool: lambda value: b"\x88" if value else b"\x89",
    type(None): lambda value: b"N",
}
_SHORT = 1 << 16  # characters or items: longer ones go the long way


def _plain(obj: Any) -> bytes | None:
    """What a Hasher digests of names with numbers, texts and None, the arguments of most calls;
    None for anything else."""
    if type(obj) is not dict or len(obj) > 100:
        return None
    parts = []
    for name in obj:
        value = obj[name]
        write = _PLAIN.get(type(value))
        if write is None or type(name) is not str or (write is _str and len(value) > _SHORT):
            return None
        written = write(value)
        if written is None:
            return None
        parts.append((name, written))
    parts.sort()
    items = b"".join([_str(name) + written for name, written in parts])
    if len(parts) > 1:
        items = b"(" + items + b"u."
    else:
        items += b"s." if parts else b"."
    return b"\x80\x03}q\0" + items


def hash(obj: Any, hash_name: str = "md5", coerce_mmap: bool = False) -> str | None:
    """A hexadecimal digest of obj, equal for equal objects, in another process too.

    hash_name: "md5" or "sha1". coerce_mmap: a mapped array is as one in memory.

    >>> from fettle.compat.joblib import hash
    >>> hash({"b": [1], "a": {2, 3}}) == hash({"a": {3, 2}, "b": [1]})
    True
    >>> hash("a string to hash") == hash(b"a string to hash")
    False
    """
    if hash_name not in _HASHES:
        raise ValueError(
            f"Valid options for 'hash_name' are {_HASHES}. Got hash_name={hash_name!r} instead."
        )
    plain = _plain(obj)
    if plain is not None:
        return hashlib.new(hash_name, plain, usedforsecurity=False).hexdigest()
    if "numpy" in sys.modules:
        return NumpyHasher(hash_name, coerce_mmap).hash(obj)
    return Hasher(hash_name).hash(obj)
