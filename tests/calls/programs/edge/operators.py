# SPDX-License-Identifier: Apache-2.0
"""Operator overloads, often enough to be specialised, and reflected ones.

expect __add__ 400
expect __radd__ 400
expect __iadd__ 400
expect __lt__ 400
expect __eq__ 400
expect __neg__ 400
expect __bool__ 400
expect __matmul__ 400
expect __enter__ 400
expect __exit__ 400
edge loop -> __add__ 400
edge loop -> __exit__ 400
edge loop -> __radd__ 400
"""


class Number:
    def __add__(self, other):
        return 1

    def __radd__(self, other):
        return 1

    def __iadd__(self, other):
        return self

    def __lt__(self, other):
        return True

    def __eq__(self, other):
        return True

    def __neg__(self):
        return 1

    def __bool__(self):
        return True

    def __matmul__(self, other):
        return 1

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        return True


def loop(n):
    for _ in range(400):
        n + 1
        1 + n
        n += 1
        n < 1
        n == 1
        -n
        if n:
            n @ n
        with n:
            raise ValueError


loop(Number())
