# SPDX-License-Identifier: Apache-2.0
"""csv, configparser and shlex."""

import configparser
import csv
import io
import shlex

buffer = io.StringIO()
writer = csv.DictWriter(buffer, ["a", "b", "c"])
writer.writeheader()
for i in range(60):
    writer.writerow({"a": i, "b": f"x,{i}", "c": '"'})
buffer.seek(0)
print(sum(int(row["a"]) for row in csv.DictReader(buffer)), csv.Sniffer().sniff("a;b\n1;2\n").delimiter)
settings = configparser.ConfigParser(interpolation=configparser.ExtendedInterpolation())
settings.read_string("".join(f"[s{i}]\nroot = /r{i}\npath = ${{root}}/x\non = yes\n" for i in range(12)))
print([settings[f"s{i}"]["path"] for i in range(12)][-1], settings.getboolean("s3", "on"))
out = io.StringIO()
settings.write(out)
print(len(out.getvalue()), shlex.split("a 'b c' \"d\" e\\ f # g", comments=True))
