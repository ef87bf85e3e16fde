# SPDX-License-Identifier: Apache-2.0
"""The files that values are kept in: joblib's format, so that each reads what the other wrote.

A pickle; where it has an array, a description of the array (joblib's class NumpyArrayWrapper, of
which only the name is in the file), then padding to 16 bytes and the array's bytes, so that they
can be mapped. The whole may be compressed.

A file is unpickled: who can write in the folder can make the program do anything.
"""

import bz2
import gzip
import io
import lzma
import pickle
import zlib
from collections.abc import Callable
from typing import IO, Any, ClassVar

__all__ = ["compression", "dump", "load"]

_ALIGNED = 16
_WRAPPER = ("joblib.numpy_pickle", "NumpyArrayWrapper")
_LEVEL = 3  # where none is named
_WHOLE = 1 << 16  # bytes: smaller files are read at once

# Its name, how to compress, what a file begins with, how to decompress.
_METHODS: dict[str, tuple[Callable[[bytes, int], bytes], bytes, Callable[[bytes], bytes]]] = {
    "zlib": (zlib.compress, b"\x78", zlib.decompress),
    "gzip": (gzip.compress, b"\x1f\x8b", gzip.decompress),
    "bz2": (lambda data, level: bz2.compress(data, max(level, 1)), b"BZ", bz2.decompress),
    "xz": (lambda data, level: lzma.compress(data, preset=level), b"\xfd7zXZ", lzma.decompress),
    "lzma": (
        lambda data, level: lzma.compress(data, lzma.FORMAT_ALONE, preset=level),
        b"\x5d\x00",
        lzma.decompress,
    ),
}

_Pickler: Any = pickle._Pickler
_Unpickler: Any = pickle._Unpickler


class NumpyArrayWrapper:
    """What the pickle has in an array's place; its attributes are in the file."""

    subclass: type
    shape: tuple[int, ...]
    order: str
    dtype: Any
    allow_mmap: bool
    numpy_array_alignment_bytes: int | None = None

    @classmethod
    def of(cls, array: Any) -> "NumpyArrayWrapper":
        made = cls()
        flags = array.flags
        made.subclass = type(array)
        made.shape = array.shape
        made.order = "F" if flags.f_contiguous and not flags.c_contiguous else "C"
        made.dtype = array.dtype
        made.allow_mmap = not array.dtype.hasobject
        made.numpy_array_alignment_bytes = _ALIGNED
        return made

    def write(self, array: Any, file: IO[bytes]) -> None:
        """The array's bytes, to where the file stands."""
        if self.dtype.hasobject:
            pickle.dump(array, file, protocol=5)
            return
        padding = _ALIGNED - (file.tell() + 1) % _ALIGNED
        file.write(bytes([padding]) + b"\xff" * padding)
        file.write(_bytes(array.T if self.order == "F" else array))

    def read(self, file: IO[bytes], path: str | None, mmap_mode: str | None) -> Any:
        """The array whose bytes follow."""
        import numpy as np

        if self.dtype.hasobject:
            return pickle.load(file)
        if self.numpy_array_alignment_bytes is not None:
            file.read(file.read(1)[0])
        count = 1
        for each in self.shape:
            count *= int(each)
        size = count * self.dtype.itemsize
        if path is not None and mmap_mode is not None and self.allow_mmap and size:
            start = file.tell()
            file.seek(start + size)
            return np.memmap(
                path,
                dtype=self.dtype,
                mode=_mapped(mmap_mode),
                offset=start,
                shape=self.shape,
                order="F" if self.order == "F" else "C",
            )
        array = np.empty(self.shape, dtype=self.dtype, order="F" if self.order == "F" else "C")
        _fill(array.T if self.order == "F" else array, file, size)
        if not array.dtype.isnative and mmap_mode is None:
            array = array.byteswap().view(array.dtype.newbyteorder("="))
        if self.subclass is np.matrix:
            return array.view(np.matrix)
        return array


def _mapped(mode: str) -> Any:
    return "r+" if mode == "w+" else mode  # w+ would empty the file


def _bytes(array: Any) -> Any:
    """The bytes of an array in C's order, not copied where they lie so."""
    import numpy as np

    plain = np.asarray(array)
    if not plain.flags.c_contiguous or not plain.dtype.itemsize or not plain.size:
        return plain.tobytes()
    return memoryview(plain.reshape(-1).view(np.uint8))


def _fill(array: Any, file: IO[bytes], size: int) -> None:
    import numpy as np

    if not size:
        return
    view = memoryview(array.reshape(-1).view(np.uint8))
    done = 0
    while done < size:
        got = file.readinto(view[done:])  # type: ignore[attr-defined]
        if not got:
            raise ValueError(f"the file ends after {done} of an array's {size} bytes")
        done += got


# ---- writing ----


class _HasArray(Exception):
    """There is an array in the value: the pickler in C can not write it."""


class _PlainPickler(pickle.Pickler):
    def __init__(self, file: IO[bytes], arrays: tuple[type, ...]) -> None:
        super().__init__(file, pickle.DEFAULT_PROTOCOL)
        self._arrays = arrays

    def reducer_override(self, obj: Any) -> Any:
        if type(obj) in self._arrays:
            raise _HasArray
        return NotImplemented


class _ArrayPickler(_Pickler):
    """Python's pickler in Python, which can put bytes of its own into the file."""

    dispatch: ClassVar[dict[Any, Any]] = dict(_Pickler.dispatch)

    def __init__(self, file: IO[bytes], arrays: tuple[type, ...]) -> None:
        super().__init__(file, pickle.DEFAULT_PROTOCOL)
        self._file = file
        self._arrays = arrays

    def save(self, obj: Any) -> None:
        if type(obj) not in self._arrays:
            super().save(obj)
            return
        if type(obj) is self._arrays[-1]:  # a mapped array is kept as an array
            import numpy as np

            obj = np.asanyarray(obj).view(np.ndarray)
        wrapper = NumpyArrayWrapper.of(obj)
        super().save(wrapper)
        self.framer.commit_frame(force=True)
        wrapper.write(obj, self._file)

    def save_wrapper(self, obj: type) -> None:
        """The name of joblib's class for that of ours."""
        if obj is not NumpyArrayWrapper:
            self.save_type(obj)
            return
        self.save(_WRAPPER[0])
        self.save(_WRAPPER[1])
        self.write(pickle.STACK_GLOBAL)
        self.memoize(obj)

    dispatch[type] = save_wrapper


def _arrays() -> tuple[type, ...]:
    """The types that are written as arrays; that of mapped ones is the last."""
    import sys

    numpy: Any = sys.modules.get("numpy")  # a value with an array has loaded it
    if numpy is None or not hasattr(numpy, "memmap"):
        return ()
    return (numpy.ndarray, numpy.matrix, numpy.memmap)


def _write(value: Any, file: IO[bytes]) -> None:
    arrays = _arrays()
    start = file.tell()
    try:
        _PlainPickler(file, arrays).dump(value)
    except _HasArray:
        file.seek(start)
        file.truncate()
        _ArrayPickler(file, arrays).dump(value)


def dump(value: Any, file: IO[bytes], compress: Any = False) -> None:
    """Writes value to a file. compress: False or 0, True, a level of zlib's up to 9, the name of a
    method, or (name, level)."""
    method, level = compression(compress)
    if not level:
        _write(value, file)
        return
    memory = io.BytesIO()
    _write(value, memory)
    file.write(_METHODS[method][0](memory.getbuffer(), level))  # type: ignore[arg-type]


def compression(compress: Any) -> tuple[str, int]:
    """The method and the level that compress means. ValueError for what means none."""
    method, level = "zlib", compress
    if isinstance(compress, str):
        method, level = compress, True
    elif isinstance(compress, tuple):
        method, level = compress
    if level is True or level is None:
        level = _LEVEL
    level = level or 0
    if method not in _METHODS:
        raise ValueError(f"compress: there is no method {method!r}, only {', '.join(_METHODS)}")
    if level not in range(10):
        raise ValueError(f"compress: a level is a number from 0 to 9, not {level!r}")
    return method, int(level)


# ---- reading ----


class _ArrayUnpickler(_Unpickler):
    dispatch: ClassVar[dict[Any, Any]] = dict(_Unpickler.dispatch)

    def __init__(self, file: IO[bytes], path: str | None, mmap_mode: str | None) -> None:
        super().__init__(file)
        self._file, self._path, self._mmap_mode = file, path, mmap_mode

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == _WRAPPER:
            return NumpyArrayWrapper
        return super().find_class(module, name)

    def load_build(self) -> None:
        super().load_build()
        if isinstance(self.stack[-1], NumpyArrayWrapper):
            self.stack[-1] = self.stack[-1].read(self._file, self._path, self._mmap_mode)

    dispatch[pickle.BUILD[0]] = load_build


def load(file: IO[bytes], path: str | None = None, mmap_mode: str | None = None) -> Any:
    """The value that a file has. path and mmap_mode: its arrays are mapped from there."""
    start = file.read(_WHOLE)
    for _, mark, decompress in _METHODS.values():
        if start.startswith(mark):
            start = decompress(start + file.read())
            return _ArrayUnpickler(io.BytesIO(start), None, mmap_mode).load()
    if len(start) < _WHOLE and _WRAPPER[1].encode() not in start:
        return pickle.loads(start)
    file.seek(0)
    return _ArrayUnpickler(file, path, mmap_mode).load()
