# SPDX-License-Identifier: Apache-2.0
"""ContextualProfile: what `profile` is when kernprof records calls."""

from __future__ import annotations

import marshal
from collections.abc import Callable
from typing import Any

from fettle.compat.cProfile import Profile
from fettle.compat.line_profiler.profiler_mixin import ByCountProfilerMixin

__all__ = ["ContextualProfile"]


class ContextualProfile(ByCountProfilerMixin, Profile):
    """A cProfile.Profile that can be a decorator, and counts how often it was enabled: it records
    until it was disabled as often.

    >>> profile = ContextualProfile()
    >>> with profile:
    ...     with profile:
    ...         profile.enable_count
    2
    >>> profile.enable_count
    0
    """

    def __init__(self, *args: Any, **kwds: Any) -> None:
        Profile.__init__(self, *args, **kwds)
        self.enable_count = 0

    def __call__(self, func: Callable[..., Any]) -> Any:
        """func, recorded whenever it runs."""
        return self.wrap_callable(func)

    def enable_by_count(self, subcalls: bool = True, builtins: bool = True) -> None:
        """Records, from the first time on."""
        if self.enable_count == 0:
            self.enable(subcalls=subcalls, builtins=builtins)
        self.enable_count += 1

    def disable_by_count(self) -> None:
        """Ends the recording when it was enabled no more often."""
        if self.enable_count > 0:
            self.enable_count -= 1
            if self.enable_count == 0:
                self.disable()

    def save(self, path: str) -> None:
        """Writes what was recorded so far, as dump_stats, and goes on."""
        self.snapshot_stats()
        with open(path, "wb") as stream:
            stream.write(marshal.dumps(self.stats))
