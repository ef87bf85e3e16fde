# SPDX-License-Identifier: Apache-2.0
"""Functions exchanged at run time, on a module, a class and an instance, in code already warm.

expect old 400
expect new 600
expect loop 10
edge loop -> old 400
edge loop -> new 600
"""


def old():
    return 1


def new():
    return 2


class Thing:
    method = staticmethod(old)


def loop(thing):
    total = 0
    for _ in range(50):
        total += function() + thing.method()
    return total


function = old
thing = Thing()
results = [loop(thing) for _ in range(3)]
function = new
results += [loop(thing) for _ in range(2)]
Thing.method = staticmethod(new)
results += [loop(thing) for _ in range(3)]
thing.method = new
results += [loop(thing) for _ in range(2)]
print(results)
