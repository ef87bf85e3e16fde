# SPDX-License-Identifier: Apache-2.0
"""Ten thousand objects of two classes that hold the same, one of them with __slots__. To find:
sys.getsizeof sees next to nothing of what separates them."""

import sys

import fettle


class NObj:
    def __init__(self):
        self._a = 1
        self._b = 3


class SObj:
    __slots__ = ["_a", "_b"]

    def __init__(self):
        self._a = 1
        self._b = 3


def show_sizes(o1, o2):
    """What is asked for with o1 and o2, and what they really take"""
    print(f"getsizeof:     NObj {sys.getsizeof(o1)} B, SObj {sys.getsizeof(o2)} B")
    print(f"fettle.sizeof: NObj {fettle.sizeof(o1)} B, SObj {fettle.sizeof(o2)} B")
    print(f"{o1.__dict__=} {o2.__slots__=}")
    print(f"with its __dict__ looked at, NObj takes {fettle.sizeof(o1)} B")


def show_limits(o2):
    """What an object with __slots__ refuses"""
    try:
        print(o2.__dict__)
    except AttributeError as error:
        print(f"o2.__dict__: {error}")
    try:
        o2._c = 5
    except AttributeError as error:
        print(f"o2._c = 5:   {error}")


def main():
    """Look at one of each, then at all of them"""
    kept = [(NObj(), SObj()) for _ in range(10_000)]
    show_sizes(*kept[-1])
    show_limits(kept[-1][1])
    print(fettle.layout(NObj))


if __name__ == "__main__":
    main()
