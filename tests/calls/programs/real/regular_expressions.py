# SPDX-License-Identifier: Apache-2.0
"""re: compiling complicated patterns (the compiler is Python), substituting by a function."""

import re

PATTERNS = [
    r"(?P<year>\d{4})-(?P<month>\d\d)-(?P<day>\d\d)(?:T(\d\d):(\d\d))?",
    r"^(?:[a-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*)@(?:[a-z]+\.)+[a-z]{2,}$",
    r"(?i:(?<=a)b(?!c)|[^\W\d_]+?){2,5}(?x: a b  c )\1?",
    r"((a|b)*c|d[ef]{1,3}){0,4}(?(1)x|y)".replace(r"\1?", ""),
    r"[\u0400-\u04ff]+|[\w&&[^\d]]*".replace("&&[^", "").replace("]]*", "]*"),
]
for pattern in PATTERNS:
    try:
        print(re.compile(pattern).groups)
    except re.error as error:
        print(error)
print(re.sub(r"\w+", lambda match: match[0].title(), "the quick brown fox " * 20)[:30])
print(len(re.split(r"\W+", "a b,c;d" * 30)), len(list(re.finditer("a", "a" * 50))))
