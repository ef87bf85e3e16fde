# SPDX-License-Identifier: Apache-2.0
"""bytecode_packages.py FOLDER: fetches 50 packages that people use, from PyPI, and unpacks them
there: the source texts that tests/bytecode/test_beside_dis.py decodes besides the standard library.

    python tools/bytecode_packages.py build/packages
    FETTLE_BYTECODE=all:build/packages/unpacked python -m pytest tests/bytecode/test_beside_dis.py
"""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

# What is written in Python alone, large and small, old and new.
PACKAGES = [
    "anyio",
    "attrs",
    "babel",
    "beautifulsoup4",
    "black",
    "boto3",
    "botocore",
    "celery",
    "click",
    "distlib",
    "django",
    "docutils",
    "fastapi",
    "filelock",
    "flask",
    "h11",
    "httpcore",
    "httpx",
    "hypothesis",
    "idna",
    "itsdangerous",
    "jinja2",
    "jmespath",
    "jsonschema",
    "kombu",
    "marshmallow",
    "mpmath",
    "networkx",
    "packaging",
    "paramiko",
    "pip",
    "platformdirs",
    "pluggy",
    "pygments",
    "pytest",
    "python-dateutil",
    "pytz",
    "requests",
    "rich",
    "setuptools",
    "six",
    "sphinx",
    "sqlalchemy",
    "starlette",
    "sympy",
    "tqdm",
    "twisted",
    "urllib3",
    "virtualenv",
    "werkzeug",
]


def main(folder: Path) -> None:
    wheels = folder / "wheels"
    wheels.mkdir(parents=True, exist_ok=True)
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", f"--dest={wheels}"]
    pure = ["--only-binary=:all:", "--platform=any", "--python-version=3.11"]
    subprocess.run([*pip, *pure, *PACKAGES], check=True)
    for wheel in sorted(wheels.glob("*.whl")):
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(folder / "unpacked" / wheel.name.split("-")[0])
    print(f"{len(PACKAGES)} packages in {folder / 'unpacked'}")


main(Path(sys.argv[1]))
