# SPDX-License-Identifier: Apache-2.0
"""Subscripts, calls, containment, iteration by __getitem__, often enough to be specialised.

expect __getitem__ 1006
expect __setitem__ 500
expect __delitem__ 1
expect __contains__ 1
expect __call__ 500
expect __missing__ 2
expect loop 1
edge loop -> __getitem__ 1000
edge loop -> __setitem__ 500
edge loop -> __call__ 500
edge <module> -> __getitem__ 6
"""


class Box:
    def __getitem__(self, index):
        if index >= 5:
            raise IndexError
        return index

    def __setitem__(self, index, value):
        pass

    def __delitem__(self, index):
        pass

    def __contains__(self, value):
        return True

    def __call__(self):
        return 1


class Defaults(dict):
    def __missing__(self, key):
        return key


def loop(box):
    total = 0
    for _ in range(500):
        total += box[1] + box[2] + box()
        box[0] = 1
    return total


box = Box()
print(loop(box), 3 in box)
for value in box:
    print(value)
del box[0]
print(Defaults()["a"], Defaults()["b"])
