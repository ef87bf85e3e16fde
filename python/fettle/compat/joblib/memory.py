# SPDX-License-Identifier: Apache-2.0
"""Memory: functions whose results outlive the process, with joblib's names, arguments and lines.

A function's results belong to its text, which lies beside them: with another text they are all
forgotten. What the functions that it calls do is not looked at (fettle.Memo does).
"""

import asyncio
import datetime
import functools
import inspect
import logging
import os
import pydoc
import re
import time
import tokenize
import traceback
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from . import hashing
from ._kept import FettleStoreBackend
from ._results import (
    STORE_BACKENDS,
    MemorizedResult,
    NotMemorizedResult,
    register_store_backend,
    store_backend_factory,
)
from ._store_backends import (
    FUNCTION_HASHES,
    CacheWarning,
    FileSystemStoreBackend,
    StoreBackendBase,
)
from .func_inspect import (
    filter_args,
    format_call,
    format_signature,
    get_func_code,
    get_func_name,
)
from .logger import Logger, format_time

__all__ = [
    "FIRST_LINE_TEXT",
    "AsyncMemorizedFunc",
    "AsyncNotMemorizedFunc",
    "CacheWarning",
    "FettleStoreBackend",
    "FileSystemStoreBackend",
    "JobLibCollisionWarning",
    "MemorizedFunc",
    "MemorizedResult",
    "Memory",
    "NotMemorizedFunc",
    "NotMemorizedResult",
    "StoreBackendBase",
    "expires_after",
    "extract_first_line",
    "register_store_backend",
]

Function = Callable[..., Any]
CallId = Sequence[str]
Validation = Callable[[dict[str, Any]], object]

FIRST_LINE_TEXT = "# first line:"
_LINE = 80
_SLOW_REPR = 0.5  # seconds

# As joblib calls them.
_FUNCTION_HASHES = FUNCTION_HASHES
_STORE_BACKENDS = STORE_BACKENDS
_store_backend_factory = store_backend_factory


class JobLibCollisionWarning(UserWarning):
    """Two functions may have one name, and so each other's results."""


def extract_first_line(func_code: str) -> tuple[str, int]:
    """The text in a func_code.py, and the line that it begins at: -1 where that is not known."""
    if not func_code.startswith(FIRST_LINE_TEXT):
        return func_code, -1
    head, _, text = func_code.partition("\n")
    try:
        return text, int(head.removeprefix(FIRST_LINE_TEXT))
    except ValueError:
        return func_code, -1


def _build_func_identifier(func: Function) -> str:
    """The path of a function's folder in the store."""
    modules, name = get_func_name(func)
    return os.path.join(*modules, name)


# ---- functions ----


class NotMemorizedFunc:
    """A MemorizedFunc's stand-in where nothing is kept."""

    def __init__(self, func: Function) -> None:
        self.func = func

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.func(*args, **kwargs)

    def call_and_shelve(self, *args: Any, **kwargs: Any) -> Any:
        """Calls; the result in a NotMemorizedResult."""
        return NotMemorizedResult(self.func(*args, **kwargs))

    def call(self, *args: Any, **kwargs: Any) -> Any:
        """Calls; the result, and no metadata."""
        return self.func(*args, **kwargs), {}

    def check_call_in_cache(self, *args: Any, **kwargs: Any) -> bool:
        """No."""
        return False

    def clear(self, warn: bool = True) -> None:
        """There is nothing to forget."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}(func={self.func})"


class AsyncNotMemorizedFunc(NotMemorizedFunc):
    """That of a coroutine function."""

    async def call_and_shelve(self, *args: Any, **kwargs: Any) -> NotMemorizedResult:
        """Calls; the result in a NotMemorizedResult."""
        return NotMemorizedResult(await self.func(*args, **kwargs))

    async def call(self, *args: Any, **kwargs: Any) -> tuple[Any, dict[str, Any]]:
        """Calls; the result, and no metadata."""
        return await self.func(*args, **kwargs), {}


class MemorizedFunc(Logger):
    """A function whose results are kept, as Memory.cache makes it.

    func: the function; ignore: names of parameters that make no difference; mmap_mode, compress:
    how values are read and written; cache_validation_callback: is asked, with the metadata of a
    result that is kept, whether it is still good; verbose: what is printed, from 0, nothing, over
    1, each call that computes, and 2, each result that is read, to 20, everything.
    """

    def __init__(
        self,
        func: Function,
        location: Any,
        backend: str = "local",
        ignore: Sequence[str] | None = None,
        mmap_mode: str | None = None,
        compress: Any = False,
        verbose: int = 1,
        timestamp: float | None = None,
        cache_validation_callback: Validation | None = None,
    ) -> None:
        super().__init__()
        self.mmap_mode = mmap_mode
        self.compress = compress
        self.func = func
        self.cache_validation_callback = cache_validation_callback
        self.func_id = _build_func_identifier(func)
        self.ignore = ignore if ignore is not None else []
        self._verbose = verbose
        options = {"compress": compress, "mmap_mode": mmap_mode}
        self.store_backend = _store_backend_factory(
            backend, location, verbose=verbose, backend_options=options
        )
        if self.store_backend is not None:
            self.store_backend.store_cached_func_code([self.func_id])
        self.timestamp = time.time() if timestamp is None else timestamp
        try:
            functools.update_wrapper(self, func)
        except Exception:  # a callable of any kind may not have what a function has
            self.__wrapped__ = func
        self.__doc__ = f"Memoized version of {_documentation(func)}"
        self._func_code_info: tuple[str, str | None, int] | None = None
        self._func_code_id: int | None = None

    # ---- calls ----

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._cached_call(args, kwargs, shelving=False)[0]

    def call_and_shelve(self, *args: Any, **kwargs: Any) -> Any:
        """As a call; in place of the value a MemorizedResult, which reads it when asked to."""
        return self._cached_call(args, kwargs, shelving=True)[0]

    def call(self, *args: Any, **kwargs: Any) -> Any:
        """Computes whatever is kept, keeps the result; the result and its metadata."""
        return self._call((self.func_id, self._get_args_id(*args, **kwargs)), args, kwargs)

    def check_call_in_cache(self, *args: Any, **kwargs: Any) -> bool:
        """Would a call with these arguments find its result?"""
        return self._is_in_cache_and_valid((self.func_id, self._get_args_id(*args, **kwargs)))

    def clear(self, warn: bool = True) -> None:
        """Forgets all results of this function."""
        if self._verbose > 0 and warn:
            self.warn(f"Clearing function cache identified by {self.func_id}")
        self.store_backend.clear_path([self.func_id])
        text, _, line = self.func_code_info
        self._write_func_code(text, line)

    def _get_args_id(self, *args: Any, **kwargs: Any) -> str:
        bound = filter_args(self.func, self.ignore, args, kwargs)
        digest = hashing.hash(bound, coerce_mmap=self.mmap_mode is not None)
        assert digest is not None
        return digest

    def _cached_call(self, args: Any, kwargs: Any, shelving: bool) -> Any:
        """(result, metadata), or in an AsyncMemorizedFunc a coroutine that gives them."""
        args_id = self._get_args_id(*args, **kwargs)
        call_id = (self.func_id, args_id)
        if self._verbose >= 20:
            self._say_querying(args_id, args, kwargs)
        if self._is_in_cache_and_valid(call_id):
            if shelving:
                return self._get_memorized_result(call_id), {}
            try:
                start = time.time()
                value = self._load_item(call_id)
                if self._verbose > 4:
                    self._print_duration(time.time() - start, "cache loaded ")
                return value, {}
            except Exception:
                signature = format_signature(self.func, *args, **kwargs)[1]
                self.warn(
                    f"Exception while loading results for {signature}\n {traceback.format_exc()}"
                )
        if self._verbose > 10:
            name = get_func_name(self.func)[1]
            self.warn(
                f"Computing func {name}, argument hash {args_id} in location {self._location()}"
            )
        return self._call(call_id, args, kwargs, shelving)

    def _call(self, call_id: CallId, args: Any, kwargs: Any, shelving: bool = False) -> Any:
        self._before_call(args, kwargs)
        start = time.time()
        value = self.func(*args, **kwargs)
        return self._after_call(call_id, args, kwargs, shelving, value, start)

    def _before_call(self, args: Any, kwargs: Any) -> None:
        if self._verbose > 0:
            print(format_call(self.func, args, kwargs))

    def _after_call(
        self, call_id: CallId, args: Any, kwargs: Any, shelving: bool, value: Any, start: float
    ) -> tuple[Any, dict[str, Any]]:
        keep = getattr(self.store_backend, "keep", None)
        if keep is None:
            self.store_backend.dump_item(call_id, value, verbose=self._verbose)
        duration = time.time() - start
        metadata = self._persist_input(duration, call_id, args, kwargs, value=value, keep=keep)
        if shelving:
            return self._get_memorized_result(call_id, metadata), metadata
        if self.mmap_mode is not None:  # as later calls will have it
            try:
                value = self._load_item(call_id, metadata)
            except Exception:  # it could not be kept, which was said
                return value, metadata
        return value, metadata

    def _persist_input(
        self,
        duration: float,
        call_id: CallId,
        args: Any,
        kwargs: Any,
        this_duration_limit: float = _SLOW_REPR,
        value: Any = None,
        keep: Callable[..., None] | None = None,
    ) -> dict[str, Any]:
        """Writes down what is known of a call: with keep, together with its value."""
        start = time.time()
        bound = filter_args(self.func, self.ignore, args, kwargs)
        metadata = {
            "duration": duration,
            "input_args": {name: repr(each) for name, each in bound.items()},
            "time": start,
        }
        took = time.time() - start
        if keep is not None:
            keep(call_id, value, metadata, self._verbose)
        if self._verbose > 0:
            self._print_duration(duration)
        if keep is None:
            self.store_backend.store_metadata(call_id, metadata)
        if took > this_duration_limit:
            warnings.warn(
                f"Writing down the arguments of {self.func_id} took {took:.2f}s: their repr() is "
                "slow or long. Results are right all the same.",
                stacklevel=5,
            )
        return metadata

    def _get_memorized_result(
        self, call_id: CallId, metadata: dict[str, Any] | None = None
    ) -> MemorizedResult:
        return MemorizedResult(
            self.store_backend,
            call_id,
            metadata=metadata,
            timestamp=self.timestamp,
            verbose=self._verbose - 1,
        )

    def _load_item(self, call_id: CallId, metadata: dict[str, Any] | None = None) -> Any:
        return self.store_backend.load_item(
            call_id, metadata=metadata, timestamp=self.timestamp, verbose=self._verbose
        )

    # ---- is what is kept still right? ----

    @property
    def func_code_info(self) -> tuple[str, str | None, int]:
        """The function's text, its file, and the line there: read once for each code it gets, where
        the function was made. A worker, who may not find the file, is sent them."""
        code = getattr(self.func, "__code__", None)
        if code is not None:
            if self._func_code_id is None:
                self._func_code_id = id(code)
            elif self._func_code_id != id(code):
                self._func_code_info = None
        if self._func_code_info is None:
            self._func_code_info = get_func_code(self.func)
        return self._func_code_info

    def _is_in_cache_and_valid(self, call_id: CallId) -> bool:
        if not self._check_previous_func_code(stacklevel=5):
            return False
        if not self.store_backend.contains_item(call_id):
            return False
        if self.cache_validation_callback is None:
            return True
        if self.cache_validation_callback(self.store_backend.get_metadata(call_id)):
            return True
        self.store_backend.clear_item(call_id)
        return False

    def _place(self) -> tuple[Any, str]:
        return getattr(self.store_backend, "location", None), self.func_id

    def _hash_func(self) -> tuple[int, ...]:
        return id(self.func), hash(self.func), hash(getattr(self.func, "__code__", None))

    def _write_func_code(self, func_code: str, first_line: int) -> None:
        text = f"{FIRST_LINE_TEXT} {first_line}\n{func_code}"
        self.store_backend.store_cached_func_code([self.func_id], text)
        if getattr(self.func, "__name__", "<lambda>") == "<lambda>":
            return  # many may have that name
        try:
            _FUNCTION_HASHES.setdefault(self.func, {})[self._place()] = self._hash_func()
        except TypeError:  # can not be hashed, or not be referred to weakly
            return

    def _check_previous_func_code(self, stacklevel: int = 2) -> bool:
        """Is the text beside the results that of the function? If not they are forgotten."""
        try:
            known = _FUNCTION_HASHES.get(self.func)
            if known is not None and known.get(self._place()) == self._hash_func():
                return True
        except TypeError:
            pass
        text, _, line = self.func_code_info
        try:
            kept = self.store_backend.get_cached_func_code([self.func_id])
        except OSError:
            self._write_func_code(text, line)
            return False
        old_text, old_line = extract_first_line(kept)
        if old_text == text:
            return True
        self._warn_of_collisions(old_text, old_line, stacklevel + 1)
        if self._verbose > 10:
            name = get_func_name(self.func, resolv_alias=False)[1]
            self.warn(f"Function {name} (identified by {self.func_id}) has changed.")
        self.clear(warn=True)
        return False

    def _warn_of_collisions(self, old_text: str, old_line: int, stacklevel: int) -> None:
        """The text beside the results is another. Has the function changed, or is it another one
        of the same name?"""
        text, path, line = self.func_code_info
        name = get_func_name(self.func, resolv_alias=False, win_characters=False)[1]
        if name == "<lambda>" or old_line == line == -1:
            where = name if line == -1 else f"{name} ({path}:{line})"
            warnings.warn(
                JobLibCollisionWarning(f"Cannot detect name collisions for function '{where}'"),
                stacklevel=stacklevel,
            )
        if old_line == line or path is None:
            return
        try:
            # In the file there may still be the old text, where it was.
            with tokenize.open(path) as file:
                lines = file.readlines()[max(old_line - 1, 0) :][: text.count("\n")]
            both = "".join(lines).rstrip() == old_text.rstrip()
        except (OSError, SyntaxError, ValueError):
            both = path.startswith("<doctest ")
        if both:
            warnings.warn(
                JobLibCollisionWarning(
                    f"Possible name collisions between functions '{name}' ({path}:{old_line}) "
                    f"and '{name}' ({path}:{line})"
                ),
                stacklevel=stacklevel,
            )

    # ---- what is said ----

    def _location(self) -> Any:
        return self.store_backend.get_cached_func_info([self.func_id])["location"]

    def _say_querying(self, args_id: str, args: Any, kwargs: Any) -> None:
        logging.basicConfig(level=logging.INFO)
        signature = format_signature(self.func, *args, **kwargs)[1]
        self.info(
            f"\nQuerying {get_func_name(self.func)[1]} with signature\n{signature}.\n"
            f"\n(argument hash {args_id})\n\nThe store location is {self._location()}.\n"
        )

    def _print_duration(self, duration: float, context: str = "") -> None:
        text = f"{get_func_name(self.func)[1]} {context}- {format_time(duration)}"
        print(text.rjust(_LINE, "_"))

    def __repr__(self) -> str:
        place = self.store_backend.location
        return f"{type(self).__name__}(func={self.func}, location={place})"

    def __getstate__(self) -> dict[str, Any]:
        _ = self.func_code_info  # a worker may not find the text
        return {**self.__dict__, "timestamp": None, "_func_code_id": None}


def _documentation(func: Function) -> str | None:
    """What help() shows of a function, as plain text with an empty line after its first."""
    if not inspect.isfunction(func):
        return getattr(func, "__doc__", None)
    text = pydoc.TextDoc().document(func)
    return re.sub("\x08.", "", text.replace("\n", "\n\n", 1))


class AsyncMemorizedFunc(MemorizedFunc):
    """That of a coroutine function: what it awaits is kept."""

    async def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return (await _awaited(self._cached_call(args, kwargs, shelving=False)))[0]

    async def call_and_shelve(self, *args: Any, **kwargs: Any) -> Any:
        """As a call; in place of the value a MemorizedResult, which reads it when asked to."""
        return (await _awaited(self._cached_call(args, kwargs, shelving=True)))[0]

    async def call(self, *args: Any, **kwargs: Any) -> Any:
        """Computes whatever is kept, keeps the result; the result and its metadata."""
        return await _awaited(super().call(*args, **kwargs))

    async def _call(self, call_id: CallId, args: Any, kwargs: Any, shelving: bool = False) -> Any:
        self._before_call(args, kwargs)
        start = time.time()
        value = await self.func(*args, **kwargs)
        return self._after_call(call_id, args, kwargs, shelving, value, start)


async def _awaited(result: Any) -> Any:
    return await result if asyncio.iscoroutine(result) else result


# ---- the whole ----


class Memory(Logger):
    """Keeps results of functions in a folder.

    location: the folder; None: nothing is kept. backend: "local", or what register_store_backend
    was told. mmap_mode: arrays are mapped from the files, as by numpy.load. compress: False, True
    or a level from 1 to 9. verbose: how much is printed (MemorizedFunc). backend_options: what else
    the store takes. bytes_limit: what the store takes on disk at most ("500M"); with folders of
    files it is what reduce_size() reduces to.

    >>> from fettle.compat.joblib import Memory
    >>> memory = Memory(location=None, verbose=0)
    >>> memory.cache(abs)(-3)
    3
    """

    def __init__(
        self,
        location: Any = None,
        backend: str = "local",
        mmap_mode: str | None = None,
        compress: Any = False,
        verbose: int = 1,
        backend_options: Mapping[str, Any] | None = None,
        bytes_limit: int | str | None = None,
    ) -> None:
        super().__init__()
        self._verbose = verbose
        self.mmap_mode = mmap_mode
        self.bytes_limit = bytes_limit
        self.timestamp: float | None = time.time()
        self.backend = backend
        self.compress = compress
        self.backend_options = {} if backend_options is None else backend_options
        if compress and mmap_mode is not None:
            warnings.warn("Compressed results cannot be memmapped", stacklevel=2)
        self.location = location
        if isinstance(location, str):
            location = os.path.join(location, "joblib")
        self.store_backend = _store_backend_factory(
            backend,
            location,
            verbose=verbose,
            backend_options={
                "compress": compress,
                "mmap_mode": mmap_mode,
                "bytes_limit": bytes_limit,
                **self.backend_options,
            },
        )

    def cache(
        self,
        func: Any = None,
        ignore: Sequence[str] | None = None,
        verbose: int | None = None,
        mmap_mode: Any = False,
        cache_validation_callback: Validation | None = None,
    ) -> Any:
        """The function func with its results kept. Without func, a decorator with these settings.

        ignore: names of parameters that make no difference. verbose, mmap_mode: others than this
        Memory's. cache_validation_callback(metadata): is a result that is kept still good? metadata
        has its "duration", "time" and "input_args".
        """
        if cache_validation_callback is not None and not callable(cache_validation_callback):
            raise ValueError(
                f"cache_validation_callback needs to be callable. Got {cache_validation_callback}."
            )
        if func is None:
            return functools.partial(
                self.cache,
                ignore=ignore,
                verbose=verbose,
                mmap_mode=mmap_mode,
                cache_validation_callback=cache_validation_callback,
            )
        awaits = inspect.iscoroutinefunction(func)
        if self.store_backend is None:
            return AsyncNotMemorizedFunc(func) if awaits else NotMemorizedFunc(func)
        if isinstance(func, MemorizedFunc):
            func = func.func
            awaits = inspect.iscoroutinefunction(func)
        return (AsyncMemorizedFunc if awaits else MemorizedFunc)(
            func,
            location=self.store_backend,
            backend=self.backend,
            ignore=ignore,
            mmap_mode=self.mmap_mode if mmap_mode is False else mmap_mode,
            compress=self.compress,
            verbose=self._verbose if verbose is None else verbose,
            timestamp=self.timestamp,
            cache_validation_callback=cache_validation_callback,
        )

    def eval(self, func: Function, *args: Any, **kwargs: Any) -> Any:
        """func(*args, **kwargs), its result kept."""
        if self.store_backend is None:
            return func(*args, **kwargs)
        return self.cache(func)(*args, **kwargs)

    def clear(self, warn: bool = True) -> None:
        """Forgets everything."""
        if warn:
            self.warn("Flushing completely the cache")
        if self.store_backend is not None:
            self.store_backend.clear()
            _FUNCTION_HASHES.clear()  # their texts are to be written again

    def reduce_size(
        self,
        bytes_limit: int | str | None = None,
        items_limit: int | None = None,
        age_limit: datetime.timedelta | None = None,
    ) -> None:
        """Forgets the results that were not used for longest, until the store has at most
        bytes_limit bytes ("500M") and items_limit results, and none unused for age_limit."""
        if bytes_limit is None:
            bytes_limit = self.bytes_limit
        limits = (bytes_limit, items_limit, age_limit)
        if self.store_backend is not None and limits != (None, None, None):
            self.store_backend.enforce_store_limits(*limits)

    def __repr__(self) -> str:
        place = None if self.store_backend is None else self.store_backend.location
        return f"{type(self).__name__}(location={place})"

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "timestamp": None}


def expires_after(
    days: float = 0,
    seconds: float = 0,
    microseconds: float = 0,
    milliseconds: float = 0,
    minutes: float = 0,
    hours: float = 0,
    weeks: float = 0,
) -> Callable[[dict[str, Any]], bool]:
    """For cache_validation_callback: a result is good for so long.

    >>> import time
    >>> expires_after(minutes=1)({"time": time.time() - 59})
    True
    >>> expires_after(minutes=1)({"time": time.time() - 61})
    False
    """
    good = datetime.timedelta(
        days, seconds, microseconds, milliseconds, minutes, hours, weeks
    ).total_seconds()

    def cache_validation_callback(metadata: dict[str, Any]) -> bool:
        return bool(time.time() - metadata["time"] < good)

    return cache_validation_callback
