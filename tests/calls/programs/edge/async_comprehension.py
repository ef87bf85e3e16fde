# SPDX-License-Identifier: Apache-2.0
"""Comprehensions in a coroutine; those over a plain iterable are inlined from 3.12 on.

expect main 1
expect produce 8
expect <listcomp> 1
expect[3.12+] <listcomp> 0
expect <dictcomp> 1
expect[3.12+] <dictcomp> 0
"""


async def produce():
    for i in range(3):
        yield i


async def main():
    print([i async for i in produce()])
    print({i: i async for i in produce()})


try:
    main().send(None)
except StopIteration:
    pass
