# SPDX-License-Identifier: Apache-2.0
"""The settings of kernprof and `@profile`: whose file counts, and what a bad one does."""

import doctest
from pathlib import Path

import pytest
from fettle.compat.line_profiler import toml_config
from fettle.compat.line_profiler.toml_config import ConfigSource

TABLE = "[tool.line_profiler.write]\noutput_prefix = '{}'\n"
BAD = {
    "not TOML": b"[",
    "not UTF-8": b"a = '\xff'",
    "deep": b"a = " + b"[" * 100_000,
    "tool is a list": b"tool = []",
    "its table is a number": b"tool.line_profiler = 1",
    "an inner table is a list": b"tool.line_profiler.show.column_widths = [1]",
}


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.delenv("LINE_PROFILER_RC", raising=False)
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    return tmp_path


def prefix(*args, **options):
    return ConfigSource.from_config(*args, **options).conf_dict["write"]["output_prefix"]


def test_examples():
    assert doctest.testmod(toml_config) == (0, 2)


def test_whose_file_counts(folder, monkeypatch):
    """Each of these stands above those before it."""
    assert prefix() == "profile_output"
    for name in (
        "pyproject.toml",
        "line_profiler.toml",
        "here/pyproject.toml",
        "here/line_profiler.toml",
    ):
        (folder / name).write_text(TABLE.format(name))
        assert prefix() == prefix(True) == name
    monkeypatch.setenv("LINE_PROFILER_RC", "../pyproject.toml")
    assert prefix() == "pyproject.toml"
    assert prefix(read_env=False) == "here/line_profiler.toml"
    assert prefix(folder / "line_profiler.toml") == "line_profiler.toml"
    assert prefix(False) == "profile_output"


def test_only_known_keys_come_in(folder):
    (folder / "here" / "pyproject.toml").write_text(TABLE.format("mine") + "other = 1\n")
    ours, default = ConfigSource.from_config(), ConfigSource.from_default()
    assert ours.path == folder / "here" / "pyproject.toml"
    assert ours.conf_dict["write"] == default.conf_dict["write"] | {"output_prefix": "mine"}
    assert ours.conf_dict | {"write": 0} == default.conf_dict | {"write": 0}


@pytest.mark.parametrize("content", BAD.values(), ids=BAD)
def test_bad_files(folder, monkeypatch, content):
    """One that is named must be good; one that was found does not count."""
    path = folder / "here" / "line_profiler.toml"
    path.write_bytes(content)
    assert prefix() == "profile_output"
    monkeypatch.setenv("LINE_PROFILER_RC", str(path))
    assert prefix() == "profile_output"
    with pytest.raises(ValueError, match=r"line_profiler\.toml.*expected"):
        ConfigSource.from_config(path)


def test_missing_files(folder):
    with pytest.raises(FileNotFoundError, match=r"nothing\.toml"):
        ConfigSource.from_config("nothing.toml")
    with pytest.raises(ValueError, match="expected a readable"):
        ConfigSource.from_config(Path())


def test_parts():
    source = ConfigSource.from_default()
    show = source.get_subconfig("show")
    assert show.conf_dict is source.conf_dict["show"]
    assert source.get_subconfig("show", copy=True).conf_dict is not source.conf_dict["show"]
    assert source.get_subconfig("a", "b", allow_absence=True).conf_dict == {}
    with pytest.raises(KeyError):
        source.get_subconfig("a")
    with pytest.raises(TypeError, match=r"show\.rich is not a table"):
        source.get_subconfig("show", "rich")
