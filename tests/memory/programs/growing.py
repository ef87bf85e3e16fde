# SPDX-License-Identifier: Apache-2.0
# Blocks that grow and shrink, in place or not.
import array
import io

small = []
for i in range(5000):
    small.append(i)
big = []
for i in range(200000):
    big.append(None)
measure()
del big[1000:]
big.extend([None] * 70000)
while len(small) > 10:
    small.pop()
mapping = {}
for i in range(3000):
    mapping[i] = None
for i in range(2990):
    del mapping[i]
mapping["new"] = 1
numbers = set()
for i in range(3000):
    numbers.add(i)
numbers.difference_update(range(2980))
numbers.add(-1)
measure()
reset()
text = ""
for i in range(2000):
    text += "ab"
wide = "é" * 300
wide += "中" * 300
data = b""
for i in range(500):
    data += b"xyz"
changing = bytearray()
for i in range(3000):
    changing += b"12345"
del changing[:7000]
changing.extend(bytes(20000))
view = memoryview(changing)[10:1000]
cast = memoryview(bytes(4096)).cast("I")
joined = "".join(str(i) for i in range(1000))
values = array.array("d", range(1000))
values.extend(range(1000))
values.pop()
stream = io.BytesIO()
for i in range(300):
    stream.write(bytes(i))
lines = io.StringIO()
for i in range(300):
    lines.write(str(i) * 5)
out = stream.getvalue(), lines.getvalue()
huge = bytes(3 << 20)
zeros = [0] * 500000
del zeros
try:
    bytes(1 << 62)
except MemoryError:
    pass
measure()
formatted = [f"{i:>20}|{i!r}" for i in range(300)] + ["%s-%d" % (i, i) for i in range(300)]
encoded = [f"é{i}".encode() for i in range(300)]
decoded = [each.decode() for each in encoded]
splits = [("a b " * i).split() for i in range(60)]
translated = ["abc".translate({97: str(i)}) for i in range(100)]
measure()
