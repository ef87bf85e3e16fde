# SPDX-License-Identifier: Apache-2.0
"""str(), format(), f-strings, print(), bytes(), complex indexes: C code that calls methods.

expect __str__ 4
expect __format__ 2
expect __index__ 3
expect __bytes__ 1
expect __fspath__ 1
expect __round__ 1
expect __length_hint__ 1
edge <built-in method builtins.print> -> __str__ 1
edge <built-in method builtins.format> -> __format__ 1
edge <built-in method posix.fspath> -> __fspath__ 1
edge <module> -> __index__ 2
edge <built-in method builtins.hex> -> __index__ 1
"""

import os


class Thing:
    def __str__(self):
        return "thing"

    def __format__(self, spec):
        return "formatted"

    def __index__(self):
        return 1

    def __bytes__(self):
        return b"bytes"

    def __fspath__(self):
        return "path"

    def __round__(self, digits=None):
        return 2

    def __length_hint__(self):
        return 3

    def __iter__(self):
        return self

    def __next__(self):
        raise StopIteration


thing = Thing()
print(thing)
texts = str(thing), f"{thing!s}", "%s" % thing  # noqa: UP031
print(texts, f"{thing}", format(thing, "x"), [1, 2][thing], range(thing), hex(thing))
print(bytes(thing), os.fspath(thing), round(thing), list(thing))
