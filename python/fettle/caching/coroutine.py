# SPDX-License-Identifier: Apache-2.0
"""Cached coroutine functions: what is kept is what was awaited.

Results lie in a Memo, as those of functions do, and a hit is little more than a look-up there. What
becomes of a miss is in flight.py. Where no task of asyncio's is running (another library's loop, or
somebody who drives the coroutine by hand) a miss is computed in its place.
"""

import functools
from typing import TYPE_CHECKING, Any

from fettle._core import MemoKey
from fettle.caching.flight import Misses
from fettle.objects.classes import KEEPS

if TYPE_CHECKING:
    from fettle.caching.decorator import Options


def cached(function: Any, memo: Any, options: "Options", is_method: bool) -> Any:
    """The coroutine function whose results are in the memo. is_method: each instance, the first
    argument, has its own."""
    misses = Misses(function, options.copy, options.working)
    find, miss = memo._find, misses.miss

    async def call(*args: Any, **keywords: Any) -> Any:
        found = find(*args, **keywords) if keywords else find(*args)
        if type(found) is MemoKey:
            return await miss(found, args, keywords)
        return found

    async def uncached(*args: Any, **keywords: Any) -> Any:
        memo._count(1)
        return await function(*args, **keywords)

    made = functools.update_wrapper(uncached if options.maxsize == 0 else call, function)
    made.__dict__.update(_attributes(memo, misses, is_method))
    if is_method:
        made.__dict__[KEEPS] = True
    return made


def _attributes(memo: Any, misses: Misses, is_method: bool) -> dict[str, Any]:
    """What cached functions have. A function can not know of which instance it was asked for, so a
    method's take it as an argument."""

    def of(instance: tuple[Any, ...]) -> Any:
        return memo.__get__(*instance) if is_method and instance else memo

    def cache_info(*instance: Any) -> Any:
        """What became of the calls, as a named tuple."""
        return of(instance).cache_info()

    def cache_clear(*instance: Any) -> None:
        """Forget all results, and the counts. What is being computed will not be kept."""
        misses.forget()
        of(instance).cache_clear()

    def cache_forget(*args: Any, **keywords: Any) -> Any:
        """Forget the result of one call; True: there was one. If it is being computed, it will not
        be kept."""
        key = memo._key(*args, **keywords)
        misses.forget(key)
        return key.forget()

    def cache_export(*instance: Any) -> Any:
        """The kept results: a list of pairs (key, value), of which dict() makes a dict."""
        return of(instance).cache_export()

    def cache_load(*instance_and_pairs: Any) -> None:
        """Keep results: pairs as cache_export gives them, or a mapping."""
        of(instance_and_pairs[:-1]).cache_load(*instance_and_pairs[-1:])

    made = {
        each.__name__: each
        for each in (cache_info, cache_clear, cache_forget, cache_export, cache_load)
    }
    return {
        **made,
        "cache_parameters": memo.cache_parameters,
        "cache_curve": memo.cache_curve,
    }
