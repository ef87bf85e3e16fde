# SPDX-License-Identifier: Apache-2.0
"""sys.exit with a message: said on stderr, status 1.

status 1
expect leave 1
"""

import sys


def leave():
    sys.exit("a message")


leave()
