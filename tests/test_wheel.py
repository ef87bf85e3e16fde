# SPDX-License-Identifier: Apache-2.0
"""What is handed on: the sdist builds, and its wheel, alone in an environment of its own, works.

meson makes an sdist of what is committed, so that is what is tested here.
"""

import os
import re
import subprocess
import sys
import tarfile
import zipfile
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from shutil import which

import pytest

pytestmark = pytest.mark.once  # how it is packed is alike on every Python
ROOT = Path(__file__).resolve().parent.parent
TIMEOUT = 600  # seconds: a hang, not a speed limit
PROGRAM = "def work():\n    return sum(range(1000))\n\nwork()\n"
TEST = "def test_work(benchmark):\n    assert benchmark(sum, [1, 2]) == 3\n"


def run(*command: str | Path, cwd: Path = ROOT, env: dict[str, str] | None = None) -> str:
    """What the command printed; it ends well. Without env it finds this environment's tools."""
    tools = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    done = subprocess.run(
        [str(word) for word in command],
        cwd=cwd,
        env=env or os.environ | {"PATH": tools},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=TIMEOUT,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def lend(site: Path, name: str) -> None:
    """Puts an installed package, and what it needs, into another environment, so that nothing has
    to be fetched."""
    try:
        found = distribution(name)
    except PackageNotFoundError:
        return  # needed elsewhere only
    for top in {file.parts[0] for file in found.files or [] if file.parts[0] != ".."}:
        if not (site / top).exists() and top != "__pycache__":
            (site / top).symlink_to(Path(str(found.locate_file(top))))
            for needed in found.requires or []:
                if "extra ==" not in needed:
                    lend(site, re.split(r"[^\w.-]", needed)[0])


@pytest.fixture(scope="module")
def sdist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Made as a build front end makes it."""
    pytest.importorskip("mesonpy")
    command = ["git", "rev-parse", "HEAD"]
    if not which("git") or subprocess.run(command, cwd=ROOT, capture_output=True).returncode:
        pytest.skip("an sdist is made of a clone, by git")
    folder = tmp_path_factory.mktemp("sdist")
    code = "import mesonpy, sys; mesonpy.build_sdist(sys.argv[1])"
    run(sys.executable, "-c", code, folder)
    (made,) = folder.iterdir()
    return made


@pytest.fixture(scope="module")
def wheel(sdist: Path) -> Path:
    """Built from the sdist, in haste: what is in it is the same without the optimiser."""
    folder = sdist.parent / "wheel"
    options = ["--no-build-isolation", "--no-deps", "--no-index"]
    hasty = "--config-settings=setup-args=-Doptimization=0"
    run(sys.executable, "-m", "pip", "wheel", *options, hasty, "-w", folder, sdist)
    (made,) = folder.iterdir()
    return made


@pytest.fixture(scope="module")
def installed(wheel: Path) -> dict[str, str]:
    """The variables of an environment with the wheel, what it needs, and pytest."""
    folder = wheel.parent.parent / "environment"
    run(sys.executable, "-m", "venv", folder)
    (site,) = folder.glob("lib/python*/site-packages")
    for name in ("rich", "pytest"):
        lend(site, name)
    python = folder / "bin" / "python"
    run(python, "-m", "pip", "install", "--no-index", wheel)
    run(python, "-m", "pip", "check")
    path = f"{folder / 'bin'}:{os.defpath}"
    return {"PATH": path, "HOME": str(folder), "LC_ALL": "C.UTF-8", "COLUMNS": "100"}


def members(sdist: Path) -> set[str]:
    with tarfile.open(sdist) as archive:
        files = [member.name for member in archive if member.isfile()]
    return {name.partition("/")[2] for name in files}


def test_the_sdist_holds_what_is_committed(sdist: Path) -> None:
    committed = run("git", "ls-tree", "-r", "--name-only", "-z", "HEAD").rstrip("\0").split("\0")
    assert members(sdist) == {*committed, "PKG-INFO"}


def test_the_wheel_holds_the_package_and_nothing_else(sdist: Path, wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    module = {name for name in names if re.fullmatch(r"fettle/_core\.[\w-]+\.so", name)}
    about = {name for name in names if re.match(r"fettle-[\d.]+\.dist-info/", name)}
    package = {
        name.removeprefix("python/") for name in members(sdist) if name.startswith("python/")
    }
    assert names - module - about == package
    assert len(module) == 1
    needed = {"_core.pyi", "py.typed", "html/report.js", "html/report.css"}
    assert package >= {f"fettle/{name}" for name in needed}
    assert {Path(name).suffix for name in package} == {
        *(".py", ".pyi", ".pth", ".typed", ".js", ".css", ".toml")
    }
    assert not [name for name in package if "/test_" in name]
    assert any(name.endswith("/licenses/LICENSE") for name in about)


def test_it_records_and_shows(installed: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(PROGRAM)

    def fettle(*words: str) -> str:
        return run("fettle", *words, cwd=tmp_path, env=installed)

    assert "app.py:1(work)" in fettle("run", "app.py")
    assert "app.py:1(work)" in fettle("view", "app")
    fettle("view", "app", "--html", "app.html")
    page = (tmp_path / "app.html").read_text()
    style, script = (ROOT / f"python/fettle/html/report.{kind}" for kind in ("css", "js"))
    assert style.read_text()[:200] in page and script.read_text()[-200:].strip() in page


def test_other_ways_in(installed: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(PROGRAM)
    (tmp_path / "test_app.py").write_text(TEST)

    def python(*words: str) -> str:
        return run("python", *words, cwd=tmp_path, env=installed)

    assert "app.py:1(work)" in python("-m", "fettle.compat.cProfile", "app.py")
    assert "app.py:1(work)" in python("-m", "fettle", "run", "app.py")
    printed = python("-m", "pytest", "test_app.py", "--fettle")
    assert "fettle: the slowest 1 of 1 test " in printed and "fettle: benchmark, 1 test " in printed
    assert (tmp_path / "pytest.fettle").exists()
    with pytest.raises(AssertionError, match="No module named 'mesonpy'"):
        python("-c", "import mesonpy")  # no build tool helped
