# SPDX-License-Identifier: Apache-2.0
"""Reports: a recording as people read it. They know the model only, not where it came from.

flat.py, lines.py, neighbours.py and calltree.py are the reports; overview.py shows the first two
together. They put the pieces together: selection.py finds functions, order.py sorts, names.py
names, listing.py has the source, table.py and linetable.py lay out, unit.py writes times, notes.py
says what must be known to read a table right, screen.py prints.
"""
