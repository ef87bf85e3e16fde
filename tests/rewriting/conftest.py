# SPDX-License-Identifier: Apache-2.0
"""Code is rewritten on 3.11 only."""

from fettle import _core

collect_ignore = (
    [] if hasattr(_core, "_rewrite") else ["test_rewriting.py", "test_sites.py", "test_watched.py"]
)
