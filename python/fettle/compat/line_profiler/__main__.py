# SPDX-License-Identifier: Apache-2.0
"""`python -m fettle.compat.line_profiler`."""

from fettle.cli import stand_in

from .command import main

if __name__ == "__main__":
    stand_in(main)
