# SPDX-License-Identifier: Apache-2.0
"""Reports: a recording as people read it. They know the model only, not where it came from.

flat.py, lines.py, memory.py, neighbours.py and calltree.py are the reports; overview.py shows the
first three together. They put the pieces together: selection.py finds functions, order.py sorts,
names.py names, listing.py has the source, table.py, linetable.py and columns.py lay out, unit.py
writes times and size.py bytes, notes.py says what must be known to read a table right, screen.py
prints.

Of memory, sitelines.py sums by line; sitetree.py, timeline.py and livetypes.py are the other ways
to look at it. growth.py finds the lines of one recording again in another, difftable.py shows what
grew, pointtable.py and leaks.py what grew from point to point of one.
"""
