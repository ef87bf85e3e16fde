# SPDX-License-Identifier: Apache-2.0
"""Two sides of recordings beside each other: what is called more often, takes longer, is new or is
gone. A side is one run of a program, or several (`fettle run --repeat`, or several files).

Counts are exact. Times are claims about the program only where there are runs enough to know how
much they vary by themselves: see judged.
"""
