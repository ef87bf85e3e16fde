# SPDX-License-Identifier: Apache-2.0
"""A crash with faulthandler on, which writes its report first.

signal 11
expect outer 1
expect leaf 100
"""

import faulthandler
import resource

resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
faulthandler.enable()


def leaf():
    pass


def outer():
    for _ in range(100):
        leaf()
    faulthandler._sigsegv()


outer()
