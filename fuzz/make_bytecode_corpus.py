# SPDX-License-Identifier: Apache-2.0
"""make_bytecode_corpus.py FOLDER: writes inputs of fuzz/corpus/bytecode from code of the version
of Python that runs it, whole, cut and damaged (fuzz_bytecode.c says how they are laid out)."""

import sys
from collections.abc import Iterator
from pathlib import Path
from types import CodeType

from fettle import _core

SOURCE = '''
async def waits(lock, items):
    async with lock:
        async for item in items:
            yield [x async for x in item if x]

def catches(a, *b, c=1, **d):
    try:
        with a as e:
            return {k: v for k, v in d.items()} | {c: f"{e!r:>{c}}"}
    except* (ValueError, OSError):
        raise
    finally:
        del b

class Named:
    """A class."""
    def __init__(self):
        super().__init__()
        self.x = lambda: self.x(*[1, 2], **{}) is not None
'''
MANY = "x = 0\n" + "".join(
    f"while x < {n} and name_{n} not in y: x += name_{n}.a{n}\n" for n in range(300)
)
NONE, NUMBER, FORWARD, BACKWARD, EXTENDS = 0, 1, 8, 9, 128


def inside(code: CodeType) -> Iterator[CodeType]:
    yield code
    for const in code.co_consts:
        if isinstance(const, CodeType):
            yield from inside(const)


def encode(code: CodeType) -> bytes:
    rows = {}
    for row in _core.Bytecode(code):
        kind = NONE if row.arg is None else NUMBER
        if row.jump_target is not None:
            kind = BACKWARD if row.jump_target <= row.offset else FORWARD
        kind |= EXTENDS if row.opname == "EXTENDED_ARG" else 0
        caches = sum(size for _, size, _ in row.cache or ())
        rows[row.opcode] = bytes([row.opcode, row.baseopcode, kind, caches])
    units, lines = code.co_code[:65535], code.co_linetable[:65535]
    data = bytes([len(rows)]) + b"".join(rows.values())
    data += len(units).to_bytes(2, "little") + units
    return data + len(lines).to_bytes(2, "little") + lines + code.co_exceptiontable


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    version = f"{sys.version_info.major}{sys.version_info.minor}"
    codes = list(inside(compile(SOURCE, "<source>", "exec")))
    codes.append(compile(MANY[:9000].rsplit("\n", 1)[0], "<many>", "exec"))
    for number, code in enumerate(codes):
        data = encode(code)
        (folder / f"{version}-{number}").write_bytes(data)
        (folder / f"{version}-{number}-cut").write_bytes(data[: len(data) * 2 // 3])
        changed = bytearray(data)
        for at in range(len(changed) // 7, len(changed), 11):
            changed[at] ^= 0x91
        (folder / f"{version}-{number}-changed").write_bytes(changed)


main(Path(sys.argv[1]))
