# SPDX-License-Identifier: Apache-2.0
"""zipfile, tarfile and gzip in memory."""

import gzip
import io
import tarfile
import zipfile

buffer = io.BytesIO()
with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
    for i in range(15):
        archive.writestr(zipfile.ZipInfo(f"d{i % 3}/f{i}.txt", (2020, 1, 1, 0, 0, 0)), f"text {i}" * 50)
with zipfile.ZipFile(buffer) as archive:
    print(len(archive.namelist()), sum(len(archive.read(n)) for n in archive.namelist()), archive.testzip())
buffer = io.BytesIO()
with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
    for i in range(8):
        info = tarfile.TarInfo(f"f{i}")
        info.size = 5
        archive.addfile(info, io.BytesIO(b"12345"))
buffer.seek(0)
with tarfile.open(fileobj=buffer) as archive:
    print([archive.extractfile(member).read() for member in archive][:2])
print(len(gzip.decompress(gzip.compress(b"x" * 1000, mtime=0))))
