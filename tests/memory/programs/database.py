# SPDX-License-Identifier: Apache-2.0
import sqlite3

connection = sqlite3.connect(":memory:")
connection.row_factory = sqlite3.Row
connection.execute("create table t (id integer primary key, name text, x real, data blob)")
connection.executemany(
    "insert into t (name, x, data) values (?, ?, ?)",
    ((f"n{i}", i / 3, bytes(i % 50)) for i in range(500)),
)
rows = connection.execute("select * from t where x > 20 order by name").fetchall()
names = [row["name"] for row in rows]
connection.create_function("twice", 1, lambda v: v * 2)
twice = [tuple(r) for r in connection.execute("select twice(x), data from t limit 200")]
try:
    connection.execute("select nothing from nowhere")
except sqlite3.OperationalError as error:
    said = str(error)
measure()
