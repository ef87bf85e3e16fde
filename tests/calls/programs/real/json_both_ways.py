# SPDX-License-Identifier: Apache-2.0
"""json in its pure Python parts: encoder with indent and sort_keys, decoder without the C scanner."""

import json
import json.decoder
import json.scanner

data = [{"id": i, "name": f"n{i}", "tags": ["a", "b", i], "nested": {"x": i / 3}} for i in range(40)]
text = json.dumps(data, indent=2, sort_keys=True, default=str)
decoder = json.decoder.JSONDecoder()
decoder.parse_string = json.decoder.py_scanstring
decoder.scan_once = json.scanner.py_make_scanner(decoder)
assert decoder.decode(text) == data
print(len(text), len(json.dumps(data)))
