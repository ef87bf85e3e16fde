# SPDX-License-Identifier: Apache-2.0
"""tokenize over a library module, and untokenize."""

import io
import textwrap
import tokenize

with open(textwrap.__file__, encoding="utf-8") as stream:
    source = stream.read()
tokens = list(tokenize.generate_tokens(io.StringIO(source).readline))
print(len(tokens), len(tokenize.untokenize(tokens)))
