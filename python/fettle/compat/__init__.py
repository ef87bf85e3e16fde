# SPDX-License-Identifier: Apache-2.0
"""fettle under the names that programs use already: change one import.

from fettle.compat import cProfile
"""
