# SPDX-License-Identifier: Apache-2.0
"""A daemon thread that is still blocked when the process ends: its open frames count.

expect work 1
expect step 10
expect block 1
edge work -> block 1
"""

import threading


def step():
    pass


def block():
    ready.set()
    threading.Event().wait()


def work():
    for _ in range(10):
        step()
    block()


ready = threading.Event()
threading.Thread(target=work, daemon=True).start()
ready.wait()
