# SPDX-License-Identifier: Apache-2.0
"""Greenlets that are thrown into, dropped while parked, or end by an exception.

package greenlet
expect worker 4
expect cleanup 4
expect after 1
edge worker -> cleanup 4
edge <module> -> after 1
"""

import gc

from greenlet import greenlet, getcurrent


def cleanup():
    pass


def worker(fail):
    try:
        if fail:
            raise KeyError(1)
        hub.switch()
    finally:
        cleanup()


def after():
    pass


hub = getcurrent()
one, two, three, four = (greenlet(worker) for _ in range(4))
one.switch(False)
one.throw()
two.switch(False)
try:
    two.throw(ValueError)
except ValueError:
    print("thrown")
three.switch(False)
del three
gc.collect()
try:
    four.switch(True)
except KeyError:
    print("failed")
after()
