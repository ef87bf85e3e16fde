# SPDX-License-Identifier: Apache-2.0
"""Limits lowered by the program: open files, address space beyond what it has.

status 0
expect outer 1
expect leaf 100
"""

import resource

resource.setrlimit(resource.RLIMIT_NOFILE, (3, 3))


def leaf():
    pass


def outer():
    for _ in range(100):
        leaf()


outer()
