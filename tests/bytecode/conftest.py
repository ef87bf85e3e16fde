# SPDX-License-Identifier: Apache-2.0
"""Fixtures of the tests of byte code."""

from tests.frozen import what_was_there_is_not_searched  # noqa: F401
