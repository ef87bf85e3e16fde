# SPDX-License-Identifier: Apache-2.0
"""A generator that resumes itself is refused without being entered; one that has ended is too.
The next() that is refused stands inside the next() that runs it: recursion.

expect itself 1
expect ended 2
expect <built-in method builtins.next> 5 4
edge itself -> <built-in method builtins.next> 1
edge <built-in method builtins.next> -> ended 2
"""


def itself():
    try:
        next(running)
    except ValueError as error:
        print(error)
    yield 1


def ended():
    yield 1


running = itself()
next(running)
generator = ended()
next(generator)
for _ in range(2):
    try:
        next(generator)
    except StopIteration:
        print("end")
