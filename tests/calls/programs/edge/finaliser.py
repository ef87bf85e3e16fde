# SPDX-License-Identifier: Apache-2.0
"""__del__ runs where the last reference goes: by del, by rebinding, when a value is dropped, in a
cycle by gc.collect(). A function's variables die after it returned: the caller's business.

expect __del__ 5
edge <module> -> __del__ 4
edge leave -> __del__ 0
edge <built-in method gc.collect> -> __del__ 1
expect __init__ 5
"""

import gc

gc.disable()


class Thing:
    def __init__(self):
        self.me = None

    def __del__(self):
        pass


def leave():
    thing = Thing()
    return id(thing) > 0


thing = Thing()
del thing
thing = Thing()
thing = None
Thing()
leave()
thing = Thing()
thing.me = thing
del thing
gc.collect()
