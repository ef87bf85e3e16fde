# SPDX-License-Identifier: Apache-2.0
"""kernprof -p: names and files of modules against importlib's, marked sources against what runs."""

import ast
import concurrent
import doctest
import email
import io
import json
import pkgutil
import textwrap
import xml
from importlib import import_module
from importlib.util import find_spec

import pytest
from fettle.compat.line_profiler.autoprofile import (
    ast_profile_transformer,
    eager_preimports,
    profmod_extractor,
    util_static,
)
from fettle.compat.line_profiler.autoprofile.ast_tree_profiler import AstTreeProfiler
from fettle.compat.line_profiler.autoprofile.eager_preimports import (
    resolve_profiling_targets,
    write_eager_import_module,
)
from fettle.compat.line_profiler.autoprofile.run_module import AstTreeModuleProfiler
from fettle.compat.line_profiler.autoprofile.util_static import (
    modname_to_modpath,
    modpath_to_modname,
    package_modpaths,
)

PACKAGES = [concurrent, email, json, xml]
NAMES = sorted(
    name
    for package in PACKAGES
    for name in (
        package.__name__,
        *(m.name for m in pkgutil.walk_packages(package.__path__, package.__name__ + ".")),
    )
)


@pytest.mark.parametrize(
    "module", [ast_profile_transformer, eager_preimports, profmod_extractor, util_static]
)
def test_examples(module):
    tried = doctest.testmod(module)
    assert tried.attempted > 0
    assert tried.failed == 0


# ---- names and files ----


def test_a_module_s_file_is_that_of_the_import_system():
    for name in NAMES:
        path = modname_to_modpath(name, hide_init=False)
        assert path == find_spec(name).origin, name
        assert modpath_to_modname(path) == name
    assert len(NAMES) > 40


def test_a_package_s_modules_are_those_that_pkgutil_finds():
    for package in PACKAGES:
        (folder,) = package.__path__
        ours = {modpath_to_modname(path) for path in package_modpaths(folder, with_pkg=True)}
        assert ours == {name for name in NAMES if f"{name}.".startswith(f"{package.__name__}.")}


def test_what_is_no_module(tmp_path):
    (tmp_path / "space").mkdir()
    (tmp_path / "space" / "inner.py").touch()
    folders = [str(tmp_path)]
    assert modname_to_modpath("space.inner", sys_path=folders) is None  # no __init__.py
    assert modname_to_modpath("nothing", sys_path=folders) is None
    assert modname_to_modpath("", sys_path=folders) is None
    assert modpath_to_modname(str(tmp_path / "space" / "inner.py")) == "inner"
    for path in (tmp_path / "space", tmp_path / "nothing.py"):
        with pytest.raises(ValueError):
            modpath_to_modname(str(path))


def test_targets_by_both_ways_agree():
    for name in ("json", "json.decoder.JSONDecoder", "xml.dom"):
        by_folder, by_import = (
            resolve_profiling_targets([name], static=static, recurse=True)
            for static in (True, False)
        )
        assert by_folder == by_import
        assert by_folder.unresolved == []
    nothing = resolve_profiling_targets(["nothing.at.all"])
    assert nothing == ({}, set(), ["nothing.at.all"])


# ---- the module that imports them ----


def written(*args, **options):
    stream = io.StringIO()
    write_eager_import_module(*args, stream=stream, **options)
    return stream.getvalue()


def test_what_is_written_adds_each_target():
    text = written(["json.decoder.JSONDecoder", "json", "xml.sax.nothing"], adder="note.append")
    noted = []
    with pytest.warns(UserWarning, match=r"1 target .*'xml.sax.nothing'"):
        exec(text, {"note": noted})
    assert noted == [json, import_module("json.decoder").JSONDecoder]


def test_names_that_the_adder_uses_are_free():
    noted = []
    adder = "lambda module: (add.append(module), failures.append(0))"
    text = written(["json"], adder=adder, indent="\t")
    exec(text, {"__builtins__": __builtins__, "add": noted, "failures": noted})
    assert noted == [json, 0]


@pytest.mark.parametrize("indent", ["", "  \n", "x", "\n"])
def test_an_indent_must_indent(indent):
    with pytest.raises(ValueError):
        written(["json"], indent=indent)


# ---- marked scripts ----


def marked(folder, source, *prof_mod, imports=False, kind=AstTreeProfiler):
    """What runs when the script is executed: [what was added or decorated], and its names."""
    path = folder / "script.py"
    path.write_text(textwrap.dedent(source))
    tree = kind(str(path), [*map(str, prof_mod)], imports).profile()
    seen = []

    class Marker:
        def add_imported_function_or_module(self, item):
            seen.append(item)

        def __call__(self, function):
            seen.append(function.__name__)
            return function

    names = {"profile": Marker(), "__name__": "script"}
    exec(compile(tree, str(path), "exec"), names)
    return seen, names


def test_each_thing_that_one_import_brings(tmp_path):
    source = "from json import dumps, loads as l, decoder\nimport json.encoder as e, sys"
    assert marked(tmp_path, source, "json")[0] == [
        json.dumps,
        json.loads,
        json.decoder,
        json.encoder,
    ]
    assert marked(tmp_path, source, "json.loads", "json.encoder")[0] == [json.loads, json.encoder]
    assert marked(tmp_path, source, "email")[0] == []


def test_a_whole_script(tmp_path):
    source = '''\
        """Its docstring."""
        from __future__ import annotations
        from json import *
        import json.decoder, json.encoder
        @staticmethod
        def f(): 0
        class C:
            async def m(self): 0
            @profile
            def n(self):
                def inner(): 0
                return inner
        C().n()
        '''
    path = tmp_path / "script.py"
    seen, names = marked(tmp_path, source, path)
    assert seen == ["f", "m", "n", "inner"]
    assert names["__doc__"] == "Its docstring."
    assert isinstance(names["f"], staticmethod)
    seen, _ = marked(tmp_path, source, path, imports=True)
    assert seen == [json.decoder, json.encoder, "f", "m", "n", "inner"]


def test_lines_stay_where_they_were(tmp_path):
    source = "import json\n\n\ndef f(x):\n    return [\n        json,\n        x]\n"
    path = tmp_path / "script.py"
    _, names = marked(tmp_path, source, path, "json", imports=True)
    plain = {}
    exec(compile(source, str(path), "exec"), plain)
    ours, theirs = names["f"].__code__, plain["f"].__code__
    assert list(ours.co_positions()) == list(theirs.co_positions())
    assert ours.co_firstlineno == theirs.co_firstlineno == 4


def test_relative_imports_of_a_module(tmp_path):
    package = tmp_path / "pack"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "inner.py").touch()
    (package / "__main__.py").write_text("from . import inner\nfrom .inner import x\n")
    profiler = AstTreeModuleProfiler(
        str(package / "__main__.py"), [str(package / "inner.py")], False
    )
    assert [ast.unparse(node) for node in profiler.profile().body] == [
        "from . import inner",
        "profile.add_imported_function_or_module(inner)",
        "from .inner import x",
        "profile.add_imported_function_or_module(x)",
    ]


def test_a_source_in_another_encoding(tmp_path):
    path = tmp_path / "script.py"
    path.write_bytes("# coding: latin-1\nname = 'é'\n".encode("latin-1"))
    tree = AstTreeProfiler(str(path), [str(path)], True).profile()
    assert ast.unparse(tree) == "name = 'é'"
