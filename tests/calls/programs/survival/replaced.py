# SPDX-License-Identifier: Apache-2.0
"""execv of a Python that runs the same script: both lives of the process are recorded.

status 4
expect <module> 2
expect before 100
expect after 50
expect outer 1
edge outer -> before 100
"""

import os
import sys


def before():
    pass


def after():
    pass


def outer():
    for _ in range(100):
        before()
    os.execv(sys.executable, [sys.executable, __file__, "again"])


if sys.argv[1:]:
    for _ in range(50):
        after()
    sys.exit(4)
outer()
