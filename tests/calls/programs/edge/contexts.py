# SPDX-License-Identifier: Apache-2.0
"""with blocks: __enter__ and __exit__, contextlib's generators, ExitStack, an exception through.

expect __enter__ 3
expect __exit__ 3
expect managed 4
expect body 5
edge <module> -> body 5
"""

from contextlib import ExitStack, contextmanager, suppress


class Context:
    def __init__(self):
        self.open = False

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        return True


@contextmanager
def managed():
    try:
        yield 1
    except LookupError:
        print("seen")


def body(error=None):
    if error:
        raise error


with Context():
    body()
with Context():
    body(KeyError)
with managed():
    body()
with managed():
    body(KeyError)
with ExitStack() as stack, suppress(KeyError):
    stack.enter_context(Context())
    body(KeyError)
