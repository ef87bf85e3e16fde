# SPDX-License-Identifier: Apache-2.0
"""The output file: what is replaced, what is kept, who may write."""

import errno
import os
from pathlib import Path

import pytest
from fettle import launch, output
from fettle._core import Profile
from fettle.problem import Problem


def record(path: Path, mark: str) -> None:
    """A whole recording that says mark."""
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC)
    profile = Profile()
    profile.set_meta("mark", mark)
    profile.begin(fd)
    profile.append(fd)
    os.close(fd)


def mark(path: Path) -> str:
    return Profile.read(str(path)).meta()["mark"]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "app.fettle"


def claim(path: Path) -> output.Output:
    return output.claim(str(path), locked=True)


def check(path: Path) -> None:
    output.check(str(path))


def test_a_new_output_has_a_file_and_a_folder(path: Path) -> None:
    claimed = claim(path)
    assert path.read_bytes() == b""
    assert os.listdir(claimed.parts) == []
    assert claimed.fd > 2
    assert not os.get_inheritable(claimed.fd)
    claimed.discard()
    assert os.listdir(path.parent) == []


def test_the_one_before_is_kept_the_one_before_that_is_not(path: Path) -> None:
    for number in "123":
        claimed = claim(path)
        os.close(claimed.fd)
        os.rmdir(claimed.parts)
        record(path, number)
    assert sorted(os.listdir(path.parent)) == ["app.fettle", "app.prev.fettle"]
    assert mark(path) == "3"
    assert mark(path.with_name("app.prev.fettle")) == "2"


def test_an_unfinished_one_keeps_its_parts(path: Path) -> None:
    record(path, "unfinished")
    parts = Path(output.parts_of(str(path)))
    parts.mkdir()
    (parts / "4194305-1-00.arena").write_bytes(b"data")  # more than any pid
    claim(path)
    kept = path.with_name("app.prev.fettle")
    assert mark(kept) == "unfinished"
    assert os.listdir(output.parts_of(str(kept))) == ["4194305-1-00.arena"]
    assert os.listdir(parts) == []


def test_nobody_takes_an_output_that_is_being_written(path: Path) -> None:
    first = claim(path)
    with pytest.raises(Problem, match="another fettle is writing") as refused:
        claim(path)
    assert refused.value.code == 2
    os.close(first.fd)


def test_nobody_takes_an_output_that_a_living_process_writes(path: Path) -> None:
    claimed = claim(path)
    os.close(claimed.fd)  # its launcher was killed
    start = Path("/proc/self/stat").read_text().rpartition(")")[2].split()[19]
    arena = Path(claimed.parts, f"{os.getpid()}-{start}-00.arena")
    arena.touch()
    assert output.living(claimed.parts) == [os.getpid()]
    for look in (claim, check):
        with pytest.raises(Problem, match=f"process {os.getpid()} is still recording"):
            look(path)
    arena.rename(arena.with_name(f"{os.getpid()}-1-00.arena"))  # an earlier process of this number
    assert output.living(claimed.parts) == []
    claim(path)


@pytest.mark.parametrize("name", ["app.fettle", "app.prev.fettle"])
def test_a_foreign_file_stays(path: Path, name: str) -> None:
    record(path, "old")
    path.with_name(name).write_text("precious")
    for look in (claim, check):
        with pytest.raises(Problem, match=f"{name} is not a fettle recording"):
            look(path)
    assert path.with_name(name).read_text() == "precious"
    assert not os.path.exists(output.parts_of(str(path)))


def test_an_empty_file_holds_nothing_to_lose(path: Path) -> None:
    path.touch()
    claim(path)
    assert not path.with_name("app.prev.fettle").exists()


@pytest.mark.parametrize("kind", ["folder", "pipe", "device", "missing folder", "link to device"])
def test_what_can_not_be_an_output(path: Path, kind: str) -> None:
    target = path
    if kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "device":
        target = Path("/dev/null")
    elif kind == "link to device":
        path.symlink_to("/dev/null")
    else:
        target = path / "app.fettle"
    before = sorted(os.listdir(path.parent))
    for look in (claim, check):
        with pytest.raises(Problem) as refused:
            look(target)
        assert refused.value.code == 2
    assert sorted(os.listdir(path.parent)) == before


def test_a_check_changes_nothing(path: Path) -> None:
    check(path)
    assert os.listdir(path.parent) == []
    path.with_name("app.prev.fettle").write_text("precious")
    check(path)  # nothing that is there would become the one before
    path.touch()
    check(path)
    assert path.read_bytes() == b""
    path.unlink()
    record(path, "old")
    path.with_name("app.prev.fettle").unlink()
    check(path)
    assert os.listdir(path.parent) == ["app.fettle"]
    assert mark(path) == "old"


def test_a_link_is_followed(path: Path) -> None:
    real = path.with_name("real.fettle")
    record(real, "old")
    path.symlink_to(real)
    claimed = claim(path)
    assert claimed.path == str(real)
    assert path.is_symlink()
    assert mark(path.with_name("real.prev.fettle")) == "old"


def test_only_arenas_are_removed(path: Path) -> None:
    parts = Path(output.parts_of(str(path)))
    parts.mkdir()
    (parts / "1-1-00.arena").touch()
    (parts / "mine.txt").touch()
    output.remove_parts(str(parts))
    assert os.listdir(parts) == ["mine.txt"]


def test_a_recording_that_can_not_be_written_keeps_its_parts(path: Path) -> None:
    class Full:
        """A profile on a full disk."""

        def set_meta(self, key: str, value: str) -> None: ...

        def harvest(self, directory: str, dead_pid: int, dead_cpu: float) -> int:
            return 1

        def meta(self) -> dict[str, str]:
            return {}

        def lines(self) -> list[object]:
            return []

        sites = lines

        def append(self, fd: int) -> None:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    claimed = claim(path)
    sentence = launch._save(Full(), claimed, launch._Watch(1, set()), 0)
    assert os.strerror(errno.ENOSPC) in sentence
    assert "fettle view" in sentence
    assert sentence.endswith(".")
    assert os.path.isdir(claimed.parts)
    assert path.exists()
