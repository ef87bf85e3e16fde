# SPDX-License-Identifier: Apache-2.0
"""Caches in memory and tables: fettle.cache and fettle.table. Call is a key with keywords, as
cache_export gives it."""

from fettle._core import Call as Call
