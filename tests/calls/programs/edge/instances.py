# SPDX-License-Identifier: Apache-2.0
"""Making instances: of Python classes (with __new__, __init__, both), of C types, of subclasses of
C types. C types are not C functions: no row.

expect __new__ 203
expect __init__ 304
expect <built-in method __new__ of type object> 203
edge __new__ -> <built-in method __new__ of type object> 203
edge loop -> __init__ 300
edge loop -> __new__ 200
edge <module> -> __init__ 4
"""


class Initialised:
    def __init__(self, value):
        self.value = value


class Made:
    def __new__(cls, value):
        return object.__new__(cls)


class Both:
    def __new__(cls, value):
        return super().__new__(cls)

    def __init__(self, value):
        self.value = value


class Number(int):
    def __new__(cls, value):
        return int.__new__(cls, value)


class Items(list):
    def __init__(self, value):
        super().__init__([value])


def loop():
    for i in range(100):
        Initialised(i)
        Both(i)
        Items(i)
        Number(i)


loop()
Initialised(1), Made(1), Both(1), Number(1), Items(1), Initialised(2)
print(int("3"), list("ab"), dict(a=1), str(1), tuple([1]), object() is None, type(1), range(2))
