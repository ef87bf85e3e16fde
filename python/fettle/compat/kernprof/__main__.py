# SPDX-License-Identifier: Apache-2.0
"""`python -m fettle.compat.kernprof`."""

from fettle.compat.kernprof.execution import main

if __name__ == "__main__":
    main()
