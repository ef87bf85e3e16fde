# SPDX-License-Identifier: Apache-2.0
"""The package in which Python 3.15 keeps its profilers; of them, `tracing` is cProfile."""
