# SPDX-License-Identifier: Apache-2.0
"""docutils, where it is installed.

package docutils
"""

from docutils.core import publish_string

TEXT = "\n".join(
    f"Heading {i}\n==========\n\nText *emphasised* and ``code``, a list:\n\n- one\n- two `link <http://x.example>`_\n"
    for i in range(6)
)
settings = {"report_level": 5, "_disable_config": True}
print(len(publish_string(TEXT, writer_name="html5", settings_overrides=settings)) > 1000)
