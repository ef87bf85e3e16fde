# SPDX-License-Identifier: Apache-2.0
"""Two values taken, then close(): the resume by close is a call of its own, and its finally runs a
function. A generator that never started has nothing to run, yet 3.11 enters it to raise in it.

expect values 3
expect cleanup 1
expect[3.11] never 1
expect[3.12+] never 0
edge values -> cleanup 1
edge <module> -> <method 'close' of 'generator' objects> 2
edge <method 'close' of 'generator' objects> -> values 1
"""


def cleanup():
    pass


def values():
    try:
        yield 1
        yield 2
        yield 3
    finally:
        cleanup()


def never():
    yield 1


generator = values()
for value in generator:
    if value == 2:
        break
generator.close()
never().close()
print(value)
