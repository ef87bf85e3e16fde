# SPDX-License-Identifier: Apache-2.0
"""10 000 threads one after another, each with one call of its own.

expect trivial 10000
expect leaf 10000
edge trivial -> leaf 10000
"""

import threading


def leaf():
    pass


def trivial():
    leaf()


for _ in range(10_000):
    thread = threading.Thread(target=trivial)
    thread.start()
    thread.join()
