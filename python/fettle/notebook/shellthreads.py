# SPDX-License-Identifier: Apache-2.0
"""The threads of the shell itself: they write its history and speak with the notebook, and are no
part of what a cell does.
"""

import threading

_OWNERS = frozenset({"IPython", "ipykernel", "zmq", "jupyter_client", "debugpy", "pydevd"})


def idents() -> list[int]:
    """Of those that run.

    >>> threading.get_ident() in idents()
    False
    """
    return [each.ident for each in threading.enumerate() if each.ident and _is_shells(each)]


def _is_shells(thread: threading.Thread) -> bool:
    """Is its class, or the function it runs, of the shell's?"""
    target = getattr(thread, "_target", None)
    modules = (type(thread).__module__, getattr(target, "__module__", None) or "")
    return any(module.partition(".")[0] in _OWNERS for module in modules)
