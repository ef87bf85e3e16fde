# SPDX-License-Identifier: Apache-2.0
"""List, set and dict comprehensions are functions up to 3.11, inlined from 3.12 on, and functions
still in class bodies... which are inlined too, except where they are generator expressions.

expect[3.11] <listcomp> 3
expect[3.12+] <listcomp> 0
expect[3.11] <setcomp> 1
expect[3.12+] <setcomp> 0
expect[3.11] <dictcomp> 1
expect[3.12+] <dictcomp> 0
expect <genexpr> 4
expect double 12
edge[3.11] <listcomp> -> double 6
edge[3.12+] <module> -> double 9
"""


def double(n):
    return 2 * n


class Holder:
    items = [n for n in range(3)]


print([double(n) for n in range(3)], [double(n) for n in range(3)])
print({n for n in range(3)}, {n: double(n) for n in range(3)})
print(tuple(double(n) for n in range(3)), Holder.items)
