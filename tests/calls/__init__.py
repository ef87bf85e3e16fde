# SPDX-License-Identifier: Apache-2.0
"""Conformance of the calls probe: with cProfile, with construction, and beside other tools."""
