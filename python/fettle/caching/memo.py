# SPDX-License-Identifier: Apache-2.0
"""fettle.Memo: results that outlive the process, in a folder, and on a server for many machines."""

import functools
import inspect
import os
import sys
from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from hashlib import blake2b
from types import FunctionType, ModuleType
from typing import TYPE_CHECKING, Any, NamedTuple, ParamSpec, TypeVar, overload

from fettle.caching import kept as keeping
from fettle.caching.code import identify
from fettle.caching.endpoint import SCHEMES
from fettle.caching.kept import Kept, Options
from fettle.caching.place import Place
from fettle.report import size

if TYPE_CHECKING:
    from fettle.caching.interface import KeptDecorator, KeptFunction

P = ParamSpec("P")
R = TypeVar("R")
Wrapped = TypeVar("Wrapped", bound="classmethod[Any, ..., Any] | staticmethod[..., Any]")

MAX_BYTES = "2GB"
MOST_BYTES = 1 << 62
COMPRESS = 3  # a level of zstd's, for compress=True
VIEWS = {False: 0, True: 1, "c": 1, "r": 2}
LONGEST = 600.0  # seconds to wait for another one that computes
OFFERED = (
    *("forget", "clear", "call", "peek", "cached", "reference"),
    *("settle", "key", "look", "counts", "add_hit"),
)


class FunctionStats(NamedTuple):
    """What a store holds of one function, and what became of its calls."""

    name: str
    entries: int
    bytes: int
    hits: int
    misses: int
    saved: float  # seconds that the hits would have taken
    oldest: float | None  # seconds since the epoch; None: there is no entry
    used: float | None  # the last use, likewise


class MemoStats(NamedTuple):
    """What a store holds. bytes are those of its files."""

    path: str
    entries: int
    bytes: int
    max_bytes: int | None
    hits: int
    misses: int
    saved: float
    functions: tuple[FunctionStats, ...]


class Memo:
    """Keeps results of functions in a folder, for later runs and other processes.

    A result is found again when the function's code is the same (its own, and that of all functions
    of the project that it calls; comments, docstrings and line numbers do not count) and the
    arguments are equal and of the same types. Several threads and processes that ask for a result
    that is not there get it from one computation. Whatever happens to the folder, a call gives what
    the function would give.

    path_or_url: a folder; or redis://HOST, rediss://HOST, redis+cluster://HOST:PORT,HOST:PORT to
        share results with other machines too (docs/shared-cache.md). None: the user's cache folder
        (memo in FETTLE_CACHE_DIR, else in $XDG_CACHE_HOME/fettle, else in ~/.cache/fettle).
    max_bytes: what the folder may take ("500MB"); the least recently used results go. None: no end.
    ttl: seconds (or a timedelta) after which a result is computed anew.
    compress: True, or a level of zstd's, for results of 256 bytes and more.
    mmap: large arrays are mapped, and may be written to without the store being changed (True);
        mapped to be read only ("r"); copied (False).
    wait: seconds to wait at most for another one that computes the same; False: never.
    key: what values on a server are signed with; else FETTLE_CACHE_KEY. trusted: they are not.

    ValueError, TypeError: an option that makes no sense. Of a folder that can not be used there is
    a warning.

    >>> import fettle, tempfile
    >>> folder = tempfile.TemporaryDirectory()
    >>> memo = fettle.Memo(folder.name)
    >>> @memo
    ... def square(x):
    ...     print("computing")
    ...     return x * x
    >>> square(3), square(3), square(x=3)
    computing
    (9, 9, 9)
    >>> memo.stats().entries
    1
    >>> memo.close(); folder.cleanup()
    """

    def __init__(
        self,
        path_or_url: str | os.PathLike[str] | None = None,
        max_bytes: int | str | None = MAX_BYTES,
        ttl: float | timedelta | None = None,
        *,
        compress: bool | int = False,
        mmap: bool | str = True,
        wait: bool | float = True,
        key: bytes | str | None = None,
        trusted: bool = False,
    ) -> None:
        self._max_bytes = _bytes(max_bytes)
        self._defaults = Options(
            compress=_level(compress),
            view=_view(mmap),
            ttl=_seconds(ttl),
            patience=_patience(wait),
        )
        self._remote: Any = None
        self._seed = bytes(32)
        self._made_of = (max_bytes, ttl, compress, mmap, wait, key, trusted)
        text = None if path_or_url is None else _path(path_or_url)
        if text is not None and text.partition("://")[0] in SCHEMES and "://" in text:
            folder = self._join(text, key, trusted)
        elif text is not None and "://" in text:
            raise ValueError(
                f"Memo: {text!r} is no address that results can be shared at; give a folder, or "
                "redis://HOST, rediss://HOST, redis+cluster://HOST:PORT."
            )
        elif key is not None or trusted:
            raise ValueError(
                "Memo: key= and trusted= are for results on a server, and this is a folder: leave "
                "them out, or give redis://HOST."
            )
        else:
            folder = default_folder() if text is None else os.path.expanduser(text)
        self._url = text if self._remote is not None else None
        self.path = os.path.abspath(folder)
        self._place = Place.of(self.path, self._max_bytes)

    def _join(self, url: str, key: bytes | str | None, trusted: bool) -> str:
        """The server behind an address, and the folder in front of it."""
        from fettle.caching.remote import Remote

        if not isinstance(key, bytes | str | None):
            raise TypeError(f"Memo: key must be bytes or a str, not {type(key).__name__}.")
        secret = key.encode() if isinstance(key, str) else key
        self._remote = Remote(url, key=secret, trusted=trusted, ttl=self._defaults.ttl)
        known = _known(secret)
        self._seed = blake2b(b"keys of shared results", key=known[:64], digest_size=32).digest()
        return folder_in_front_of(self._remote.place, secret)

    @overload
    def __call__(self, function: Wrapped, /) -> Wrapped: ...  # type: ignore[overload-overlap]
    @overload
    def __call__(self, function: Callable[P, R], /) -> "KeptFunction[P, R, Callable[P, R]]": ...
    @overload
    def __call__(
        self,
        function: None = None,
        /,
        *,
        ignore: Iterable[str] = (),
        key: Mapping[str, Callable[[Any], Any]] | None = None,
        version: Any = None,
        depends: Iterable[Any] = (),
        validate: Callable[[dict[str, Any]], Any] | None = None,
        ttl: float | timedelta | None = None,
        compress: bool | int | None = None,
        mmap: bool | str | None = None,
        wait: bool | float | None = None,
    ) -> "KeptDecorator": ...

    def __call__(
        self,
        function: Any = None,
        /,
        *,
        ignore: Iterable[str] = (),
        key: Mapping[str, Callable[[Any], Any]] | None = None,
        version: Any = None,
        depends: Iterable[Any] = (),
        validate: Callable[[dict[str, Any]], Any] | None = None,
        ttl: float | timedelta | None = None,
        compress: bool | int | None = None,
        mmap: bool | str | None = None,
        wait: bool | float | None = None,
    ) -> Any:
        """Decorate a function, method or coroutine function.

        ignore: names of parameters that do not count.
        key: for names of parameters, functions of the argument that give what counts for it, as in
            {"self": lambda self: self.path}.
        version: stands in for the code: results are kept until it is another one.
        depends: what else the results depend on: functions, classes, modules, paths of files.
        validate: called with a dict (time, duration, used, bytes, args, kwargs, input_args) of a
            result that is kept; a false answer computes it anew.
        ttl, compress, mmap, wait: as for Memo, for this function.

        The function gets forget(*args), clear(), call(*args) that computes anyway, peek(*args),
        cached(*args), reference(*args) and __wrapped__.
        """
        options = Options(
            ignore=_names(ignore),
            key=_keys(key),
            version=version,
            depends=_depends(depends),
            validate=_callable(validate),
            compress=self._defaults.compress if compress is None else _level(compress),
            view=self._defaults.view if mmap is None else _view(mmap),
            ttl=self._defaults.ttl if ttl is None else _seconds(ttl),
            patience=self._defaults.patience if wait is None else _patience(wait),
        )
        if function is None:
            return functools.partial(self._decorate, options=options)
        return self._decorate(function, options)

    def _decorate(self, function: Any, options: Options, title: str = "") -> Any:
        if isinstance(function, classmethod):
            return keeping.KeptClassMethod(self._decorate(function.__func__, options))
        if isinstance(function, staticmethod):
            return staticmethod(self._decorate(function.__func__, options))
        _check(function)
        name = title or _written(identify(function, version=0).name)
        kept = Kept(
            self,
            self._place,
            self._remote,
            self._seed,
            function,
            name,
            _parameters(function, name, options),
            options,
        )
        if inspect.iscoroutinefunction(function):
            from fettle.caching.awaited import awaited

            return awaited(kept)
        made: Any = functools.update_wrapper(kept.stored, function)
        for own in OFFERED:  # the function's attributes of these names stay its own
            made.__dict__.pop(own, None)
        return made

    # ---- the whole ----

    def clear(self) -> int:
        """Forget all results of all functions, on the server too; how many there were here."""
        keeping.flush_all()
        if self._remote is not None:
            self._remote.clear()
        removed = 0 if self._place.store is None else self._place.store.clear()
        self._place.look_for_troubles()
        return removed

    def reduce(
        self,
        max_bytes: int | str | None = None,
        max_age: float | timedelta | None = None,
        max_items: int | None = None,
    ) -> int:
        """Forget what has not been used for longest, until the folder takes max_bytes at most,
        holds max_items at most, and nothing that was last used max_age (seconds, or a timedelta)
        ago. How many went. Without bounds: down to the memo's own max_bytes."""
        bound = None if max_bytes is None else _bytes(max_bytes)
        if max_bytes is None and max_age is None and max_items is None:
            bound = self._max_bytes or None
        items, age = _count(max_items), _age(max_age)
        store = self._place.store
        if store is None:
            return 0
        removed = store.reduce(bound, items, age)
        self._place.look_for_troubles()
        return removed

    def stats(self) -> MemoStats:
        """What the folder holds, function by function."""
        keeping.flush_all()
        store = self._place.store
        if store is None:
            return MemoStats(self.path, 0, 0, self._max_bytes or None, 0, 0, 0.0, ())
        functions = function_stats(store)
        entries, taken, most = store.measure()
        return MemoStats(
            self.path,
            entries,
            taken,
            most or None,
            sum(each.hits for each in functions),
            sum(each.misses for each in functions),
            sum(each.saved for each in functions),
            tuple(functions),
        )

    def close(self) -> None:
        """Write what was counted and close the connection to a server. The folder's files are
        closed when nothing uses them any more."""
        keeping.flush_all()
        if self._remote is not None:
            self._remote.close()

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuilt, (type(self), self._url or self.path, self._made_of)

    def __repr__(self) -> str:
        place = self.path if self._remote is None else self._remote.place
        return f"fettle.Memo({place!r})"


def _rebuilt(kind: type[Memo], path: str, made_of: tuple[Any, ...]) -> Memo:
    max_bytes, ttl, compress, mmap, wait, key, trusted = made_of
    return kind(
        path, max_bytes, ttl, compress=compress, mmap=mmap, wait=wait, key=key, trusted=trusted
    )


def default_folder() -> str:
    """The user's folder of kept results.

    >>> os.path.isabs(default_folder())
    True
    """
    named = os.environ.get("FETTLE_CACHE_DIR")
    if named:
        return os.path.join(os.path.abspath(named), "memo")
    if sys.platform == "darwin":
        base = os.path.expanduser("~/Library/Caches")
    else:
        base = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return os.path.join(base, "fettle", "memo")


def _known(secret: bytes | None) -> bytes:
    """The secret of those who share."""
    return secret or os.fsencode(os.environ.get("FETTLE_CACHE_KEY", "")) or b"trusted"


def folder_in_front_of(server: str, secret: bytes | None = None) -> str:
    """Where this machine keeps what it has of a server, by its Remote's place."""
    name = blake2b(f"{server} {_known(secret)!r}".encode(), digest_size=8).hexdigest()
    return os.path.join(default_folder(), f"shared-{name}")


def function_stats(store: Any) -> list[FunctionStats]:
    """What a store holds, function by function, the largest first."""
    names: dict[int, tuple[str, int, int, float]] = {}
    sums: dict[int, list[Any]] = {}

    def name(row: tuple[int, str, int, int, float]) -> None:
        names[row[0]] = row[1:]

    def add(entry: keeping.Entry) -> None:
        row = sums.setdefault(entry[1], [0, 0, entry[2], entry[4]])
        row[0] += 1
        row[1] += entry[6]
        row[2] = min(row[2], entry[2])
        row[3] = max(row[3], entry[4])

    store.each_function(name)
    store.each(add)
    found = []
    for each in {**names, **sums}:
        title, hits, misses, saved = names.get(each, ("(unknown)", 0, 0, 0.0))
        count, taken, oldest, used = sums.get(each, [0, 0, None, None])
        found.append(FunctionStats(title, count, taken, hits, misses, saved, oldest, used))
    return sorted(found, key=lambda row: (-row.bytes, row.name))


# ---- options ----


def _path(given: Any) -> str:
    if not isinstance(given, str | bytes | os.PathLike):
        raise TypeError(f"Memo: the folder must be a path or an address, not {given!r}.")
    path = os.fsdecode(given)
    try:
        fit = path != "" and "\0" not in path and os.fsencode(path) != b""
    except UnicodeEncodeError:
        fit = False
    if not fit:
        raise ValueError(f"Memo: {path!r} can not be the name of a folder.")
    return path


def _count(given: Any) -> int | None:
    if given is None:
        return None
    if isinstance(given, bool) or not isinstance(given, int):
        raise TypeError(f"reduce: max_items must be an int, not {given!r}.")
    if given < 0:
        raise ValueError(f"reduce: max_items is {given} and must be 0 or more.")
    return given


def _bytes(given: int | str | None) -> int:
    if given is None:
        return 0
    if isinstance(given, str):
        read = size.read(given)
        if read is None or read <= 0:
            raise ValueError(
                f"Memo: max_bytes {given!r} is no size; give a number and a unit, as in '500MB'."
            )
        return min(read, MOST_BYTES)
    if isinstance(given, bool) or not isinstance(given, int):
        raise TypeError(f"Memo: max_bytes must be an int, a str as '500MB' or None, not {given!r}.")
    if given <= 0:
        raise ValueError(f"Memo: max_bytes is {given} and must be above 0; None has no bound.")
    return min(given, MOST_BYTES)


def _duration(given: Any, option: str) -> float:
    if isinstance(given, timedelta):
        return given.total_seconds()
    if isinstance(given, bool) or not isinstance(given, int | float):
        raise TypeError(f"Memo: {option} must be seconds or a timedelta, not {given!r}.")
    return float(given)


def _seconds(ttl: Any) -> float | None:
    if ttl is None:
        return None
    seconds = _duration(ttl, "ttl")
    if not seconds > 0:
        raise ValueError(f"Memo: ttl is {ttl!r} and must be above 0 seconds; None has no end.")
    return seconds


def _age(age: Any) -> float | None:
    if age is None:
        return None
    seconds = _duration(age, "max_age")
    if not seconds >= 0:
        raise ValueError(f"reduce: max_age is {age!r} and must be 0 seconds or more.")
    return seconds


def _level(compress: Any) -> int:
    if compress is True:
        return COMPRESS
    if not isinstance(compress, int) or not 0 <= compress <= 22:
        raise ValueError(f"Memo: compress is {compress!r} and must be True, False or 1 to 22.")
    return int(compress)


def _view(mmap: Any) -> int:
    try:
        return VIEWS[mmap]
    except (KeyError, TypeError):
        raise ValueError(
            f"Memo: mmap is {mmap!r} and must be True (or 'c'), 'r' or False."
        ) from None


def _patience(wait: Any) -> float:
    if wait is True:
        return LONGEST
    if wait is False or wait is None:
        return 0.0
    if not isinstance(wait, int | float) or not wait >= 0:
        raise ValueError(f"Memo: wait is {wait!r} and must be True, False or seconds.")
    return min(float(wait), 1e6)


def _names(ignore: Any) -> tuple[str, ...]:
    names = (ignore,) if isinstance(ignore, str) else _items(ignore, "ignore", "names")
    for name in names:
        if not isinstance(name, str):
            raise TypeError(f"memo: ignore takes names of parameters, not {name!r}.")
    return names


def _keys(key: Any) -> dict[str, Callable[[Any], Any]]:
    if key is None:
        return {}
    if not isinstance(key, Mapping) or not all(
        isinstance(name, str) and callable(each) for name, each in key.items()
    ):
        raise TypeError(
            'memo: key takes functions for names of parameters, as in key={"self": function}, not '
            f"{key!r}."
        )
    return dict(key)


def _depends(depends: Any) -> tuple[Any, ...]:
    single = isinstance(depends, str | bytes | os.PathLike | ModuleType) or callable(depends)
    return (depends,) if single else _items(depends, "depends", "functions, modules and the like")


def _items(given: Any, option: str, what: str) -> tuple[Any, ...]:
    if not isinstance(given, Iterable):
        raise TypeError(f"memo: {option} takes a list of {what}, not {given!r}.")
    return tuple(given)


def _callable(validate: Any) -> Any:
    if validate is not None and not callable(validate):
        raise TypeError(f"memo: validate must be a function of a dict, not {validate!r}.")
    return validate


def _check(function: Any) -> None:
    if not callable(function):
        hint = "; put @property above @memo" if isinstance(function, property) else ""
        raise TypeError(
            f"memo: {function!r} can not be called, so it has no results to keep{hint}."
        )
    if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
        name = getattr(function, "__qualname__", repr(function))
        raise TypeError(
            f"memo: {name} is a generator function, and a generator can not be kept: return a list."
        )


def _written(name: str) -> str:
    """A name as it can be written into a file, whatever a program put into it."""
    return name.encode("utf-8", "backslashreplace").decode().replace("\0", "\\0")


# ---- parameters ----

Row = tuple[str, int, tuple[Any, ...], bool, Callable[[Any], Any] | None]


def _parameters(function: Any, name: str, options: Options) -> tuple[Row, ...]:
    """A function's parameters, as fettle._core.StoredFunction takes them."""
    wanted = {*options.ignore, *options.key}
    both = sorted({*options.ignore} & {*options.key})
    if both:
        raise ValueError(
            f"memo: parameter {both[0]!r} of {name}() is in ignore= and in key=: leave it in one."
        )
    found = _signature(function, followed=False)
    if not wanted <= {each.name for each in found}:
        found = _signature(function, followed=True)
    unknown = sorted(wanted - {each.name for each in found})
    if unknown:
        has = ", ".join(each.name for each in found) or "none"
        raise ValueError(
            f"memo: {name}() has no parameter {unknown[0]!r} to ignore or to make a key of; it "
            f"has: {has}."
        )
    return tuple(
        (
            each.name,
            int(each.kind),
            () if each.default is each.empty else (each.default,),
            each.name in options.ignore,
            options.key.get(each.name),
        )
        for each in found
    )


def _signature(function: Any, followed: bool) -> list[inspect.Parameter]:
    if not isinstance(function, FunctionType):
        followed = True
    try:
        found = inspect.signature(function, follow_wrapped=followed)
    except (TypeError, ValueError):  # some of C's functions do not say
        return [
            inspect.Parameter("args", inspect.Parameter.VAR_POSITIONAL),
            inspect.Parameter("kwargs", inspect.Parameter.VAR_KEYWORD),
        ]
    return list(found.parameters.values())


__all__ = ["FunctionStats", "Memo", "MemoStats", "default_folder", "function_stats"]
