# SPDX-License-Identifier: Apache-2.0
"""Threads that die of an exception and by SystemExit, from nested calls: the hook is told of both.

expect work 4
expect fall 12 4
expect hook 4
edge fall -> fall 8 4
"""

import threading


def hook(arguments):
    print(arguments.exc_type.__name__)


def fall(n, error):
    if n == 0:
        raise error
    fall(n - 1, error)


def work(error):
    fall(2, error)


threading.excepthook = hook
for error in (ValueError, SystemExit, ValueError, SystemExit):
    thread = threading.Thread(target=work, args=(error,))
    thread.start()
    thread.join()
