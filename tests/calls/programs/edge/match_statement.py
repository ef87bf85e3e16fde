# SPDX-License-Identifier: Apache-2.0
"""Class patterns look attributes up and call isinstance's machinery, not the function.

expect __instancecheck__ 1
expect x 1
expect describe 3
edge describe -> __instancecheck__ 1
"""


class Meta(type):
    def __instancecheck__(cls, instance):
        return instance == "matched"


class Odd(metaclass=Meta):
    pass


class Point:
    __match_args__ = ("x",)

    @property
    def x(self):
        return 1


def describe(value):
    match value:
        case Point(1):
            return "point"
        case [a, *_] | {"key": a}:
            return a
        case Odd():
            return "odd"
    return None


print(describe(Point()), describe([1, 2]), describe("matched"))
