# SPDX-License-Identifier: Apache-2.0
"""sqlite3 in memory: functions, aggregates, row factories, adapters, an iteration with callbacks."""

import sqlite3


class Mean:
    def __init__(self):
        self.values = []

    def step(self, value):
        self.values.append(value)

    def finalize(self):
        return sum(self.values) / len(self.values)


connection = sqlite3.connect(":memory:")
connection.row_factory = lambda cursor, row: dict(zip([c[0] for c in cursor.description], row))
connection.create_function("twice", 1, lambda value: value * 2)
connection.create_aggregate("average", 1, Mean)
connection.create_collation("reverse", lambda a, b: (a < b) - (a > b))
connection.execute("create table t (a integer, b text)")
with connection:
    connection.executemany("insert into t values (?, ?)", ((i, f"n{i}") for i in range(80)))
print(connection.execute("select sum(twice(a)) as s, average(a) as m from t").fetchall())
print(connection.execute("select b from t order by b collate reverse limit 2").fetchall())
total = sum(row["a"] for row in connection.execute("select a from t"))
connection.row_factory = None
print(total, len(list(connection.iterdump())))
connection.close()
