# SPDX-License-Identifier: Apache-2.0
"""A read through a null pointer.

signal 11
expect outer 1
expect leaf 100
edge outer -> leaf 100
"""

import ctypes
import resource

resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def leaf():
    pass


def outer():
    for _ in range(100):
        leaf()
    ctypes.string_at(0)


outer()
