# SPDX-License-Identifier: Apache-2.0
"""A program that changes folder, clears its environment and changes umask.

status 0
expect outer 1
expect leaf 100
"""

import os


def leaf():
    pass


def outer():
    os.chdir("/")
    os.environ.clear()
    os.umask(0o777)
    for _ in range(100):
        leaf()


outer()
