# SPDX-License-Identifier: Apache-2.0
# Instances: inline values, dicts made late, many attributes, slots, finalizers, cycles.
import gc


class Plain:
    def __init__(self, i):
        self.a = i
        self.b = [i]


class Many:
    def __init__(self, n):
        for i in range(n):
            setattr(self, f"a{i}", i)


class Slotted:
    __slots__ = ("a", "b", "__weakref__")

    def __init__(self, i):
        self.a = i


class Ending:
    gone = []

    def __init__(self, i):
        self.i = i
        self.me = self

    def __del__(self):
        Ending.gone.append([self.i])


plain = [Plain(i) for i in range(400)]
with_dict = [each.__dict__ for each in plain[::4]]
for each in plain[::5]:
    each.c = "more"
    del each.a
many = [Many(n) for n in range(1, 60)]
slotted = [Slotted(i) for i in range(400)]
measure()
ending = [Ending(i) for i in range(100)]
del ending
gc.collect()
del plain[::2], slotted[1::2]
plain.extend(Plain(i) for i in range(200))


class Meta(type):
    def __new__(cls, name, bases, namespace):
        return super().__new__(cls, name, bases, namespace | {"made": [name]})


classes = [Meta(f"K{i}", (Plain,), {}) for i in range(40)]
properties = [property(lambda self: i) for i in range(50)]
supers = [super(Plain, each) for each in plain[:50]]
measure()
