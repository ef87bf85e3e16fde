# SPDX-License-Identifier: Apache-2.0
"""A fork in nested frames. The frames that were open count once, in the parent; what the child calls
from them on has them as callers.

processes 2
expect <module> 1
expect outer 1
expect inner 1
expect child_work 3
expect leaf 4
edge inner -> child_work 3
edge inner -> leaf 1
edge child_work -> leaf 3
expect <built-in method posix.fork> 1
"""

import os


def leaf():
    pass


def child_work():
    leaf()


def inner():
    pid = os.fork()
    if pid == 0:
        for _ in range(3):
            child_work()
        os._exit(0)
    os.waitpid(pid, 0)
    leaf()


def outer():
    inner()


outer()
