# SPDX-License-Identifier: Apache-2.0
"""LineProfiler: what is added to it is profiled line by line, while it is on.

    profile = LineProfiler()

    @profile
    def work(): ...

    profile.print_stats()

The names that line_profiler has in this module are here too, whichever file they are in.
"""

import os
from collections.abc import Callable
from types import FunctionType, ModuleType
from typing import Any, Literal, NamedTuple, TextIO

from . import _diagnostics, _line_profiler
from ._line_profiler import __version__
from .command import main
from .line_stats import LineStats, load_stats
from .profiler_mixin import ByCountProfilerMixin, is_c_level_callable
from .scoping_policy import ScopingPolicy, ScopingPolicyDict
from .text import Config, get_code_block, get_column_widths, is_generated_code, show_func, show_text

__all__ = (
    "LineProfiler",
    "LineStats",
    "__version__",
    "get_code_block",
    "get_column_widths",
    "is_generated_code",
    "load_ipython_extension",
    "load_stats",
    "main",
    "show_func",
    "show_text",
)

Policies = str | ScopingPolicy | ScopingPolicyDict | None


class _WrapperInfo(NamedTuple):
    """What a wrapper is around, however often it was wrapped, and the profiler it switches on."""

    func: Any
    profiler_id: int


class LineProfiler(_line_profiler.LineProfiler, ByCountProfilerMixin):
    """LineProfiler(*functions): records how often each line of functions ran, and for how long.

    As a decorator it takes anything that can be called, and is on while that runs. As a context
    manager, or with enable() and disable(), it is on for all functions that were added.

    >>> profile = LineProfiler()
    >>> @profile
    ... def double(number):
    ...     return 2 * number
    >>> double(21)
    42
    >>> [rows] = profile.get_stats().timings.values()
    >>> [(line, hits) for line, hits, time in rows]
    [(3, 1)]
    """

    def __call__(self, func: Any) -> Any:
        """Adds what func is or is made of, and gives a wrapper that is profiled while it runs: func
        itself if it is a class, a wrapper of this profiler or written in C."""
        self.add_callable(func)
        return self.wrap_callable(func)

    def wrap_callable(self, func: Any) -> Any:
        """As __call__(), without adding it."""
        return func if is_c_level_callable(func) else super().wrap_callable(func)

    # ---- what is profiled ----

    def add_callable(
        self, func: object, guard: Callable[[Any], object] | None = None, name: str | None = None
    ) -> Literal[0, 1]:
        """Adds the functions that func is or is made of, and gives 1 if there were any.

        guard says of a function that it is to be left out; without it that are the wrappers of this
        profiler. name is what the log calls func. TypeError if func can not be called.
        """
        is_left_out = guard or self._already_a_wrapper
        added: Literal[0, 1] = 0
        for function in self.get_underlying_functions(func):
            if not is_left_out(function):
                info = self._wrapper_info(function)  # another profiler's: we want what is inside
                self.add_function(info.func if info else function)
                _diagnostics.log.debug("added %s", name or function.__qualname__)
                added = 1
        return added

    def add_class(self, cls: type, *, scoping_policy: Policies = None, wrap: bool = False) -> int:
        """Adds the functions of a class, and gives how many of its members were added.

        scoping_policy: what of it belongs to the class (see ScopingPolicy). wrap replaces the
        members by wrappers, so that nothing else need switch the profiler on.
        """
        return self._add_namespace(cls, ScopingPolicy.to_policies(scoping_policy), wrap, set())

    def add_module(
        self, mod: ModuleType, *, scoping_policy: Policies = None, wrap: bool = False
    ) -> int:
        """Adds the functions of a module and of its classes; see add_class()."""
        return self._add_namespace(mod, ScopingPolicy.to_policies(scoping_policy), wrap, set())

    def _add_namespace(
        self,
        namespace: type | ModuleType,
        policies: dict[str, ScopingPolicy],
        wrap: bool,
        seen: set[int],
    ) -> int:
        near = {kind: policy.get_filter(namespace, kind) for kind, policy in policies.items()}

        def is_left_out(function: FunctionType) -> bool:
            return self._already_a_wrapper(function) or not near["func"](function)

        count, members = 0, {}
        for name, value in list(vars(namespace).items()):
            if id(value) in seen:
                continue
            seen.add(id(value))
            if isinstance(value, type | ModuleType):
                kind = "class" if isinstance(value, type) else "module"
                if near[kind](value) and self._add_namespace(value, policies, wrap, seen):
                    count += 1
                continue
            try:
                if not self.add_callable(value, is_left_out, f"{namespace.__name__}.{name}"):
                    continue
            except TypeError:  # nothing that can be called
                continue
            members[name] = value
        if wrap:
            self._wrap_namespace_members(namespace, members, warning_stack_level=3)
        return count + len(members)

    # ---- what was recorded ----

    def get_stats(self) -> LineStats:
        """What was recorded so far; the recording goes on."""
        return LineStats.from_stats_objects(super().get_stats())

    def dump_stats(self, filename: str | os.PathLike[str]) -> None:
        """Writes it to an .lprof file. OSError if that cannot be written."""
        self.get_stats().to_file(filename)

    def print_stats(
        self,
        stream: TextIO | None = None,
        output_unit: float | None = None,
        stripzeros: bool = False,
        details: bool = True,
        summarize: bool = False,
        sort: bool = False,
        rich: bool = False,
        *,
        config: Config = None,
    ) -> None:
        """Writes it to stream, or stdout; see show_text()."""
        self.get_stats().print(
            stream, output_unit, stripzeros, details, summarize, sort, rich, config=config
        )

    # ---- wrappers, of this profiler and of others ----

    def _wrapper_info(self, func: object) -> _WrapperInfo | None:
        return getattr(func, self._profiler_wrapped_marker, None)

    def _already_a_wrapper(self, func: object) -> bool:
        info = self._wrapper_info(func)
        return info is not None and info.profiler_id == id(self)

    def _mark_wrapper(self, wrapper: Any) -> Any:
        inner = self._wrapper_info(wrapper.__wrapped__)
        func = inner.func if inner else wrapper.__wrapped__
        setattr(wrapper, self._profiler_wrapped_marker, _WrapperInfo(func, id(self)))
        return wrapper


def load_ipython_extension(ip: Any) -> None:
    """`%load_ext`: gives IPython %lprun and %%lprun_all."""
    from .ipython_extension import LineProfilerMagics

    ip.register_magics(LineProfilerMagics)
