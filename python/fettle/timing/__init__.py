# SPDX-License-Identifier: Apache-2.0
"""How long code takes, and which of several is faster: fettle.time, `fettle time`, fettle.costs.

    source -> collect -> series -> timing -> report, file

A source makes samples (statements.py: in worker processes; inprocess.py; commands.py), collect.py
asks it for rounds until the answer is known, series.py holds what was measured, timing.py says what
it means, with the statistics of the C core.
"""
