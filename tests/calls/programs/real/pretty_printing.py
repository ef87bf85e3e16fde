# SPDX-License-Identifier: Apache-2.0
"""pprint, textwrap, string templates and reprlib."""

import pprint
import reprlib
import string
import textwrap

data = {f"key{i}": [list(range(i)), {"x": {"y": "z" * i}}, ("a", i)] for i in range(12)}
print(len(pprint.pformat(data, width=40)), len(pprint.pformat(data, compact=True, depth=3)))
text = "the quick brown fox jumps over the lazy dog " * 12
print(textwrap.fill(text, 50)[:20], textwrap.shorten(text, 40), textwrap.dedent("  a\n  b\n"))
print(string.Template("$a ${b} $$").substitute(a=1, b=2), reprlib.repr(data)[:30])
print(string.Formatter().vformat("{0:>5}|{name!r}|{0.real}", (3,), {"name": "n"}))
