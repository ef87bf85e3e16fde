# SPDX-License-Identifier: Apache-2.0
"""inspect: signatures, sources, members; dis over a function."""

import dis
import inspect
import io
import textwrap


def signatures(module):
    return [
        str(inspect.signature(value))
        for _, value in inspect.getmembers(module, inspect.isfunction)
    ]


print(signatures(textwrap)[:2], len(inspect.getsource(textwrap.TextWrapper)) > 100)
print(inspect.signature(signatures).bind(1).arguments, inspect.getdoc(textwrap.fill)[:10])
print(len(inspect.getmembers(io.StringIO)) > 20, inspect.cleandoc(" a\n  b"))
out = io.StringIO()
dis.dis(signatures, file=out)
print(len(out.getvalue()) > 100)
