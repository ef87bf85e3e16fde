# SPDX-License-Identifier: Apache-2.0
"""make_codec_corpus.py FOLDER: writes the first inputs of fuzz/corpus/codec: encodings of values of
every kind, and cut and damaged ones. numpy, where it is there, adds arrays."""

import datetime
import decimal
import importlib
import sys
from pathlib import Path
from typing import Any

from fettle import _core

UTC = datetime.UTC
VALUES: dict[str, Any] = {
    "atoms": [None, True, False, ..., 0, 64, -1, 2**63, 1.5, 1j, "a", "ä" * 40, b"b", bytearray(3)],
    "containers": [(), (1, (2,)), [[]], {1: {2: 3}}, {4}, frozenset({5}), range(2**70)],
    "records": [{"name": 1, "value": 2.5}, {"name": 2, "value": None}],
    "times": [
        datetime.date(2024, 2, 29),
        datetime.time(1, 2, 3, tzinfo=UTC),
        datetime.datetime(2024, 1, 1, fold=1),
        datetime.timedelta(-1, 2, 3),
        UTC,
        decimal.Decimal("1.50"),
    ],
    "pieces": [b"x" * 4096, {"more": b"y" * 5000}],
    "pickle": ValueError("x"),
    "pickle-piece": [ValueError("x" * 5000)],
}


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    try:
        numpy: Any = importlib.import_module("numpy")
    except ImportError:
        print("numpy is not here: no arrays are made")
    else:
        record = numpy.zeros(3, [("a", "<i2"), ("b", "S3", (2,))])
        VALUES["arrays"] = [numpy.arange(6.0).reshape(2, 3).T, record, numpy.float32(1.5)]
        VALUES["large-array"] = [numpy.arange(1000), "after"]
    for name, value in VALUES.items():
        data = _core.encode(value)
        (folder / name).write_bytes(data)
        (folder / f"{name}-cut").write_bytes(data[: len(data) * 2 // 3])
        for at in range(1, min(len(data), 12)):
            changed = bytearray(data)
            changed[at] ^= 0x91
            (folder / f"{name}-{at}").write_bytes(changed)
    (folder / "newer").write_bytes(b"\x02\x00\x01")


main(Path(sys.argv[1]))
