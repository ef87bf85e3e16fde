# SPDX-License-Identifier: Apache-2.0
"""Answers that are kept in memory: fettle.table."""
