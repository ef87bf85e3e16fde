# SPDX-License-Identifier: Apache-2.0
import re

text = " ".join(f"key{i}={i * 7}; # note {i}" for i in range(500))
pattern = re.compile(r"(?P<key>\w+)=(?P<value>\d+)")
matches = list(pattern.finditer(text))
pairs = {m["key"]: int(m["value"]) for m in matches}
changed = re.sub(r"\d+", lambda m: str(int(m[0]) + 1), text)
parts = [re.compile(f"a{{{i}}}b+|c{i}") for i in range(30)]
del matches[::2]
measure()
