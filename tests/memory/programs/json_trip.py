# SPDX-License-Identifier: Apache-2.0
import json

rows = [{"id": i, "name": f"n{i}", "tags": ["a", str(i)], "x": i * 1.5} for i in range(400)]
text = json.dumps(rows)
measure()
back = json.loads(text)
pretty = json.dumps(back, indent=2, sort_keys=True)
del back[::2]
measure()
