# SPDX-License-Identifier: Apache-2.0
"""`python -m fettle.compat.line_profiler`."""

from .command import main

if __name__ == "__main__":
    main()
