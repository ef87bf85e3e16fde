# SPDX-License-Identifier: Apache-2.0
"""300 greenlets run the same function, each parked in the middle of it several times in turn.

package greenlet
expect worker 300
expect nested 900
expect leaf 900
edge worker -> nested 900
edge nested -> leaf 900
edge <module> -> after 1
expect after 1
"""

from greenlet import greenlet, getcurrent


def leaf():
    pass


def nested():
    hub.switch()
    leaf()


def worker():
    for _ in range(3):
        nested()


def after():
    pass


hub = getcurrent()
workers = [greenlet(worker) for _ in range(300)]
while any(not w.dead for w in workers):
    for w in workers:
        if not w.dead:
            w.switch()
after()
print(len(workers))
