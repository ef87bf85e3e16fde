# SPDX-License-Identifier: Apache-2.0
"""fettle.cache: a decorator that keeps the results of a function."""

from __future__ import annotations

import functools
import operator
from collections import namedtuple
from types import FunctionType, MethodType

from fettle import _core

TYPE_CHECKING = False
if TYPE_CHECKING:  # whoever decorates a plain function pays for no import but this one
    from collections.abc import Callable
    from datetime import timedelta
    from typing import Any, NamedTuple, ParamSpec, TypeVar, overload

    from fettle.caching.interface import Cached, Decorator

    P = ParamSpec("P")
    R = TypeVar("R")
    Wrapped = TypeVar(
        "Wrapped", bound=classmethod[Any, ..., Any] | staticmethod[..., Any] | property
    )

MAXSIZE = 1024  # unless one is given
POLICY = "car"
STILL, WORKING = 2.0, 60.0  # seconds to wait for an owner that stands still, and for one at work
LONGEST = 1e9  # seconds: what more there is of waiting or living is for ever
COROUTINE, GENERATOR = 0x80, 0x20 | 0x200  # flags of code objects, those of asynchronous ones too

if TYPE_CHECKING:

    class CacheInfo(NamedTuple):
        """What became of the calls of a cached function, and what its results take."""

        hits: int  # calls that were answered from what was kept, or by waiting
        misses: int  # calls that were computed
        maxsize: int | None
        currsize: int  # results that are kept
        evictions: int  # results that had to make room
        waited: int  # hits that waited for another thread's or task's computation
        bytes: int  # of the tables; the keys and values themselves are not counted
        saved: float  # seconds, an estimate: the hits times what a computation took on average

    class Options(NamedTuple):
        maxsize: int | None
        policy: str
        ttl: float | None  # seconds
        typed: bool
        key: Callable[..., Any] | None
        copy: Callable[[Any], Any] | None
        still: float
        working: float
        curve: bool
        wait: bool | float

else:
    CacheInfo = namedtuple("CacheInfo", "hits misses maxsize currsize evictions waited bytes saved")
    CacheInfo.__doc__ = "What became of the calls of a cached function, and what its results take."
    Options = namedtuple("Options", "maxsize policy ttl typed key copy still working curve wait")

if TYPE_CHECKING:

    @overload
    def cache(maxsize: Wrapped, /) -> Wrapped: ...  # type: ignore[overload-overlap]
    @overload
    def cache(maxsize: Callable[P, R], /) -> Cached[P, R, Callable[P, R]]: ...
    @overload
    def cache(
        maxsize: int | None = MAXSIZE,
        *,
        policy: str = POLICY,
        ttl: float | timedelta | None = None,
        typed: bool = False,
        key: Callable[..., Any] | None = None,
        copy: bool | Callable[[Any], Any] = False,
        wait: bool | float = True,
        curve: bool = False,
    ) -> Decorator: ...


def cache(
    maxsize: Any = MAXSIZE,
    *,
    policy: str = POLICY,
    ttl: float | timedelta | None = None,
    typed: bool = False,
    key: Callable[..., Any] | None = None,
    copy: bool | Callable[[Any], Any] = False,
    wait: bool | float = True,
    curve: bool = False,
) -> Any:
    """Keep the results of a function, method, property or coroutine function.

    Calls are the same by functools.lru_cache's rules, so the arguments must be hashable. A method's
    results live in the instance (in its __dict__, or in a slot named __fettle__) and die with it;
    each instance has maxsize of them. Several threads, or tasks, that ask for a result that is not
    there get it from one computation. An exception is not kept.

    maxsize: results kept at most; None: as many as there are; 0: none.
    policy: which one goes when there are more: "car", "clock" or "lru".
    ttl: seconds (or a timedelta) after which a result is computed anew.
    typed: arguments of different types are different: 3 and 3.0.
    key: a function of the arguments that gives what to keep the result under.
    copy: True: each call gets a deep copy of the result; or a function that copies it.
    wait: False: who misses computes, whoever else does; or the seconds to wait at most. True waits
        for two seconds, and up to a minute for a thread that is at work and for tasks.
    curve: learn what other sizes would have hit: cache_curve().

    The function gets cache_info(), cache_clear(), cache_parameters(), cache_forget(*args),
    cache_export(), cache_load(pairs), cache_curve() (a fettle.caching.curve.Curve) and __wrapped__.

    TypeError, ValueError: what can not be cached, or an option that makes no sense.

    >>> import fettle
    >>> @fettle.cache
    ... def fibonacci(n):
    ...     return n if n < 2 else fibonacci(n - 1) + fibonacci(n - 2)
    >>> fibonacci(100)
    354224848179261915075
    >>> fibonacci.cache_info().misses
    101
    """
    bare = callable(maxsize) or hasattr(type(maxsize), "__get__")
    options = Options(
        MAXSIZE if bare else _size(maxsize),
        _policy(policy),
        _lifetime(ttl),
        bool(typed),
        _function(key, "key"),
        _copier(copy),
        *_patience(wait),
        bool(curve),
        wait,
    )
    return decorate(maxsize, options) if bare else functools.partial(decorate, options=options)


# ---- the options ----


def _size(maxsize: object) -> int | None:
    if maxsize is None:
        return None
    if isinstance(maxsize, bool) or not hasattr(maxsize, "__index__"):
        raise TypeError(
            f"cache: maxsize must be an int or None, not {maxsize!r}; "
            "@fettle.cache without arguments keeps 1024 results."
        )
    size = operator.index(maxsize)
    if size < 0:
        raise ValueError(
            f"cache: maxsize can not be negative: {size}; None keeps all results, 0 none."
        )
    return size


def _policy(policy: object) -> str:
    if policy not in _core.policies:
        names = ", ".join(_core.policies)
        raise ValueError(f"cache: there is no policy {policy!r}; it is one of {names}.")
    return str(policy)


def _lifetime(ttl: object) -> float | None:
    if ttl is None:
        return None
    seconds = ttl
    if not isinstance(ttl, int | float):
        from datetime import timedelta

        seconds = ttl.total_seconds() if isinstance(ttl, timedelta) else ttl
    if isinstance(seconds, bool) or not isinstance(seconds, int | float):
        raise TypeError(f"cache: ttl must be seconds or a timedelta, not {ttl!r}.")
    if not seconds > 0:  # nan is not
        raise ValueError(f"cache: ttl must be more than 0 seconds, not {ttl!r}; None is for ever.")
    return None if seconds > LONGEST else max(float(seconds), 1e-9)


def _function(given: Any, name: str) -> Any:
    if given is not None and not callable(given):
        raise TypeError(f"cache: {name} must be a function, not {given!r}.")
    return given


def _copier(copy: Any) -> Any:
    if copy is False or copy is None:
        return None
    if copy is True:
        from copy import deepcopy

        return deepcopy
    return _function(copy, "copy")


def _patience(wait: object) -> tuple[float, float]:
    if isinstance(wait, bool):
        return (STILL, WORKING) if wait else (0.0, 0.0)
    if not isinstance(wait, int | float):
        raise TypeError(f"cache: wait must be True, False or seconds, not {wait!r}.")
    if not wait >= 0:
        raise ValueError(f"cache: wait must be 0 seconds or more, not {wait!r}.")
    seconds = float(min(wait, LONGEST))
    return seconds, seconds


# ---- what is decorated ----


def decorate(function: Any, options: Options) -> Any:
    """The cached function, in the same wrapping: a property stays a property."""
    if isinstance(function, staticmethod):
        return staticmethod(decorate(function.__func__, options))
    if isinstance(function, classmethod):
        return classmethod(decorate(function.__func__, options))
    if isinstance(function, property):
        return _property(function, options)
    if _check(function) & COROUTINE:
        return _awaited(function, options, is_method(function))
    return _dressed(_memo(function, options), function)


def _awaited(function: Any, options: Options, method: bool) -> Any:
    from fettle.caching import coroutine  # asyncio takes its time: who has no coroutines spares it

    return coroutine.cached(function, _memo(function, options, method), options, method)


def _property(given: property, options: Options) -> property:
    if given.fget is None:
        raise TypeError("cache: a property without a getter has no results to keep.")
    if _check(given.fget) & COROUTINE:
        getter = _awaited(given.fget, options, method=True)
    else:
        getter = _dressed(_memo(given.fget, options, method=True), given.fget)
    return property(getter, given.fset, given.fdel, given.__doc__)


def _check(function: Any) -> int:
    """COROUTINE, or 0."""
    if isinstance(function, type):
        raise TypeError(
            f"cache: {function.__qualname__} is a class; cache a function that makes instances, "
            "or the methods of the class."
        )
    if not callable(function):
        where = "below it, right" if hasattr(type(function), "__get__") else "right"
        raise TypeError(
            f"cache: {function!r} is no function; put @fettle.cache {where} above a def."
        )
    flags = _flags(function)
    if flags & GENERATOR:
        name = getattr(function, "__qualname__", repr(function))
        raise TypeError(
            f"cache: {name} is a generator function, and a generator can be run through only once; "
            "cache a function that returns a list."
        )
    return flags


def _flags(function: Any) -> int:
    """COROUTINE or GENERATOR if it is such a function, or its calls are of one."""
    if isinstance(function, FunctionType) and not function.__dict__:
        return function.__code__.co_flags & (COROUTINE | GENERATOR)
    import inspect  # it takes longer to import than all of fettle

    flags = 0
    for each in (function, getattr(type(function), "__call__", None)):  # noqa: B004
        if inspect.iscoroutinefunction(each):
            flags |= COROUTINE
        if inspect.isgeneratorfunction(each) or inspect.isasyncgenfunction(each):
            flags |= GENERATOR
    return flags


def is_method(function: Any) -> bool:
    """Was it written in a class body, with `self` first?

    Where another decorator stands in between, nobody tells the Memo that it is in a class. One that
    is bound has its instance already, and is a function like any other.
    """
    if isinstance(function, MethodType):
        return False
    above, _, _ = getattr(function, "__qualname__", "").rpartition(".")
    if not above or above.endswith("<locals>") or not isinstance(function, FunctionType):
        return False
    code = function.__code__
    return bool(code.co_argcount) and code.co_varnames[0] == "self"


def _memo(function: Any, options: Options, method: bool | None = None) -> Any:
    parameters = {
        "maxsize": options.maxsize,
        "typed": options.typed,
        "policy": options.policy,
        "ttl": options.ttl,
        "key": options.key,
        "copy": options.copy,
        "wait": options.wait,
        "curve": options.curve,
    }
    return _core.Memo(
        function,
        options.maxsize,
        options.policy,
        CacheInfo,
        parameters,
        typed=options.typed,
        ttl=options.ttl or 0.0,
        key=options.key,
        copy=options.copy,
        curve=functools.partial(_curve, options) if options.curve else None,
        still=options.still,
        working=options.working,
        method=is_method(function) if method is None else method,
        drop_in=False,
    )


def _curve(options: Options, calls: int, distinct: float, steps: Any, *more: Any) -> Any:
    """What cache_curve() gives. Where nothing is ever evicted any policy is LRU."""
    from fettle.caching.curve import Curve

    policy = "lru" if options.maxsize is None else options.policy
    exact, exact_sizes, entry_bytes = more
    return Curve(
        calls,
        round(distinct),
        steps,
        options.maxsize,
        policy,
        exact,
        exact_sizes,
        entry_bytes=entry_bytes,
    )


def _dressed(memo: Any, function: Any) -> Any:
    return functools.update_wrapper(memo, function)
