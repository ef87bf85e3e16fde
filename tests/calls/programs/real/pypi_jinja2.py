# SPDX-License-Identifier: Apache-2.0
"""jinja2, where it is installed.

package jinja2
"""

import jinja2

environment = jinja2.Environment(autoescape=True)
template = environment.from_string(
    "{% macro row(i) %}<td>{{ i|upper }}</td>{% endmacro %}"
    "{% for i in items if i != 'n3' %}{{ row(i) }}{% if loop.last %}!{% endif %}{% endfor %}"
)
print(len(template.render(items=[f"n{i}" for i in range(80)])))
