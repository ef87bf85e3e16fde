# SPDX-License-Identifier: Apache-2.0
"""A program that closes every descriptor it did not open, as a daemon does.

status 0
expect outer 1
expect leaf 100
"""

import os


def leaf():
    pass


def outer():
    for i in range(100):
        if i == 50:
            os.closerange(3, 1024)
        leaf()


outer()
