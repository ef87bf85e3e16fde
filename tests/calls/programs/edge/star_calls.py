# SPDX-License-Identifier: Apache-2.0
"""Calls with * and ** go another way through the interpreter, for C and Python functions alike.

expect target 6
expect <built-in method builtins.print> 3
expect <built-in method builtins.max> 2
expect <method 'append' of 'list' objects> 2
expect <method 'format' of 'str' objects> 2
expect relay 2
edge relay -> target 2
edge <module> -> target 4
"""


def target(*positional, **named):
    return len(positional) + 10 * len_of(named)


def len_of(named):
    return sum(1 for _ in named)


def relay(*positional, **named):
    return target(*positional, **named)


print(target(*[1, 2], **{"a": 1}), target(*[]), target(**{}), target(1, *[2]))
print(*[relay(*[1]), relay(**{"b": 2})])
values = []
values.append(*[1])
list.append(values, *[2])
print(max(*[1, 2]), max(*[3, 4], key=None), "{}{x}".format(*[1], **{"x": 2}), str.format(*["a"]))
