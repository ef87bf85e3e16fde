# SPDX-License-Identifier: Apache-2.0
"""Decorators are called at definition, their wrappers at each call; wraps calls update_wrapper.

expect plain 2
expect factory 1
expect decorate 1
expect wrapper 5
expect first 3
expect second 2
edge wrapper -> first 3
edge wrapper -> second 2
edge <module> -> wrapper 5
edge <module> -> plain 2
"""

import functools


def plain(function):
    @functools.wraps(function)
    def wrapper(*arguments):
        return function(*arguments)

    return wrapper


def factory(times):
    def decorate(function):
        return function

    return decorate


@plain
def first(n):
    return n


@plain
@factory(3)
def second():
    return 2


print(first(1), first(2), first(3), second(), second())
