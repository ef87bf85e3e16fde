# SPDX-License-Identifier: Apache-2.0
"""Time in frames that are still open when the process dies counts for them."""

import os
import time


def inner():
    time.sleep(0.1)
    deadline = time.monotonic() + 0.1
    while time.monotonic() < deadline:
        pass
    os._exit(0)


def outer():
    inner()


outer()
