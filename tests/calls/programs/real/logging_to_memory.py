# SPDX-License-Identifier: Apache-2.0
"""logging with handlers, filters and formatters, and warnings.

The handlers have no stream of their own to close: what happens at exit is not compared here."""

import io
import logging
import warnings

stream = io.StringIO()
handler = logging.StreamHandler(stream)
handler.setFormatter(logging.Formatter("{levelname}:{name}:{message}", style="{"))
root = logging.getLogger("app")
root.addHandler(handler)
root.setLevel(logging.INFO)
root.propagate = False


class Even(logging.Filter):
    def filter(self, record):
        return record.args[0] % 2 == 0


handler.addFilter(Even())
for i in range(60):
    logging.getLogger(f"app.part{i % 3}").warning("number %d", i)
    root.debug("unseen %d", i)
try:
    raise ValueError("v")
except ValueError:
    root.exception("failed %d", 2)
print(len(stream.getvalue()) > 100)
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    warnings.warn("careful", stacklevel=1)
print(len(caught))
