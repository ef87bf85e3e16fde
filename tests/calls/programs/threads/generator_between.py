# SPDX-License-Identifier: Apache-2.0
"""A generator made in one thread and resumed in others, a stack frame that changes threads.

expect numbers 5
expect leaf 4
expect advance 4
edge <built-in method builtins.next> -> numbers 5
edge numbers -> leaf 4
"""

import threading


def leaf():
    pass


def numbers():
    for i in range(4):
        leaf()
        yield i


def advance(generator):
    next(generator)


generator = numbers()
for _ in range(4):
    thread = threading.Thread(target=advance, args=(generator,))
    thread.start()
    thread.join()
try:
    next(generator)
except StopIteration:
    print("end")
