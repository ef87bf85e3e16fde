# SPDX-License-Identifier: Apache-2.0
"""fettle: measure, find, fix, prove.

Importing this package loads nothing else: every recorded program imports it.
"""

__version__ = "0.1.0"  # as in meson.build; a test holds the two together
