# SPDX-License-Identifier: Apache-2.0
"""The outer generator is resumed by the loop, the inner one by the outer.

expect outer 4
expect inner 4
edge <module> -> outer 4
edge outer -> inner 4
"""


def inner():
    yield 1
    yield 2
    yield 3
    return "done"


def outer():
    print((yield from inner()))


for value in outer():
    print(value)
