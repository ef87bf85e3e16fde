# SPDX-License-Identifier: Apache-2.0
"""Source with one of everything that has code of its own. It must never run: the first line would
be seen."""

SOURCE = '''\
__import__("sys").exit("this ran")

def outer(n):
    """A doc."""
    def inner(m):
        return m + n
    return [inner(each) for each in range(n)]

class Shape:
    sides = 4

    def area(self):
        try:
            return self.sides ** 2
        except TypeError:
            return None

    @property
    def name(self):
        return "shape"

    @name.setter
    def name(self, name):
        self.sides = len(name)

    class Inner:
        def deep(self):
            return 1

pair = (lambda x: x + 1,
        lambda y: y * 2)

def outer_too(): return pair

if True:
    def twice(): return 1
else:
    def twice(): return 2

total = max(n for n in (1, 2))
'''
