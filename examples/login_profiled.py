# SPDX-License-Identifier: Apache-2.0
"""login.py with cProfile's habit kept: the program profiles itself, and prints the table or writes
it to the file that is named. To find: the same waiting, in cProfile's own eighteen calls.
"""

import sys

from fettle.compat import cProfile
from login import main_app  # noqa: F401 - run() calls it

if __name__ == "__main__":
    print("Running application.")
    cProfile.run("main_app()", filename=sys.argv[1] if sys.argv[1:] else None)
