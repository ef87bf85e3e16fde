# SPDX-License-Identifier: Apache-2.0
"""An exception out of __del__ is reported and dropped; what follows is recorded as before.

expect __del__ 3
expect after 1
expect hook 3
edge __del__ -> after 0
edge <module> -> after 1
"""

import sys


class Thing:
    def __del__(self):
        raise OSError


def after():
    pass


def hook(unraisable):
    print(unraisable.exc_type.__name__)


sys.unraisablehook = hook
for _ in range(3):
    Thing()
after()
sys.unraisablehook = sys.__unraisablehook__
