# SPDX-License-Identifier: Apache-2.0
"""What type checkers know of functions that a stopwatch measures.

P and R are the function's, Bindable is its type once more, as of caching/interface.py's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, Protocol, TypeVar, overload

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Self

    from fettle.timing.stopwatch import stopwatch as Stopwatch

P = ParamSpec("P")
Q = ParamSpec("Q")
R = TypeVar("R")
R_co = TypeVar("R_co", covariant=True)
T = TypeVar("T")
Bindable_co = TypeVar("Bindable_co", covariant=True)


class Timed(Protocol[P, R_co, Bindable_co]):
    """A function whose calls are uses of its attribute `stopwatch`."""

    __name__: str
    __qualname__: str

    @property
    def stopwatch(self) -> Stopwatch: ...
    @property
    def __wrapped__(self) -> Callable[P, R_co]: ...
    def __call__(self, *args: P.args, **keywords: P.kwargs) -> R_co: ...

    # A class method is called with its class, a method with an instance, a static one with neither.
    @overload
    def __get__(
        self: Timed[..., Any, Callable[Concatenate[type[T], Q], R]],
        instance: None,
        owner: type[T],
        /,
    ) -> Timed[Q, R, Callable[Q, R]]: ...
    @overload
    def __get__(self, instance: None, owner: type, /) -> Self: ...
    @overload
    def __get__(
        self: Timed[..., Any, Callable[Concatenate[type[T], Q], R]],
        instance: T,
        owner: Any = None,
        /,
    ) -> Timed[Q, R, Callable[Q, R]]: ...
    @overload
    def __get__(
        self: Timed[..., Any, Callable[Concatenate[T, Q], R]], instance: T, owner: Any = None, /
    ) -> Timed[Q, R, Callable[Q, R]]: ...
    @overload
    def __get__(self, instance: object, owner: Any = None, /) -> Self: ...
