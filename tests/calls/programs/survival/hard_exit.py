# SPDX-License-Identifier: Apache-2.0
"""os._exit from nested calls.

status 7
expect outer 1
expect inner 1
expect leaf 100
edge inner -> leaf 100
"""

import os


def leaf():
    pass


def inner():
    for _ in range(100):
        leaf()
    os._exit(7)


def outer():
    inner()


outer()
