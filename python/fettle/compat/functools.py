# SPDX-License-Identifier: Apache-2.0
"""functools by another import: lru_cache and cache are ours, in exact LRU order.

from fettle.compat import functools

Nothing waits here: who misses computes, as with the original. All else is functools' own.
"""

from __future__ import annotations

import functools as _functools
import sys as _sys
from collections import namedtuple as _namedtuple

from fettle import _core

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from functools import WRAPPER_ASSIGNMENTS as WRAPPER_ASSIGNMENTS
    from functools import WRAPPER_UPDATES as WRAPPER_UPDATES
    from functools import _lru_cache_wrapper
    from functools import cached_property as cached_property
    from functools import cmp_to_key as cmp_to_key
    from functools import partial as partial
    from functools import partialmethod as partialmethod
    from functools import reduce as reduce
    from functools import singledispatch as singledispatch
    from functools import singledispatchmethod as singledispatchmethod
    from functools import total_ordering as total_ordering
    from functools import update_wrapper as update_wrapper
    from functools import wraps as wraps
    from typing import Any, TypeVar, overload

    _R = TypeVar("_R")

__all__ = list(_functools.__all__)


CacheInfo = _namedtuple("CacheInfo", "hits misses maxsize currsize")
if TYPE_CHECKING:

    @overload
    def lru_cache(
        maxsize: int | None = 128, typed: bool = False
    ) -> Callable[[Callable[..., _R]], _lru_cache_wrapper[_R]]: ...
    @overload
    def lru_cache(maxsize: Callable[..., _R], typed: bool = False) -> _lru_cache_wrapper[_R]: ...


def lru_cache(maxsize: Any = 128, typed: Any = False) -> Any:
    """Keep the results of a function, at most maxsize of them; the least recently used one goes.

    maxsize None: all are kept. typed: arguments of different types are different, 3 and 3.0.
    The arguments must be hashable. The function gets cache_info(), cache_clear(),
    cache_parameters() and __wrapped__.

    >>> from fettle.compat import functools
    >>> @functools.lru_cache(maxsize=32)
    ... def square(x):
    ...     return x * x
    >>> square(3), square(3)
    (9, 9)
    >>> square.cache_info()
    CacheInfo(hits=1, misses=1, maxsize=32, currsize=1)
    """
    if isinstance(maxsize, int):
        maxsize = max(maxsize, 0)
    elif callable(maxsize) and isinstance(typed, bool):
        return _cached(maxsize, 128, typed)  # @lru_cache without arguments
    elif maxsize is not None:
        raise TypeError("Expected first argument to be an integer, a callable, or None")

    def decorating_function(function: Any) -> Any:
        return _cached(function, maxsize, typed)

    return decorating_function


def cache(user_function: Callable[..., _R], /) -> _lru_cache_wrapper[_R]:
    """lru_cache(maxsize=None): all results are kept."""
    return lru_cache(maxsize=None)(user_function)


def _cached(function: Any, maxsize: int | None, typed: Any) -> Any:
    if not callable(function):
        raise TypeError("the first argument must be callable")
    if maxsize is not None and maxsize > _sys.maxsize:
        raise OverflowError("cannot fit 'int' into an index-sized integer")
    memo = _core.Memo(
        function,
        None if maxsize is None else int(maxsize),  # cache_info shows True as 1
        "lru",
        CacheInfo,
        {"maxsize": maxsize, "typed": typed},
        typed=bool(typed),
        drop_in=True,
    )
    return _functools.update_wrapper(memo, function)


def __getattr__(name: str) -> Any:
    return getattr(_functools, name)


def __dir__() -> list[str]:
    return sorted({*dir(_functools), *globals()})
