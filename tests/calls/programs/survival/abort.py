# SPDX-License-Identifier: Apache-2.0
"""os.abort().

signal 6
expect outer 1
expect leaf 100
"""

import os
import resource

resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def leaf():
    pass


def outer():
    for _ in range(100):
        leaf()
    os.abort()


outer()
