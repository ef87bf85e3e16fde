# SPDX-License-Identifier: Apache-2.0
"""make_pstats_corpus.py FOLDER: writes the first inputs of fuzz/corpus/pstats: statistics in every
version of marshal, small enough to be mutated well, cut ones, damaged ones and hostile ones."""

import marshal
import struct
import sys
from pathlib import Path

MAIN, LEAF, BUILTIN = ("a.py", 1, "<module>"), ("a.py", 7, "größe"), ("~", 0, "<built-in len>")
CPROFILE = {
    MAIN: (1, 1, 0.25, 1.5, {}),
    LEAF: (2, 5, 1.0, 1.25, {MAIN: (2, 2, 0.5, 1.25), LEAF: (3, 3, 0.5, 0.75)}),
    BUILTIN: (2**40, 2**70, 1e-9, 1e300, {LEAF: (2**40, 2**70, 0.0, 0.0)}),
}
PROFILE = {MAIN: (1, 1, -0.5, 2, {("profile", 0, "profiler"): 1}), LEAF: (1, 3, 0, 1, {MAIN: 3})}
SAMPLED = {MAIN: (1, 9, 0.5, 4.5, {}), ("__sampled__",): True}
ODD = {("", None, "\udc80"): (-1, -1, float("inf"), float("nan"), {}), ("x", -1, ""): (1,)}
SHARED = {MAIN: (1, 1, 0.5, 0.5, {})}
SHARED |= {("b.py", line, "f"): SHARED[MAIN] for line in range(3)}


def shared_callers(row: bytes) -> bytes:
    """A hundred functions, all with the first one's dictionary of a hundred callers."""
    line = [b"i" + struct.pack("<i", number) for number in range(100)]
    callers = b"".join(b")\x03z\x01a" + each + b"z\x01fi\1\0\0\0" for each in line)
    first = b")\x03z\x01b" + line[0] + b"z\x01g" + row + b"\xfb" + callers + b"0"
    rest = (b")\x03z\x01b" + each + b"z\x01g" + row + b"r\0\0\0\0" for each in line[1:])
    return first + b"".join(rest) + b"0"


def hostile() -> dict[str, bytes]:
    """Bytes that no marshal writes."""
    huge = struct.pack("<i", 2**31 - 1)
    key = b"\xa9\x03\xda\x01ai\1\0\0\0\xda\x01f"
    row = b")\x05i\1\0\0\0i\1\0\0\0g" + bytes(8) + b"g" + bytes(8)
    return {
        "tuples-in-tuples": b"{" + b")\x01" * 5000,
        "dictionaries-in-dictionaries": b"{)\x03" + b"{" * 5000,
        "tuple-of-many": b"{(" + huge,
        "text-of-many": b"{)\x03u" + huge + b"a",
        "number-of-many": b"{)\x03z\x01al" + huge,
        "refers-to-itself": b"\xfb" + b"\xa9\x03r\1\0\0\0",
        "refers-to-the-whole": b"\xfb" + key + row + b"r\0\0\0\0" + b"0",
        "refers-to-nothing": b"\xfb" + key + row + b"r\xff\xff\xff\x7f0",
        "dictionary-shared": b"{" + shared_callers(row),
        "behind-the-end": b"{0" + b"0",
        "no-brace": b"[\0\0\0\0",
        "json": b'{"a": 1}',
    }


def main(folder: Path) -> None:
    samples = {"cprofile": CPROFILE, "profile": PROFILE, "sampled": SAMPLED, "odd": ODD}
    samples |= {"shared": SHARED, "nothing": {}}
    for name, stats in samples.items():
        for version in range(5):
            (folder / f"{name}-{version}").write_bytes(marshal.dumps(stats, version))
    whole = bytearray(marshal.dumps(CPROFILE))
    for at in range(1, len(whole), 11):
        (folder / f"cut-{at}").write_bytes(whole[:at])
        whole[at] ^= 0x11
        (folder / f"damaged-{at}").write_bytes(whole)
        whole[at] ^= 0x11
    for name, data in hostile().items():
        (folder / name).write_bytes(data)
    (folder / "empty").touch()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
