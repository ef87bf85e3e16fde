# SPDX-License-Identifier: Apache-2.0
"""Each resume of a generator is a call by its resumer: three values, then the end.

expect count 4
expect total 1
edge total -> count 4
"""


def count(n):
    yield from_zero
    for i in range(1, n):
        yield i


def total(values):
    result = 0
    for value in values:
        result += value
    return result


from_zero = 0
print(total(count(3)))
