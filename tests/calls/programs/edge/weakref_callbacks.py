# SPDX-License-Identifier: Apache-2.0
"""Callbacks of weak references run where the object dies.

expect gone 3
edge <module> -> gone 2
edge drop -> gone 1
expect drop 1
"""

import _weakref


class Thing:
    pass


def gone(reference):
    pass


def drop(things):
    things.clear_all = None
    del things.one


things = Thing()
things.one, two, three = Thing(), Thing(), Thing()
references = [_weakref.ref(thing, gone) for thing in (things.one, two, three)]
thing = None
drop(things)
del two
three = None
print(len(references))
