# SPDX-License-Identifier: Apache-2.0
"""The fixture `fettle`: a test has the functions of fettle without importing it."""

from __future__ import annotations

from contextlib import nullcontext

import fettle
from fettle import _core

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from fettle.inside import Run
    from fettle.timing.timing import Timing

_core.leave_out(__file__)


class Fettle:
    """All that the module fettle has, under the same names. A test that imports the module itself
    has the same, so it may do either.

    >>> tool = Fettle("test_app.py::test_load")
    >>> tool.sizeof(1) == fettle.sizeof(1)
    True
    >>> with tool.run() as recording:
    ...     sorted([3, 1, 2])
    [1, 2, 3]
    >>> [row.calls for row in recording.stats() if "sorted" in row.name]
    [1]
    """

    def __init__(self, test: str, off: Any = nullcontext) -> None:
        self._test = test
        self._off = off  # the recording of the session, if there is one, is off in it

    def time(self, *candidates: Any, args: Any = (), **options: Any) -> Timing:
        """As fettle.time; but a function, and then what are not all functions, is a call of it:
        fettle.time(f, 1, 2) is fettle.time(f, args=(1, 2)), and fettle.time(f, g) compares.

        >>> Fettle("").time(divmod, 7, 2, processes=0, budget=0.1).median > 0
        True
        """
        function, *rest = candidates or (None,)
        if callable(function) and rest and not all(callable(each) for each in rest):
            if args:
                raise TypeError("arguments stand after the function or in args=, not in both")
            candidates, args = (function,), rest
        with self._off():
            return fettle.time(*candidates, args=args, **options)

    def run(self, **options: Any) -> Run:
        """As fettle.run: `with fettle.run(mem=True) as recording:`."""
        return fettle.run(**options)

    def __getattr__(self, name: str) -> Any:
        return getattr(fettle, name)

    def __dir__(self) -> list[str]:
        return sorted({*dir(fettle), "time", "run"})

    def __repr__(self) -> str:
        return f"<fixture fettle of {self._test}>"
