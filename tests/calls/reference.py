# SPDX-License-Identifier: Apache-2.0
"""Runs a script as `python SCRIPT` would, under the interpreter's own cProfile engine.

    python reference.py OUT LOADED SCRIPT [ARGS...]

LOADED: the modules, joined by commas, that the probe has loaded before the script begins.

Exactly the execution of the `__main__` module is recorded: the profiler is switched on by the last
call before the module's first line and off by the first one after its last, and the module is
entered as a function made of its code, so that no `exec` of ours gets into the rows. Only modules
written in C and long loaded are imported here: what the script imports is imported for it.

OUT receives, marshalled, one row per recorded code object (not per label: `create_stats` would let
one row overwrite another of the same label):
    (key, calls, recursive, [(callee's key, calls, recursive), ...]), key = (file, line, name, id)
"""

import sys


def key_of(code):
    """cProfile's label; the id tells code objects with equal labels apart."""
    if isinstance(code, str):
        return ("~", 0, code, code)
    return (code.co_filename, code.co_firstlineno, code.co_name, str(id(code)))


def rows_of(profiler):
    return [
        (
            key_of(entry.code),
            entry.callcount,
            entry.reccallcount,
            [(key_of(sub.code), sub.callcount, sub.reccallcount) for sub in entry.calls or ()],
        )
        for entry in profiler.getstats()
    ]


def warm_finders():
    """The folders of sys.path before the script's own have been listed in a launched process too:
    the probe was imported from the last of them."""
    for finder in sys.meta_path:
        if finder.__module__ == "_frozen_importlib_external":
            finder.find_spec("no_module_of_this_name")


def main_module(script):
    import _frozen_importlib_external as external

    module = type(sys)("__main__")
    loader = external.SourceFileLoader("__main__", script)
    names = {"__file__": script, "__builtins__": __builtins__, "__loader__": loader}
    vars(module).update(names, __cached__=None, __package__=None, __spec__=None)
    if sys.version_info < (3, 14):
        vars(module)["__annotations__"] = {}
    return module


def main(out, loaded, script, *arguments):
    import _lsprof
    import marshal

    for name in loaded.split(","):
        __import__(name)

    with open(script, "rb") as stream:
        code = compile(stream.read(), script, "exec", dont_inherit=True)
    warm_finders()
    sys.argv = [script, *arguments]
    sys.path[0] = script.rpartition("/")[0]
    sys.modules["__main__"] = module = main_module(script)
    run = type(main)(code, vars(module))
    profiler = _lsprof.Profiler()
    try:
        profiler.enable()
        run()
    finally:
        profiler.disable()
        with open(out, "wb") as stream:
            marshal.dump(rows_of(profiler), stream)


if __name__ == "__main__":
    main(*sys.argv[1:])
