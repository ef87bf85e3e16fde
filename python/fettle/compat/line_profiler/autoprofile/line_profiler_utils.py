# SPDX-License-Identifier: Apache-2.0
"""One call that marks whatever an import brought."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from ..line_profiler import LineProfiler

__all__ = ["add_imported_function_or_module"]


def add_imported_function_or_module(
    self: LineProfiler, item: object, *, scoping_policy: Any = None, wrap: bool = False
) -> Literal[0, 1]:
    """Adds a function, what wraps one, a class or a module to a line profiler, which records from
    then on; gives 1 if it found a function in it. A method of the profiler once autoprofile gave
    it one.

    scoping_policy: how far into a class or module to go, see scoping_policy.ScopingPolicy.
    wrap: replace the members of a class or module by ones that record only while they run.
    """
    try:
        if inspect.isclass(item):
            count = self.add_class(item, scoping_policy=scoping_policy, wrap=wrap)
        elif inspect.ismodule(item):
            count = self.add_module(item, scoping_policy=scoping_policy, wrap=wrap)
        else:
            count = self.add_callable(item)
    except TypeError:  # there is no Python function in it
        count = 0
    if not count:
        return 0
    self.enable_by_count()
    return 1
