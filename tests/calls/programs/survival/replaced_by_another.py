# SPDX-License-Identifier: Apache-2.0
"""execv of a program that is no Python.

status 1
expect outer 1
expect before 100
"""

import os


def before():
    pass


def outer():
    for _ in range(100):
        before()
    os.execv("/bin/false", ["/bin/false"])


outer()
