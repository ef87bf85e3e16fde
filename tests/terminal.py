# SPDX-License-Identifier: Apache-2.0
"""A stream that stands for a terminal and remembers what it shows."""

import io


class Terminal(io.StringIO):
    """It says that it is one."""

    encoding = "utf-8"

    def isatty(self) -> bool:
        return True
