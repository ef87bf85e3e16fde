# SPDX-License-Identifier: Apache-2.0
"""sys.exit from nested calls: the frames between end, finally blocks run, the status is kept.

expect outer 1
expect middle 1
expect inner 1
expect cleanup 2
expect <built-in method sys.exit> 1
edge inner -> <built-in method sys.exit> 1
edge middle -> cleanup 1
edge outer -> cleanup 1
"""

import sys


def cleanup():
    pass


def inner():
    sys.exit(3)


def middle():
    try:
        inner()
    finally:
        cleanup()


def outer():
    try:
        middle()
    except SystemExit:
        cleanup()
        raise


outer()
