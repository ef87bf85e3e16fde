# SPDX-License-Identifier: Apache-2.0
"""sys.exit(3).

status 3
expect outer 1
expect leaf 100
edge outer -> leaf 100
"""

import sys


def leaf():
    pass


def outer():
    for _ in range(100):
        leaf()
    sys.exit(3)


outer()
