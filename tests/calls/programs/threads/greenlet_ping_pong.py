# SPDX-License-Identifier: Apache-2.0
"""Two greenlets switch to each other from nested frames: what they call after coming back belongs to
the frames that were left.

package greenlet
expect ping 1
expect ping_inner 10
expect ping_leaf 10
expect pong 1
expect pong_inner 10
expect pong_leaf 10
edge ping -> ping_inner 10
edge ping_inner -> ping_leaf 10
edge pong -> pong_inner 10
edge pong_inner -> pong_leaf 10
edge ping_inner -> pong_leaf 0
edge pong_inner -> ping_leaf 0
"""

from greenlet import greenlet


def ping_leaf():
    pass


def ping_inner():
    second.switch()
    ping_leaf()


def ping():
    for _ in range(10):
        ping_inner()


def pong_leaf():
    pass


def pong_inner():
    first.switch()
    pong_leaf()


def pong():
    for _ in range(10):
        pong_inner()


first, second = greenlet(ping), greenlet(pong)
first.switch()
second.switch()
print(first.dead, second.dead)
