# SPDX-License-Identifier: Apache-2.0
"""C code that calls methods which raise: int(), len(), hash(), repr(), ==, iteration, attributes.

expect __int__ 1
expect __len__ 1
expect __hash__ 1
expect __repr__ 1
expect __eq__ 1
expect __iter__ 1
expect __getattr__ 1
expect __bool__ 1
edge <built-in method builtins.len> -> __len__ 1
edge <built-in method builtins.hash> -> __hash__ 1
edge <built-in method builtins.repr> -> __repr__ 1
edge attempt -> <lambda> 8
"""


class Broken:
    def __int__(self):
        raise KeyError

    def __len__(self):
        raise KeyError

    def __hash__(self):
        raise KeyError

    def __repr__(self):
        raise KeyError

    def __eq__(self, other):
        raise KeyError

    def __iter__(self):
        raise KeyError

    def __getattr__(self, name):
        raise KeyError

    def __bool__(self):
        raise KeyError


def attempt(action):
    try:
        action()
    except KeyError:
        return "raised"


b = Broken()
print(attempt(lambda: int(b)), attempt(lambda: len(b)), attempt(lambda: hash(b)))
print(attempt(lambda: repr(b)), attempt(lambda: b == 1), attempt(lambda: [*b]))
print(attempt(lambda: b.none), attempt(lambda: not b))
