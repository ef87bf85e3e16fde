# SPDX-License-Identifier: Apache-2.0
"""difflib: ratios, unified and n-way diffs of two texts, close matches."""

import difflib

old = [f"line {i} of {i * 7 % 11}\n" for i in range(60)]
new = [f"line {i} of {i * 5 % 11}\n" for i in range(3, 60)]
print(len(list(difflib.unified_diff(old, new))), len(list(difflib.ndiff(old[:12], new[:12]))))
print(difflib.get_close_matches("line 7 of 1", [line.strip() for line in old]))
print(difflib.HtmlDiff().make_table(old[:10], new[:10])[:20])
