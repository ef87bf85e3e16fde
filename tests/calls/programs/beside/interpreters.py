# SPDX-License-Identifier: Apache-2.0
"""A subinterpreter runs code of its own; ours goes on.

expect before 10
expect after 10
"""

try:
    import _interpreters
except ImportError:
    try:
        import _xxsubinterpreters as _interpreters
    except ImportError:
        _interpreters = None


def before():
    pass


def after():
    pass


for _ in range(10):
    before()
if _interpreters is not None:
    other = _interpreters.create()
    _interpreters.run_string(other, "def f(): pass\nfor _ in range(50): f()")
    _interpreters.destroy(other)
for _ in range(10):
    after()
