# SPDX-License-Identifier: Apache-2.0
"""An exception that nobody catches.

status 1
expect outer 1
expect leaf 100
"""


def leaf():
    pass


def outer():
    for _ in range(100):
        leaf()
    raise ValueError("said by the program")


outer()
