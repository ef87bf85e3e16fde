# SPDX-License-Identifier: Apache-2.0
"""One function called from 300 different places, one place calling 300 different functions: more
than any inline cache of children holds.

expect shared 300
expect relay 300
edge relay -> shared 300
edge <module> -> relay 300
expect many 3
"""

SOURCE = "\n".join(f"def place_{i}(): return shared()" for i in range(300))


def shared():
    return 1


def relay(function):
    return function() if function is not None else shared()


places = {"shared": shared}
exec(SOURCE, places)
functions = [places[f"place_{i}"] for i in range(300)]


def many():
    return sum([function() - 1 for function in functions[:0]])


for function in functions:
    relay(None)
for _ in range(3):
    many()
