# SPDX-License-Identifier: Apache-2.0
"""Python functions called by C functions, each with its caller.

expect key 5
expect add 4
expect replace 5
expect compare 4
expect default 2
expect hook 1
expect grouping 6
edge <built-in method builtins.sorted> -> key 5
edge <built-in method _functools.reduce> -> add 4
edge <method 'sub' of 're.Pattern' objects> -> replace 5
edge <built-in method builtins.max> -> grouping 6
edge <method 'sort' of 'list' objects> -> compare 4
"""

import functools
import re


def key(n):
    return -n


def add(a, b):
    return a + b


def replace(match):
    return match[0].upper()


def compare(a, b):
    return (a > b) - (a < b)


def default():
    return 0


def hook():
    return 1


def grouping(n):
    return n % 3


print(sorted(range(5), key=key))
print(functools.reduce(add, range(5)))
print(re.compile("[aeiou]").sub(replace, "education"))
values = [1, 2, 3, 4, 5]
values.sort(key=functools.cmp_to_key(compare))
print(values, max(range(6), key=grouping))
print(list(iter(hook, 1)), [default(), default()])
