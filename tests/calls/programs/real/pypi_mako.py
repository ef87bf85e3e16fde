# SPDX-License-Identifier: Apache-2.0
"""mako, where it is installed.

package mako
"""

from mako.template import Template

template = Template("<%def name='row(i)'>${i | h}</%def>\n% for i in items:\n${row(i)}\n% endfor\n", uri="page")
print(len(template.render(items=range(60))))
