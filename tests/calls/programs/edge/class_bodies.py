# SPDX-License-Identifier: Apache-2.0
"""A class statement calls __build_class__, which runs the body; a class in a class is recursion.

expect <built-in method builtins.__build_class__> 3 2
expect Outer 1
expect Inner 1
expect Derived 1
edge <built-in method builtins.__build_class__> -> Outer 1
edge Outer -> <built-in method builtins.__build_class__> 1
edge <module> -> <built-in method builtins.__build_class__> 2
expect value 1
edge Inner -> value 1
"""


def value():
    return 1


class Outer:
    class Inner:
        number = value()


class Derived(Outer):
    pass


print(Derived.Inner.number)
