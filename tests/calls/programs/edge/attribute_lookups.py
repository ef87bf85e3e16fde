# SPDX-License-Identifier: Apache-2.0
"""Attribute hooks, often enough to be specialised: properties, __getattr__, __getattribute__.

expect prop 600
expect __getattr__ 600
expect __getattribute__ 600
expect loop 1
edge loop -> prop 600
edge loop -> __getattr__ 600
edge loop -> __getattribute__ 600
"""


class Plain:
    @property
    def prop(self):
        return 1

    def __getattr__(self, name):
        return 2


class Hooked:
    def __getattribute__(self, name):
        return 3


def loop(plain, hooked):
    total = 0
    for _ in range(600):
        total += plain.prop + plain.missing + hooked.any
    return total


print(loop(Plain(), Hooked()))
