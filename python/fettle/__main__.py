# SPDX-License-Identifier: Apache-2.0
"""`python -m fettle` is `fettle`."""

import sys

if not sys.flags.safe_path:
    del sys.path[0]  # the current folder: a program's own signal.py is not ours to import

from fettle.cli import main

if __name__ == "__main__":
    sys.exit(main())
