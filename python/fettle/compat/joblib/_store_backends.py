# SPDX-License-Identifier: Apache-2.0
"""Where results are kept: what a store can do, and joblib's folders of files.

    LOCATION/joblib/MODULE/.../FUNCTION/func_code.py            the text that the results are of
    LOCATION/joblib/MODULE/.../FUNCTION/HASH/output.pkl         a result
    LOCATION/joblib/MODULE/.../FUNCTION/HASH/metadata.json      its arguments, how long it took

A call is named by (FUNCTION's path, HASH of the arguments). Files appear whole: they are written
under another name and renamed.
"""

import datetime
import json
import os
import re
import shutil
import sys
import threading
import time
import uuid
import warnings
import weakref
from abc import ABCMeta, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from operator import attrgetter
from typing import TYPE_CHECKING, Any, NamedTuple

from . import _pickles
from .logger import format_time

__all__ = [
    "CacheItemInfo",
    "CacheWarning",
    "FileSystemStoreBackend",
    "StoreBackendBase",
    "StoreBackendMixin",
    "concurrency_safe_write",
]

_HASH = re.compile("[a-f0-9]{32}")
_UNITS = {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30}
_GITIGNORE = "# Created by joblib automatically.\n*\n"


# The functions whose text was found in this process to be that in a folder: it is not read again.
# By function: (store's location, function's path in it), with what tells one code from another.
FUNCTION_HASHES: "weakref.WeakKeyDictionary[Any, dict[tuple[Any, str], tuple[int, ...]]]"
FUNCTION_HASHES = weakref.WeakKeyDictionary()


def forget_texts(location: str) -> None:
    """The texts in a store that is gone are to be written again."""
    for places in list(FUNCTION_HASHES.values()):
        for place in [each for each in list(places) if each[0] == location]:
            places.pop(place, None)


class CacheItemInfo(NamedTuple):
    """A result that is kept: its folder, its bytes, when it was read last."""

    path: str
    size: int
    last_access: datetime.datetime


class CacheWarning(Warning):
    """A result could not be kept."""


def memstr_to_bytes(text: str) -> int:
    """A number of bytes, as in "10K", "500M" and "1.5G"."""
    try:
        return int(float(text[:-1]) * _UNITS[text[-1:]])
    except (KeyError, ValueError):
        raise ValueError(
            f"{text!r} is no size: write a number and K, M or G, as in '500M'"
        ) from None


def concurrency_safe_write(
    object_to_write: Any, filename: str, write_func: Callable[[Any, str], object]
) -> str:
    """Writes a file beside filename, under a name that nobody else takes, and says which."""
    path = f"{filename}.{uuid.uuid4().hex}-{os.getpid()}-{threading.get_ident()}"
    write_func(object_to_write, path)
    return path


class StoreBackendBase(metaclass=ABCMeta):
    """What register_store_backend takes: a store has these and, best from StoreBackendMixin, the
    methods that cached functions call."""

    location: Any = None

    @abstractmethod
    def _open_item(self, f: Any, mode: str) -> Any:
        """A file-like object for the path f, to read ("rb") or to write ("wb")."""

    @abstractmethod
    def _item_exists(self, location: str) -> bool:
        """Is there anything at this path?"""

    @abstractmethod
    def _move_item(self, src: str, dst: str) -> None:
        """dst becomes what src was, at once."""

    @abstractmethod
    def create_location(self, location: str) -> None:
        """Makes a folder, if it is not there."""

    @abstractmethod
    def clear_location(self, location: str) -> None:
        """Removes a folder and what is in it."""

    @abstractmethod
    def get_items(self) -> Sequence[Any]:
        """What is kept: CacheItemInfo."""

    @abstractmethod
    def configure(
        self,
        location: str,
        verbose: int = 0,
        backend_options: Mapping[str, Any] | None = None,
    ) -> None:
        """Called once, with what Memory was given."""


class StoreBackendMixin:
    """What cached functions call, over the few things that a StoreBackendBase can do."""

    location: Any = None
    compress: Any = False
    mmap_mode: str | None = None
    verbose: int = 0

    if TYPE_CHECKING:  # StoreBackendBase's

        def _open_item(self, f: Any, mode: str) -> Any: ...
        def _item_exists(self, location: str) -> bool: ...
        def _move_item(self, src: str, dst: str) -> None: ...
        def create_location(self, location: str) -> None: ...
        def clear_location(self, location: str) -> None: ...
        def get_items(self) -> Sequence[Any]: ...

    def _path(self, call_id: Sequence[str], *more: str) -> str:
        return os.path.join(self.location, *call_id, *more)

    # ---- results ----

    def _say_loading(
        self,
        call_id: Sequence[str],
        verbose: int,
        timestamp: float | None,
        metadata: Mapping[str, Any] | None,
    ) -> None:
        """The line that loading prints from verbose 2 on."""
        since = "" if timestamp is None else format_time(time.time() - timestamp)
        call = os.path.basename(call_id[0])
        if metadata is not None and "input_args" in metadata:
            shown = ", ".join(f"{name}={text}" for name, text in metadata["input_args"].items())
            call += f"({shown})"
        end = "..." if verbose < 10 else " from " + self._path(call_id)
        print(f"[Memory]{since and since.ljust(16)}: Loading {call}{end}")

    def load_item(
        self,
        call_id: Sequence[str],
        verbose: int = 1,
        timestamp: float | None = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> Any:
        """The result of a call. KeyError where there is none."""
        if verbose > 1:
            self._say_loading(call_id, verbose, timestamp, metadata)
        path = self._path(call_id, "output.pkl")
        if not self._item_exists(path):
            raise KeyError(f"there is no {path}: it may have been cleared")
        with self._open_item(path, "rb") as file:
            return _pickles.load(file, path, self.mmap_mode)

    def dump_item(self, call_id: Sequence[str], item: Any, verbose: int = 1) -> None:
        """Keeps the result of a call, or warns that it could not."""
        path = self._path(call_id)
        if verbose > 10:
            print(f"Persisting in {path}")
        try:
            if not self._item_exists(path):
                self.create_location(path)
            self._concurrency_safe_write(item, os.path.join(path, "output.pkl"), self._dump)
        except Exception as error:
            warnings.warn(
                f"Unable to cache to disk what {call_id[0]} returned: {error!r}.",
                CacheWarning,
                stacklevel=2,
            )

    def _dump(self, item: Any, path: str) -> None:
        with self._open_item(path, "wb") as file:
            _pickles.dump(item, file, self.compress)

    def _write(self, text: bytes, path: str) -> None:
        with self._open_item(path, "wb") as file:
            file.write(text)

    def clear_item(self, call_id: Sequence[str]) -> None:
        """Forgets the result of a call."""
        self.clear_path(call_id)

    def contains_item(self, call_id: Sequence[str]) -> bool:
        """Is there a result of this call?"""
        return bool(self._item_exists(self._path(call_id, "output.pkl")))

    def get_item_info(self, call_id: Sequence[str]) -> dict[str, Any]:
        """Where the result of a call lies."""
        return {"location": self._path(call_id)}

    def get_metadata(self, call_id: Sequence[str]) -> dict[str, Any]:
        """duration, input_args and time of a call; empty where they can not be read."""
        try:
            with self._open_item(self._path(call_id, "metadata.json"), "rb") as file:
                read: dict[str, Any] = json.loads(file.read().decode())
                return read
        except Exception:
            return {}

    def store_metadata(self, call_id: Sequence[str], metadata: Mapping[str, Any]) -> None:
        """Keeps what get_metadata gives, if it can."""
        try:
            self.create_location(self._path(call_id))
            text = json.dumps(metadata).encode()
            self._concurrency_safe_write(text, self._path(call_id, "metadata.json"), self._write)
        except Exception:  # the result is there, and right, without them
            return

    # ---- functions ----

    def contains_path(self, call_id: Sequence[str]) -> bool:
        """Is anything kept of a function?"""
        return bool(self._item_exists(self._path(call_id)))

    def clear_path(self, call_id: Sequence[str]) -> None:
        """Forgets everything below."""
        path = self._path(call_id)
        if self._item_exists(path):
            self.clear_location(path)

    def store_cached_func_code(self, call_id: Sequence[str], func_code: str | None = None) -> None:
        """Makes the folder of a function, and keeps its text."""
        path = self._path(call_id)
        if not self._item_exists(path):
            self.create_location(path)
        if func_code is not None:  # whole at once: another process may be reading it
            self._concurrency_safe_write(
                func_code.encode(), os.path.join(path, "func_code.py"), self._write
            )

    def get_cached_func_code(self, call_id: Sequence[str]) -> str:
        """The text that was kept. OSError where there is none."""
        with self._open_item(self._path(call_id, "func_code.py"), "rb") as file:
            text: str = file.read().decode(errors="replace")  # damaged: another text
            return text

    def get_cached_func_info(self, call_id: Sequence[str]) -> dict[str, Any]:
        """Where the results of a function lie."""
        return {"location": self._path(call_id)}

    # ---- the whole ----

    def clear(self) -> None:
        """Forgets everything."""
        self.clear_location(self.location)

    def enforce_store_limits(
        self,
        bytes_limit: int | str | None,
        items_limit: int | None = None,
        age_limit: datetime.timedelta | None = None,
    ) -> None:
        """Forgets what was not read for longest, down to these bounds."""
        for item in self._get_items_to_delete(bytes_limit, items_limit, age_limit):
            if self.verbose > 10:
                print(f"Deleting item {item}")
            try:
                self.clear_location(item.path)
            except OSError:
                continue  # another process was faster

    def _get_items_to_delete(
        self,
        bytes_limit: int | str | None,
        items_limit: int | None = None,
        age_limit: datetime.timedelta | None = None,
    ) -> list[Any]:
        if isinstance(bytes_limit, str):
            bytes_limit = memstr_to_bytes(bytes_limit)
        oldest = None
        if age_limit is not None:
            if age_limit < datetime.timedelta(0):
                raise ValueError("age_limit has to be a positive timedelta")
            oldest = datetime.datetime.now() - age_limit
        items = sorted(self.get_items(), key=attrgetter("last_access"))
        size, count = sum(item.size for item in items), len(items)
        found = []
        for item in items:
            if (
                (bytes_limit is None or size <= bytes_limit)
                and (items_limit is None or count <= items_limit)
                and (oldest is None or item.last_access > oldest)
            ):
                break
            found.append(item)
            size, count = size - item.size, count - 1
        return found

    def _concurrency_safe_write(
        self, to_write: Any, filename: str, write_func: Callable[[Any, str], object]
    ) -> None:
        path = None

        def write(item: Any, temporary: str) -> None:
            nonlocal path
            path = temporary
            write_func(item, temporary)

        try:
            self._move_item(concurrency_safe_write(to_write, filename, write), filename)
        except BaseException:
            if path is not None and self._item_exists(path):
                self._remove_file(path)
            raise

    def _remove_file(self, path: str) -> None:
        """Of what was not written whole."""

    def __repr__(self) -> str:
        return f'{type(self).__name__}(location="{self.location}")'


class FileSystemStoreBackend(StoreBackendBase, StoreBackendMixin):
    """Folders of files, local or on the network."""

    _open_item: Any = staticmethod(open)
    _item_exists: Any = staticmethod(os.path.exists)
    _move_item: Any = staticmethod(os.replace)

    def _remove_file(self, path: str) -> None:
        os.unlink(path)

    def clear_location(self, location: str) -> None:
        """Removes a folder and what is in it; of the whole store only what is in it."""
        if location != self.location:
            shutil.rmtree(location, ignore_errors=True)
            return
        for name in os.listdir(location):
            path = os.path.join(location, name)
            if os.path.isdir(path) and not os.path.islink(path):
                shutil.rmtree(path, ignore_errors=True)

    def create_location(self, location: str) -> None:
        """Makes a folder, if it is not there."""
        os.makedirs(location, exist_ok=True)

    def get_items(self) -> list[CacheItemInfo]:
        """What is kept, in no order."""
        found = []
        for folder, _, names in os.walk(self.location):
            if not _HASH.match(os.path.basename(folder)):
                continue
            try:
                size = sum(os.path.getsize(os.path.join(folder, name)) for name in names)
                read = os.path.getatime(
                    os.path.join(folder, "output.pkl") if "output.pkl" in names else folder
                )
            except OSError:
                continue  # somebody is removing it
            found.append(CacheItemInfo(folder, size, datetime.datetime.fromtimestamp(read)))
        return found

    def configure(
        self,
        location: str,
        verbose: int = 1,
        backend_options: Mapping[str, Any] | None = None,
    ) -> None:
        """Makes the folder. backend_options: compress and mmap_mode."""
        options = backend_options or {}
        self.location = location
        self.create_location(location)
        self._write_gitignore()
        self.compress = options.get("compress", False)
        self.mmap_mode = options.get("mmap_mode")
        self.verbose = verbose
        if self.compress and self.mmap_mode is not None:
            warnings.warn(
                "Compressed results can not be mapped: mmap_mode is ignored.", stacklevel=2
            )

    def _write_gitignore(self) -> None:
        parent, name = os.path.split(self.location)
        folder = parent if parent and name == "joblib" else self.location
        path = os.path.join(folder, ".gitignore")
        try:
            with open(path, "x") as file:
                file.write(_GITIGNORE)
        except FileExistsError:
            return
        except OSError as error:
            warnings.warn(f"Unable to write {path}: {error}.", stacklevel=2)


def store_bases() -> tuple[type, ...]:
    """What a store must be derived from: ours, or joblib's where that is loaded."""
    theirs = getattr(sys.modules.get("joblib._store_backends"), "StoreBackendBase", None)
    return (StoreBackendBase,) if theirs is None else (StoreBackendBase, theirs)
