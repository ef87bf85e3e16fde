# SPDX-License-Identifier: Apache-2.0
"""super() in all its uses, often enough to be specialised.

expect method 900
expect value 300
expect made 300
edge method -> method 600 600
edge loop -> method 300
edge loop -> made 0
"""


class A:
    def method(self):
        return 1

    @property
    def value(self):
        return 1

    @classmethod
    def made(cls):
        return cls


class B(A):
    def method(self):
        return super().method() + super().value + (super().made() is B)


class C(B):
    def method(self):
        return super(C, self).method()


def loop(c):
    for _ in range(300):
        c.method()


loop(C())
