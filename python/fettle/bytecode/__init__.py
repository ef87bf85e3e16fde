# SPDX-License-Identifier: Apache-2.0
"""Code that is asked for by name: found and compiled, never run, and what is known of it."""
