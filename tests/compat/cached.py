# SPDX-License-Identifier: Apache-2.0
"""Functions whose results the tests of fettle.compat.joblib keep, and what was computed."""

import asyncio

from fettle.compat import joblib

CALLS: list[object] = []


def square(x, unit="m", *, verbose=False):
    CALLS.append(x)
    return x * x, unit


async def doubled(x):
    CALLS.append(x)
    await asyncio.sleep(0)
    return 2 * x


def given(value):
    CALLS.append(type(value))
    return value


def forget_texts() -> None:
    """As in a new process, in which no function was looked at."""
    joblib._FUNCTION_HASHES.clear()
