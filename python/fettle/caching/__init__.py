# SPDX-License-Identifier: Apache-2.0
"""Caches in memory and tables: fettle.cache and fettle.table."""
