# SPDX-License-Identifier: Apache-2.0
"""Functions that a fresh process can import by name."""

import os


def count_to(turns):
    for _ in range(turns):
        pass


def where():
    """Is this the process that the tests run in?"""
    return os.environ.get("FETTLE_TEST_PROCESS") == str(os.getpid())


def only_elsewhere():
    if where():
        raise AssertionError("called in the process of the test")


def only_here():
    if not where():
        raise AssertionError("called in another process")


def fails():
    raise LookupError("not here")


async def waits(seconds=0.001):
    import asyncio

    await asyncio.sleep(seconds)


class Holder:
    @staticmethod
    def inside():
        only_elsewhere()

    def method(self):
        return 1


def told(*args, **kwargs):
    if (args, kwargs) != ((1, "b"), {"c": [3]}):
        raise AssertionError(f"{args} {kwargs}")
