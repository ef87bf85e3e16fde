# SPDX-License-Identifier: Apache-2.0
"""map is a type (no C function is called), next() and list() see the function fail.

expect half 3
expect <built-in method builtins.next> 1
edge <built-in method builtins.next> -> half 1
edge <module> -> half 2
"""


def half(n):
    return 2 // n


values = map(half, [1, 2, 0])
print(next(values))
try:
    list(values)
except ZeroDivisionError as error:
    print(error)
