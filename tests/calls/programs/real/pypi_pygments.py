# SPDX-License-Identifier: Apache-2.0
"""pygments, where it is installed.

package pygments
"""

import textwrap

from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer

with open(textwrap.__file__, encoding="utf-8") as stream:
    print(len(highlight(stream.read()[:4000], PythonLexer(), HtmlFormatter(linenos=True))) > 1000)
