# SPDX-License-Identifier: Apache-2.0
"""What fettle.cache loads: no more than a plain function needs."""

from .harness import run

HEAVY = {"asyncio", "copy", "datetime", "importlib", "inspect", "re", "typing", "warnings"}

PROGRAM = """
import sys
import functools
before = set(sys.modules)
import fettle

@fettle.cache
def bare(x):
    return x

class Class:
    @fettle.cache(maxsize=10, ttl=60, key=lambda self: 1, copy=list)
    def method(self):
        return [1]

    @property
    @fettle.cache
    def proper(self):
        return 1

bare(1), bare.cache_info(), Class().method(), Class().proper
{more}
print(*(set(sys.modules) - before))
"""


def loaded(more: str = "") -> set[str]:
    return set(run(PROGRAM.replace("{more}", more)).split())


def test_plain_functions_need_little() -> None:
    found = loaded()
    assert "fettle.caching.decorator" in found
    assert not found & HEAVY


def test_who_asks_for_more_gets_it() -> None:
    assert "copy" in loaded("fettle.cache(copy=True)(bare.__wrapped__)")
    assert "inspect" in loaded("fettle.cache(functools.partial(bare.__wrapped__, 1))")
    assert "asyncio" in loaded("async def f(): pass\nfettle.cache(f)")
    assert "datetime" in loaded("import datetime\nfettle.cache(ttl=datetime.timedelta(1))")
