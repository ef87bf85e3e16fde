# SPDX-License-Identifier: Apache-2.0
"""ByCountProfilerMixin: decorating, for a profiler that has enable_by_count and disable_by_count.

A function becomes a function of the same kind (generator, coroutine, ...) that switches the
profiler on while it runs. What wraps functions, as a property or partial does, becomes another of
its type around wrapped functions; a class gets its members replaced.
"""

import functools
import inspect
import types
from collections.abc import Callable, Iterable, Iterator
from functools import cached_property, partial, partialmethod
from typing import Any, Self
from warnings import warn

from fettle import _core

from .scoping_policy import ScopingPolicy

_core.leave_out(__file__)  # who records calls too wants to see functions, not their wrappers

# What is written in C has no lines.
C_LEVEL_CALLABLE_TYPES = (
    types.BuiltinFunctionType,
    types.BuiltinMethodType,
    types.ClassMethodDescriptorType,
    types.MethodDescriptorType,
    types.MethodWrapperType,
    types.WrapperDescriptorType,
)


def _instances(*kinds: type) -> Callable[[object], bool]:
    return lambda thing: isinstance(thing, kinds)


is_c_level_callable = _instances(*C_LEVEL_CALLABLE_TYPES)
is_classmethod = _instances(classmethod)
is_staticmethod = _instances(staticmethod)
is_boundmethod = _instances(types.MethodType)
is_partialmethod = _instances(partialmethod)
is_partial = _instances(partial)
is_property = _instances(property)
is_cached_property = _instances(cached_property)
is_function = inspect.isfunction
is_coroutine = inspect.iscoroutinefunction
is_generator = inspect.isgeneratorfunction
is_async_generator = inspect.isasyncgenfunction

# What is asked of an object in turn, and the method that wraps it.
_WRAPPERS: tuple[tuple[Callable[[Any], bool], str], ...] = (
    (is_classmethod, "wrap_classmethod"),
    (is_staticmethod, "wrap_staticmethod"),
    (is_boundmethod, "wrap_boundmethod"),
    (is_partialmethod, "wrap_partialmethod"),
    (is_partial, "wrap_partial"),
    (is_property, "wrap_property"),
    (is_cached_property, "wrap_cached_property"),
    (is_async_generator, "wrap_async_generator"),
    (is_coroutine, "wrap_coroutine"),
    (is_generator, "wrap_generator"),
    (_instances(type), "wrap_class"),
    (callable, "wrap_function"),
)


def _parts(thing: Any) -> tuple[Any, ...] | None:
    """The functions that thing is around (None where a property has none); None: it is no such."""
    if isinstance(thing, classmethod | staticmethod | types.MethodType):
        return (thing.__func__,)
    if isinstance(thing, partial | partialmethod | cached_property):
        return (thing.func,)
    if isinstance(thing, property):
        return (thing.fget, thing.fset, thing.fdel)
    return None


def _rebuilt(thing: Any, parts: list[Any]) -> Any:
    """Another of thing's type, around parts."""
    kind: Any = type(thing)
    if isinstance(thing, types.MethodType):
        return kind(*parts, thing.__self__)
    if isinstance(thing, partial | partialmethod):
        return kind(*parts, *thing.args, **thing.keywords)
    if isinstance(thing, property):
        return kind(*parts, thing.__doc__)
    return kind(*parts)


class ByCountProfilerMixin:
    """Decorators and runners for a profiler; `wrap_callable` takes anything that can be called."""

    _profiler_wrapped_marker = "__line_profiler_id__"
    _class_scoping_policy = ScopingPolicy.CHILDREN

    def enable_by_count(self) -> None:
        """Switches the profiler on, unless it is on in this thread."""
        raise NotImplementedError

    def disable_by_count(self) -> None:
        """Undoes one enable_by_count()."""
        raise NotImplementedError

    # ---- what is to be profiled ----

    @classmethod
    def get_underlying_functions(cls, func: object) -> list[types.FunctionType]:
        """The Python functions that func is or is made of; TypeError when it is nothing like it."""
        found = cls._get_underlying_functions(func)
        return [function for function in found if isinstance(function, types.FunctionType)]

    @classmethod
    def _get_underlying_functions(
        cls, func: Any, seen: set[int] | None = None, stop_at_classes: bool = False
    ) -> list[Any]:
        """As above, with classes where stop_at_classes, and without the functions in seen (ids)."""
        seen = set() if seen is None else seen
        parts = _parts(func)
        if parts is not None:
            found = [each for each in parts if each is not None]
            return _flat(cls._get_underlying_functions(f, seen, stop_at_classes) for f in found)
        if isinstance(func, type):
            return [func] if stop_at_classes else list(cls._functions_of_class(func, seen))
        if not callable(func):
            raise TypeError(f"func = {func!r}: cannot get functions from {type(func)} objects")
        if id(func) in seen or is_c_level_callable(func):
            return []
        seen.add(id(func))
        function = func if is_function(func) else type(func).__call__
        return [] if is_c_level_callable(function) else [function]

    @classmethod
    def _functions_of_class(cls, kind: type, seen: set[int]) -> Iterator[Any]:
        is_near = cls._class_scoping_policy.get_filter(kind, "func")
        is_inner = cls._class_scoping_policy.get_filter(kind, "class")
        for member in vars(kind).values():
            try:
                found = cls._get_underlying_functions(member, seen, stop_at_classes=True)
            except TypeError:  # not a function, nor made of one
                continue
            for function in found:
                if not isinstance(function, type):
                    yield from [function] if is_near(function) else []
                elif is_inner(function):
                    yield from cls._get_underlying_functions(function, seen)

    # ---- wrapping ----

    def wrap_callable(self, func: Any) -> Any:
        """A callable like func that is profiled while it runs; TypeError when func is none."""
        for is_such, method in _WRAPPERS:
            if is_such(func):
                return getattr(self, method)(func)
        raise TypeError(f"func = {func!r}: does not look like a callable or callable wrapper")

    def _rewrap(self, thing: Any) -> Any:
        """Another of thing's type, around wrapped functions."""
        parts = [None if f is None else self.wrap_callable(f) for f in _parts(thing) or ()]
        wrapper = _rebuilt(thing, parts)
        for name in ("__name__", "attrname"):  # a property's, a cached property's
            if hasattr(thing, name):
                _try_setting(wrapper, name, getattr(thing, name))
        for name, value in getattr(thing, "__dict__", {}).items():
            wrapper.__dict__.setdefault(name, value)
        return wrapper

    wrap_classmethod = wrap_staticmethod = wrap_boundmethod = _rewrap
    wrap_partial = wrap_partialmethod = wrap_property = wrap_cached_property = _rewrap

    def wrap_function(self, func: Any) -> Any:
        """A function, or any other callable."""
        if self._already_a_wrapper(func):
            return func

        @functools.wraps(func)
        def wrapper(*args: Any, **kwds: Any) -> Any:
            self.enable_by_count()
            try:
                return func(*args, **kwds)
            finally:
                self.disable_by_count()

        return self._mark_wrapper(wrapper)

    def wrap_coroutine(self, func: Any) -> Any:
        """A coroutine function: the profiler is on until what it returns has ended."""
        if self._already_a_wrapper(func):
            return func

        @functools.wraps(func)
        async def wrapper(*args: Any, **kwds: Any) -> Any:
            self.enable_by_count()
            try:
                return await func(*args, **kwds)
            finally:
                self.disable_by_count()

        return self._mark_wrapper(wrapper)

    def wrap_generator(self, func: Any) -> Any:
        """A generator function: the profiler is on while it runs, not while it is suspended."""
        if self._already_a_wrapper(func):
            return func

        @functools.wraps(func)
        def wrapper(*args: Any, **kwds: Any) -> Any:
            generator = func(*args, **kwds)
            step, value = generator.send, None
            while True:
                self.enable_by_count()
                try:
                    item = step(value)
                except StopIteration as end:
                    return end.value
                finally:
                    self.disable_by_count()
                    value = None  # an exception in it would know this frame: a cycle
                try:
                    step, value = generator.send, (yield item)
                except BaseException as error:  # GeneratorExit too: it may catch that
                    step, value = generator.throw, error

        return self._mark_wrapper(wrapper)

    def wrap_async_generator(self, func: Any) -> Any:
        """An async generator function: the profiler is on while it runs or awaits."""
        if self._already_a_wrapper(func):
            return func

        @functools.wraps(func)
        async def wrapper(*args: Any, **kwds: Any) -> Any:
            generator = func(*args, **kwds)
            step, value = generator.asend, None
            while True:
                self.enable_by_count()
                try:
                    item = await step(value)
                except StopAsyncIteration:
                    return
                finally:
                    self.disable_by_count()
                    value = None  # see wrap_generator
                try:
                    step, value = generator.asend, (yield item)
                except BaseException as error:
                    step, value = generator.athrow, error

        return self._mark_wrapper(wrapper)

    def wrap_class(self, func: Any) -> Any:
        """Replaces what the class itself defines and gives the class."""
        is_near = self._class_scoping_policy.get_filter(func, "func")
        is_inner = self._class_scoping_policy.get_filter(func, "class")
        members = {}
        for name, member in vars(func).items():
            try:
                found = self._get_underlying_functions(member, stop_at_classes=True)
            except TypeError:
                continue
            if any(is_inner(f) if isinstance(f, type) else is_near(f) for f in found):
                members[name] = member
        self._wrap_namespace_members(func, members, warning_stack_level=2)
        return func

    def _wrap_namespace_members(
        self, namespace: Any, members: dict[str, Any], *, warning_stack_level: int = 2
    ) -> None:
        """Replaces members of a class or module by wrappers; warns of those that can not be."""
        kept = {}
        for name, member in members.items():
            wrapper = self.wrap_callable(member)
            if wrapper is not member and not _try_setting(namespace, name, wrapper):
                kept[name] = member
        if kept:
            what = f"cannot wrap {len(kept)} attribute(s) of {namespace!r} (`{{attr: value}}`)"
            warn(f"{what}: {kept!r}", stacklevel=warning_stack_level + 1)

    def _already_a_wrapper(self, func: object) -> bool:
        return bool(getattr(func, self._profiler_wrapped_marker, None) == id(self))

    def _mark_wrapper(self, wrapper: Any) -> Any:
        setattr(wrapper, self._profiler_wrapped_marker, id(self))
        return wrapper

    # ---- running ----

    def run(self, cmd: str | types.CodeType) -> Self:
        """Executes cmd in `__main__` with the profiler on."""
        import __main__

        return self.runctx(cmd, vars(__main__), vars(__main__))

    def runctx(self, cmd: str | types.CodeType, globals: dict[str, Any], locals: Any) -> Self:
        """As run(), in namespaces of the caller's choice."""
        with self:
            exec(cmd, globals, locals)
        return self

    def runcall(self, func: Callable[..., Any], /, *args: Any, **kw: Any) -> Any:
        """Calls func with the profiler on and gives what it gives."""
        with self:
            return func(*args, **kw)

    def __enter__(self) -> Self:
        self.enable_by_count()
        return self

    def __exit__(self, *exception: object) -> None:
        self.disable_by_count()


def _flat(lists: Iterable[list[Any]]) -> list[Any]:
    return [item for each in lists for item in each]


def _try_setting(thing: Any, name: str, value: object) -> bool:
    try:
        setattr(thing, name, value)
    except (AttributeError, TypeError):
        return False
    return True
