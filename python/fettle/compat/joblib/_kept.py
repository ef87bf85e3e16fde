# SPDX-License-Identifier: Apache-2.0
"""The store that is used by default: the texts of functions lie where joblib has them, all results
in a store of fettle's beside them.

    LOCATION/joblib/MODULE/.../FUNCTION/func_code.py
    LOCATION/joblib/.fettle/v1/                            fettle._core.Store

A result is kept as (value, arguments as text); when, and how long it took, the store knows. A key
is the digest of the arguments, exclusive or that of the function's path, so that both can be told
from it. The results of a function whose text is not there are never believed.
"""

import hashlib
import os
import re
import warnings
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from fettle import _core
from fettle.caching import place
from fettle.caching.place import LAYOUT

from ._pickles import compression
from ._store_backends import (
    CacheItemInfo,
    CacheWarning,
    FileSystemStoreBackend,
    forget_texts,
    memstr_to_bytes,
)

__all__ = ["FettleStoreBackend"]

_FOLDER = ".fettle"
_HASH = re.compile("[0-9a-f]{32}")
_PRIVATE, _SHARED = 1, 2  # views of large values: mapped
_VIEWS = {None: _PRIVATE, "r": _SHARED}  # what is written into others stays in this process

_TROUBLES = {
    place.READ_ONLY: "it can not be written, so nothing more is kept: change its permissions",
    place.FULL: "the disk is full, so nothing more is kept: make room, or reduce_size()",
    place.CORRUPT: "something in it was damaged and is computed anew",
    place.IO: "the system says: {}",
    place.NEWER: "a newer fettle has written it: update fettle, or name another location",
    place.FOREIGN: "another user owns it or could write in it, so it is not used: name another "
    "location",
    place.LOCK: "another process kept it locked for seconds, and a result was not kept",
    place.UNDECODED: "a result can not be made an object again, and is computed at each call: "
    "return something that can be unpickled",
    place.LARGE: "a result is larger than half of what it may take, and is not kept: raise "
    "bytes_limit",
}
_OPEN = 16  # stores at once: each has some files open

# By folder and limit: (device and inode, store). One for all Memory objects, in a forked child too.
_opened: dict[tuple[str, int], tuple[tuple[int, int], _core.Store]] = {}
_said: set[tuple[str, int]] = set()


def _identity(folder: str) -> tuple[int, int]:
    at = os.stat(folder)
    return at.st_dev, at.st_ino


class _NoStore:
    """In a store's place where none can be made."""

    folder = ""

    def get(self, key: bytes, view: int = 0) -> None: ...
    def peek(self, key: bytes) -> None: ...
    def each(self, told: Any) -> None: ...
    def each_function(self, told: Any) -> None: ...
    def remove(self, key: bytes) -> bool:
        return False

    def put(self, *arguments: Any) -> bool:
        return False

    def name_function(self, name: str) -> int:
        return 0

    def clear(self, function: int = 0) -> int:
        return 0

    def reduce(self, *bounds: Any) -> int:
        return 0

    def measure(self) -> tuple[int, int, int]:
        return 0, 0, 0

    def troubles(self) -> tuple[int, int]:
        return 0, 0


class FettleStoreBackend(FileSystemStoreBackend):
    """Results in a store of fettle's. backend_options: compress, mmap_mode, and bytes_limit, which
    is the most that it takes on disk."""

    bytes_limit: int = 0  # none

    def configure(
        self,
        location: str,
        verbose: int = 1,
        backend_options: Mapping[str, Any] | None = None,
    ) -> None:
        """Makes the folder, and opens the store in it."""
        try:
            super().configure(location, verbose, backend_options)
        except OSError as error:
            self._say_unable(error)
        limit = (backend_options or {}).get("bytes_limit") or 0
        self.bytes_limit = memstr_to_bytes(limit) if isinstance(limit, str) else limit
        self._fresh()

    # ---- the store ----

    def _folder(self) -> str:
        folder = f"{self.location}/{_FOLDER}/{LAYOUT}"
        return folder if folder[0] == "/" else os.path.abspath(folder)

    @property
    def _store(self) -> "_core.Store | _NoStore":
        found = _opened.get((self._folder(), self.bytes_limit))
        return self._fresh() if found is None else found[1]

    def _fresh(self) -> "_core.Store | _NoStore":
        """The store, opened anew if somebody has removed its folder."""
        folder = self._folder()
        found = _opened.get((folder, self.bytes_limit))
        try:
            if found is not None and found[0] == _identity(folder):
                return found[1]
        except OSError:
            pass
        if found is not None:
            forget_texts(self.location)
        try:
            os.makedirs(self.location, exist_ok=True)
            os.makedirs(os.path.dirname(folder), mode=0o700, exist_ok=True)
            store = _core.Store(folder, self.bytes_limit)
            _opened[folder, self.bytes_limit] = _identity(folder), store
            while len(_opened) > _OPEN:
                _opened.pop(next(iter(_opened)), None)
        except OSError as error:
            self._say_unable(error)
            return _NoStore()
        self._say_troubles(store)
        return store

    def _say_unable(self, error: OSError) -> None:
        if (self.location, 0) not in _said:
            _said.add((self.location, 0))
            warnings.warn(f"Unable to cache to disk: {error}.", CacheWarning, stacklevel=2)

    def _say_troubles(self, store: _core.Store | _NoStore) -> None:
        """Warns of each kind of trouble once."""
        found, errno = store.troubles()
        for bit, text in _TROUBLES.items():
            if found & bit and (store.folder, bit) not in _said:
                _said.add((store.folder, bit))
                text = text.format(os.strerror(errno))
                warnings.warn(f"Unable to use {store.folder}: {text}.", CacheWarning, stacklevel=2)

    @staticmethod
    def _mask(name: str) -> int:
        return int.from_bytes(hashlib.md5(name.encode(), usedforsecurity=False).digest(), "big")

    def _key(self, call_id: Sequence[str]) -> bytes:
        name, hashed = "/".join(call_id[:-1]), call_id[-1]
        digest = int(hashed, 16) if _HASH.fullmatch(hashed) else self._mask(hashed)
        return (digest ^ self._mask(name)).to_bytes(16, "big")

    # ---- results ----

    def contains_item(self, call_id: Sequence[str]) -> bool:
        """Is there a result of this call?"""
        return self._store.peek(self._key(call_id)) is not None

    def load_item(
        self,
        call_id: Sequence[str],
        verbose: int = 1,
        timestamp: float | None = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> Any:
        """The result of a call. KeyError where there is none, or it was damaged."""
        if verbose > 1:
            self._say_loading(call_id, verbose, timestamp, metadata)
        found = self._store.get(self._key(call_id), _VIEWS.get(self.mmap_mode, _PRIVATE))
        if found is None:
            self._say_troubles(self._store)
            raise KeyError(f"there is no {self._path(call_id)}: it may have been cleared")
        return found[0][0]

    def keep(
        self, call_id: Sequence[str], item: Any, metadata: Mapping[str, Any], verbose: int = 1
    ) -> None:
        """dump_item and store_metadata in one."""
        if verbose > 10:
            print(f"Persisting in {self._path(call_id)}")
        arguments = dict(metadata.get("input_args", ()))
        try:
            level = compression(self.compress)[1]
            store = self._fresh()
            function = store.name_function("/".join(call_id[:-1]))
            cost = metadata.get("duration", 0.0)
            if not store.put(self._key(call_id), function, (item, arguments), cost, level):
                self._say_troubles(store)
        except Exception as error:
            warnings.warn(
                f"Unable to cache to disk what {call_id[0]} returned: {error!r}.",
                CacheWarning,
                stacklevel=3,
            )

    def dump_item(self, call_id: Sequence[str], item: Any, verbose: int = 1) -> None:
        """Keeps the result of a call, or warns that it could not."""
        self.keep(call_id, item, {}, verbose)

    def get_metadata(self, call_id: Sequence[str]) -> dict[str, Any]:
        """duration, input_args and time of a call; empty where there is none."""
        found = self._store.get(self._key(call_id), _SHARED)
        if found is None:
            return {}
        (_, arguments), entry = found
        return {"duration": entry[3], "input_args": arguments, "time": entry[2]}

    def store_metadata(self, call_id: Sequence[str], metadata: Mapping[str, Any]) -> None:
        """Keeps what get_metadata gives, if it can."""
        found = self._store.get(self._key(call_id))
        if found is not None:
            self.keep(call_id, found[0][0], metadata)

    def clear_item(self, call_id: Sequence[str]) -> None:
        """Forgets the result of a call."""
        self._store.remove(self._key(call_id))

    # ---- functions and the whole ----

    def store_cached_func_code(self, call_id: Sequence[str], func_code: str | None = None) -> None:
        """Makes the folder of a function, and keeps its text."""
        self._fresh()
        try:
            super().store_cached_func_code(call_id, func_code)
        except OSError as error:
            self._say_unable(error)

    def get_cached_func_code(self, call_id: Sequence[str]) -> str:
        """The text that was kept. OSError where there is none: nobody knows whose results are
        there, and they are forgotten."""
        try:
            return super().get_cached_func_code(call_id)
        except OSError:
            self._clear_function("/".join(call_id))
            raise

    def _clear_function(self, name: str) -> None:
        store = self._fresh()
        store.clear(store.name_function(name))

    def clear_path(self, call_id: Sequence[str]) -> None:
        """Forgets all results of a function, then its text."""
        self._clear_function("/".join(call_id))
        super().clear_path(call_id)

    def clear_location(self, location: str) -> None:
        """Forgets what is kept under a path: one result, or everything."""
        if location == self.location:
            self._fresh().clear()
            for name in os.listdir(location) if os.path.isdir(location) else ():
                if name != _FOLDER and os.path.isdir(os.path.join(location, name)):
                    super().clear_location(os.path.join(location, name))
            return
        folder, name = os.path.split(os.path.relpath(location, self.location))
        if _HASH.fullmatch(name):
            self.clear_item([folder, name])
        else:
            super().clear_location(location)

    def get_items(self) -> list[CacheItemInfo]:
        """What is kept, in no order: the paths are those that joblib's files would have."""
        names: dict[int, str] = {}
        masks: dict[int, int] = {}

        def function(row: tuple[Any, ...]) -> None:
            names[row[0]], masks[row[0]] = row[1], self._mask(row[1])

        found = []

        def entry(row: tuple[Any, ...]) -> None:
            if row[1] in names:
                digest = int.from_bytes(row[0], "big") ^ masks[row[1]]
                path = os.path.join(self.location, names[row[1]], f"{digest:032x}")
                found.append(CacheItemInfo(path, row[6], datetime.fromtimestamp(row[4])))

        store = self._store
        store.each_function(function)
        store.each(entry)
        return found

    def enforce_store_limits(
        self,
        bytes_limit: int | str | None,
        items_limit: int | None = None,
        age_limit: timedelta | None = None,
    ) -> None:
        """Forgets what was not read for longest, down to these bounds."""
        items = self._get_items_to_delete(bytes_limit, items_limit, age_limit)
        if self.verbose > 10:
            for item in items:
                print(f"Deleting item {item}")
        if items:
            store = self._store
            store.reduce(None, max(store.measure()[0] - len(items), 0), None)
