# SPDX-License-Identifier: Apache-2.0
"""What type checkers know of cached functions, which are fettle._core.Memo or coroutine functions.

P and R are the function's, Bindable is its type once more: of a ParamSpec mypy can not tell whether
there is a first parameter that takes an instance, of a Callable it can.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, Protocol, TypeVar, overload

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import Self

    from fettle.caching.curve import Curve
    from fettle.caching.decorator import CacheInfo

    Pairs = Iterable[Iterable[Any]] | Mapping[Any, Any]

P = ParamSpec("P")
Q = ParamSpec("Q")
R = TypeVar("R")
R_co = TypeVar("R_co", covariant=True)
T = TypeVar("T")
Bindable_co = TypeVar("Bindable_co", covariant=True)
Wrapped = TypeVar("Wrapped", bound="classmethod[Any, ..., Any] | staticmethod[..., Any] | property")


class Cached(Protocol[P, R_co, Bindable_co]):
    """A function whose results are kept."""

    __name__: str
    __qualname__: str

    @property
    def __wrapped__(self) -> Callable[P, R_co]: ...
    def __call__(self, *args: P.args, **keywords: P.kwargs) -> R_co: ...

    # A class method is called with its class, a method with an instance, a static one with neither.
    @overload
    def __get__(
        self: Cached[..., Any, Callable[Concatenate[type[T], Q], R]],
        instance: None,
        owner: type[T],
        /,
    ) -> Cached[Q, R, Callable[Q, R]]: ...
    @overload
    def __get__(self, instance: None, owner: type, /) -> Self: ...
    @overload
    def __get__(
        self: Cached[..., Any, Callable[Concatenate[type[T], Q], R]],
        instance: T,
        owner: Any = None,
        /,
    ) -> Cached[Q, R, Callable[Q, R]]: ...
    @overload
    def __get__(
        self: Cached[..., Any, Callable[Concatenate[T, Q], R]], instance: T, owner: Any = None, /
    ) -> Cached[Q, R, Callable[Q, R]]: ...
    @overload
    def __get__(self, instance: object, owner: Any = None, /) -> Self: ...

    # Methods that are coroutine functions take the instance.
    def cache_info(self, *instance: object) -> CacheInfo: ...
    def cache_clear(self, *instance: object) -> None: ...
    def cache_export(self, *instance: object) -> list[tuple[Any, Any]]: ...
    @overload
    def cache_load(self, pairs: Pairs, /) -> None: ...
    @overload
    def cache_load(self, instance: object, pairs: Pairs, /) -> None: ...
    def cache_forget(self, *args: Any, **keywords: Any) -> bool: ...
    def cache_parameters(self) -> dict[str, Any]: ...
    def cache_curve(self) -> Curve: ...


class Decorator(Protocol):
    """What fettle.cache(...) gives."""

    @overload
    def __call__(self, function: Wrapped, /) -> Wrapped: ...  # type: ignore[overload-overlap]
    @overload
    def __call__(self, function: Callable[P, R], /) -> Cached[P, R, Callable[P, R]]: ...


class KeptFunction(Protocol[P, R_co, Bindable_co]):
    """A function whose results a fettle.Memo keeps."""

    __name__: str
    __qualname__: str

    @property
    def __wrapped__(self) -> Callable[P, R_co]: ...
    def __call__(self, *args: P.args, **keywords: P.kwargs) -> R_co: ...
    @overload
    def __get__(self, instance: None, owner: type, /) -> Self: ...
    @overload
    def __get__(
        self: KeptFunction[..., Any, Callable[Concatenate[T, Q], R]],
        instance: T,
        owner: Any = None,
        /,
    ) -> KeptFunction[Q, R, Callable[Q, R]]: ...
    @overload
    def __get__(self, instance: object, owner: Any = None, /) -> Self: ...

    # Of methods that are coroutine functions these take the instance.
    def forget(self, *args: Any, **keywords: Any) -> bool: ...
    def clear(self) -> int: ...
    def call(self, *args: Any, **keywords: Any) -> R_co: ...
    def peek(self, *args: Any, **keywords: Any) -> Any: ...
    def cached(self, *args: Any, **keywords: Any) -> bool: ...
    # of a coroutine function: to be awaited
    def reference(self, *args: Any, **keywords: Any) -> Any: ...


class KeptDecorator(Protocol):
    """What Memo()(...) gives."""

    @overload
    def __call__(self, function: Wrapped, /) -> Wrapped: ...  # type: ignore[overload-overlap]
    @overload
    def __call__(self, function: Callable[P, R], /) -> KeptFunction[P, R, Callable[P, R]]: ...
