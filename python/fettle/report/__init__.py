# SPDX-License-Identifier: Apache-2.0
"""Reports: a recording as people read it. They know the model only, not where it came from.

flat.py, neighbours.py and calltree.py are the reports. They put the pieces together: selection.py
finds functions, order.py sorts, names.py names, table.py lays out, notes.py says what must be known
to read the table right, screen.py prints.
"""
