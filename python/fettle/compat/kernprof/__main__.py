# SPDX-License-Identifier: Apache-2.0
"""`python -m fettle.compat.kernprof`."""

from __future__ import annotations

import os
import sys
from types import TracebackType

from fettle.compat.kernprof.execution import main

OURS = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))) + os.sep


def _command() -> None:
    """An exception of the program is shown from the program's first line on."""
    try:
        main()
    except Exception:
        theirs = sys.excepthook

        def hook(
            kind: type[BaseException], error: BaseException, trace: TracebackType | None
        ) -> None:
            first = _first(trace) or trace
            theirs(kind, error.with_traceback(first), first)

        sys.excepthook = hook
        raise


def _first(trace: TracebackType | None) -> TracebackType | None:
    """Where we, and what we run programs with, come to an end."""
    while trace is not None:
        file = trace.tb_frame.f_code.co_filename
        if not file.startswith((OURS, "<frozen runpy>", "<string>")):
            return trace
        trace = trace.tb_next
    return None


if __name__ == "__main__":
    _command()
