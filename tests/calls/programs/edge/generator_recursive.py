# SPDX-License-Identifier: Apache-2.0
"""A tree walked by a generator that delegates to itself: 7 nodes, each resumed by the one above.
Each node is resumed once per value of its subtree and once to end: 8 times the root, 4 times each of
the 2 below it, 2 times each of the 4 at the bottom.

expect walk 24 8
edge <module> -> walk 8
edge walk -> walk 16 8
"""


def walk(depth):
    if depth < 2:
        yield from walk(depth + 1)
    yield depth
    if depth < 2:
        yield from walk(depth + 1)


for depth in walk(0):
    print(depth)
