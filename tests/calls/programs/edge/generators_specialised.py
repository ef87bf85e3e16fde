# SPDX-License-Identifier: Apache-2.0
"""Generators resumed often enough for the interpreter to enter them without a call of C code, and
one of them left by an exception.

expect numbers 1002
expect relay 1002
expect breaks 501
edge loop -> relay 1002
edge relay -> numbers 1002
edge failing -> breaks 501
"""


def numbers():
    for _ in range(1001):
        yield 1


def relay():
    yield from numbers()


def breaks():
    for i in range(1001):
        yield 1 // (500 - i)


def loop():
    return sum([n for n in relay()])


def failing():
    try:
        for _ in breaks():
            pass
    except ZeroDivisionError as error:
        print(error)


total = 0


def loop():
    result = 0
    for n in relay():
        result += n
    return result


print(loop())
failing()
