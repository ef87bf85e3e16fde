# SPDX-License-Identifier: Apache-2.0
"""Tests of the line profile: hits known by construction, times by what the program does."""
