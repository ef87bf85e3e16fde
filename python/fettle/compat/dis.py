# SPDX-License-Identifier: Apache-2.0
"""dis by another import: the same interface and text, decoded in C.

    from fettle.compat import dis
    dis.dis(main_app)

    python -m fettle.compat.dis app.py

Functions take the options that those of the running CPython take, and give its Instruction objects.
What needs no decoding (names and numbers of opcodes, code_info, stack_effect) is its own.
"""

import dis as _peer
import sys
from collections.abc import Iterator
from types import CodeType, FunctionType, MethodType, TracebackType

from fettle import _core
from fettle.compat.listing import NUMBERED, line_starts, text, text_of_bytes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser
    from collections.abc import Callable, Sequence
    from dis import COMPILER_FLAG_NAMES as COMPILER_FLAG_NAMES
    from dis import EXTENDED_ARG as EXTENDED_ARG
    from dis import HAVE_ARGUMENT as HAVE_ARGUMENT
    from dis import cmp_op as cmp_op
    from dis import code_info as code_info
    from dis import hascompare as hascompare
    from dis import hasconst as hasconst
    from dis import hasfree as hasfree
    from dis import hasjabs as hasjabs
    from dis import hasjrel as hasjrel
    from dis import haslocal as haslocal
    from dis import hasname as hasname
    from dis import opmap as opmap
    from dis import opname as opname
    from dis import pretty_flags as pretty_flags
    from dis import show_code as show_code
    from dis import stack_effect as stack_effect
    from typing import IO, Any

    File = IO[str] | None

__all__ = list(_peer.__all__)

Instruction = _peer.Instruction
Positions = _peer.Positions

_new: "Callable[..., Any]" = tuple.__new__  # of named tuples, without checking how many
_UNKNOWN = getattr(_peer, "UNKNOWN", None)

_HAVE_CODE = (MethodType, FunctionType, CodeType, classmethod, staticmethod, type)
_CODE_OF = ("__code__", "gi_code", "ag_code", "cr_code")  # function, generators, coroutine


def dis(x: "Any" = None, **options: "Any") -> None:
    """Prints the instructions of a function, method, class, module, generator, coroutine, code
    object, text (which is compiled) or bytes; of None, those of the last traceback.

    file: where to, otherwise stdout. depth: how deep into code within code; None is all.
    show_caches, adaptive and, since 3.13, show_offsets, since 3.14 show_positions: as dis has them.

    >>> dis("x", depth=0)  # doctest: +ELLIPSIS
      0 ...
      1 ...LOAD_NAME...(x)
    ...
    """
    _check("dis", options)
    file, depth = options.pop("file", None), options.pop("depth", None)
    if x is None:
        distb(file=file, **options)
        return
    x = _inner(x)
    if hasattr(x, "__dict__"):
        for name, each in sorted(vars(x).items()):
            if isinstance(each, _HAVE_CODE):
                print(f"Disassembly of {name}:", file=file)
                try:
                    dis(each, file=file, depth=depth, **options)
                except TypeError as error:
                    print("Sorry:", error, file=file)
                print(file=file)
    elif hasattr(x, "co_code"):
        _print_nested(x, file, depth, options)
    elif isinstance(x, (bytes, bytearray)):
        taken = {name: options[name] for name in ("show_caches", "show_offsets") if name in options}
        print(text_of_bytes(bytes(x), **taken), end="", file=file)
    elif isinstance(x, str):
        _print_nested(_compiled(x, "<dis>"), file, depth, options)
    else:
        raise _unknown(x)


def disassemble(co: "CodeType", lasti: int = -1, **options: "Any") -> None:
    """Prints the instructions of one code object, with an arrow at the offset lasti.

    >>> disassemble(compile("x", "", "eval"), 0)  # doctest: +ELLIPSIS
      0 ...-->...RESUME ...
      1 ...LOAD_NAME...(x)
    ...
    """
    _check("disassemble", options)
    file = options.pop("file", None)
    print(text(co, lasti, **options), end="", file=file)


disco = disassemble


def distb(tb: "TracebackType | None" = None, **options: "Any") -> None:
    """Prints the function in which a traceback begins, with an arrow where it was left; of None,
    the one in which the last traceback ends.

    >>> import io
    >>> shown = io.StringIO()
    >>> try:
    ...     1 / 0
    ... except ZeroDivisionError as error:
    ...     distb(error.__traceback__, file=shown)
    >>> [line.split()[-1] for line in shown.getvalue().splitlines() if "-->" in line]
    ['(/)']
    """
    _check("distb", options)
    if tb is None:
        last = getattr(sys, "last_exc", None)
        tb = last.__traceback__ if last is not None else getattr(sys, "last_traceback", None)
        if tb is None:
            raise RuntimeError("no last traceback to disassemble")
        while tb.tb_next:
            tb = tb.tb_next
    disassemble(tb.tb_frame.f_code, tb.tb_lasti, **options)


def get_instructions(x: "Any", **options: "Any") -> "Iterator[Instruction]":
    """The instructions of a function, method, generator, coroutine, code object or text.

    first_line: the line to count from. adaptive: what the interpreter has made of them.

    >>> [each.opname for each in get_instructions("x + y")][-1]
    'RETURN_VALUE'
    """
    _check("get_instructions", options)
    return _instructions(_code_of(x), handlers=False, **options)


class Bytecode(_peer.Bytecode):
    """The instructions of a function, method, generator, coroutine, code object or text; to iterate
    over, or as text.

    >>> bytecode = Bytecode("x + y")
    >>> bytecode.dis().split()[-1]
    'RETURN_VALUE'
    >>> next(each.argval for each in bytecode if each.opname == "LOAD_NAME")
    'x'
    """

    if TYPE_CHECKING:
        current_offset: int | None
        show_caches: bool
        adaptive: bool

    def __iter__(self) -> "Iterator[Instruction]":
        return _instructions(
            self.codeobj,
            handlers=True,
            first_line=self.first_line,
            show_caches=self.show_caches,
            adaptive=self.adaptive,
        )

    def dis(self) -> str:
        """The text that disassemble() prints."""
        return text(
            self.codeobj,
            -1 if self.current_offset is None else self.current_offset,
            first_line=self.first_line,
            adaptive=self.adaptive,
            show_caches=self.show_caches,
            show_offsets=getattr(self, "show_offsets", False),
            show_positions=getattr(self, "show_positions", False),
        )


def findlabels(code: bytes) -> "list[int]":
    """The offsets that are jumped to, in the order of the jumps.

    >>> findlabels((lambda x: x).__code__.co_code)
    []
    """
    targets = (row.jump_target for row in _core.Bytecode.from_bytes(code))
    return list(dict.fromkeys(each for each in targets if each is not None))


def findlinestarts(code: "CodeType") -> "Iterator[tuple[int, int | None]]":
    """Offset and line wherever another line begins; since 3.13 with None where none does.

    >>> [line for _, line in findlinestarts(compile("x", "", "eval"))][-1]
    1
    """
    return line_starts(code)


# ---- what is taken ----


def _check(name: str, options: "dict[str, Any]") -> None:
    """Raises TypeError for an option that the running version's function does not have."""
    for option in options:
        if option not in getattr(_peer, name).__kwdefaults__:
            raise TypeError(f"{name}() got an unexpected keyword argument {option!r}")


def _inner(x: "Any") -> "Any":
    """The code object of what has one, else x, or the function of a method."""
    x = getattr(x, "__func__", x)
    for name in _CODE_OF:
        if hasattr(x, name):
            return getattr(x, name)
    return x


def _code_of(x: "Any") -> CodeType:
    x = _inner(x)
    if isinstance(x, str):
        x = _compiled(x, "<disassembly>")
    if not isinstance(x, CodeType):
        raise _unknown(x)
    return x


def _compiled(source: str, name: str) -> CodeType:
    """An expression if it is one, else statements."""
    try:
        return compile(source, name, "eval")
    except SyntaxError:
        pass
    return compile(source, name, "exec")


def _unknown(x: object) -> TypeError:
    return TypeError(f"don't know how to disassemble {type(x).__name__} objects")


# ---- what is given ----


def _print_nested(
    code: CodeType, file: "File", depth: int | None, options: "dict[str, Any]"
) -> None:
    disassemble(code, file=file, **options)
    if depth is not None and depth <= 0:
        return
    for each in code.co_consts:
        if isinstance(each, CodeType):
            print(file=file)
            print(f"Disassembly of {each!r}:", file=file)
            _print_nested(each, file, None if depth is None else depth - 1, options)


def _instructions(
    code: CodeType,
    handlers: bool,
    first_line: int | None = None,
    show_caches: bool | None = None,
    adaptive: bool = False,
) -> "Iterator[Instruction]":
    bytecode = _core.Bytecode(
        code,
        adaptive,
        first_line,
        caches=bool(show_caches) and not NUMBERED,
        handlers=handlers,
        unknown=_UNKNOWN,
    )
    return map(_numbered if NUMBERED else _marked, bytecode)


def _numbered(row: "_core.Instruction") -> Instruction:
    """As 3.13 and later have it."""
    name, code, arg, value, text, at, start, line, starts, _, _, label, place, cache, _, _ = row
    span = _new(Positions, place)
    caches = None if cache is None else list(cache)
    fields = (name, code, arg, value, text, at, start, starts, line, label, span, caches)
    made: Instruction = _new(Instruction, fields)
    return made


def _marked(row: "_core.Instruction") -> Instruction:
    """As those before have it, where the units of a cache are instructions too."""
    name, code, arg, value, text, at, _, line, starts, is_target, _, _, place, _, _, _ = row
    span = _new(Positions, place)
    fields = (name, code, arg, value, text, at, line if starts else None, is_target, span)
    made: Instruction = _new(Instruction, fields)
    return made


for _each in (dis, disassemble, distb, get_instructions):
    # inspect.signature() and help() tell which options the running version has.
    vars(_each)["__wrapped__"] = getattr(_peer, _each.__name__)


# ---- the command line ----


def main(args: "Sequence[str] | None" = None) -> None:
    """What `python -m fettle.compat.dis` does with its arguments.

    >>> from contextlib import redirect_stdout
    >>> from io import StringIO
    >>> with redirect_stdout(StringIO()) as shown:
    ...     main([__file__])
    >>> "MAKE_FUNCTION" in shown.getvalue()
    True
    """
    import argparse

    parser = argparse.ArgumentParser()
    for mark, short, name, option, meaning in _FLAGS:
        if mark in (_peer.dis.__kwdefaults__ or {}):
            parser.add_argument(short, name, dest=option, action="store_true", help=meaning)
    parser.add_argument("infile", nargs="?", default="-", help="a file, or - for stdin")
    wanted = vars(parser.parse_args(args))
    code = _compiled_file(parser, wanted.pop("infile"))
    dis(code, **wanted)


_FLAGS = [  # the first: the option of dis() that came together with it
    ("show_offsets", "-C", "--show-caches", "show_caches", "with the inline caches"),
    ("show_offsets", "-O", "--show-offsets", "show_offsets", "with the offset of each instruction"),
    ("show_positions", "-P", "--show-positions", "show_positions", "with lines and columns"),
    ("show_positions", "-S", "--specialized", "adaptive", "as the interpreter has specialised it"),
]


def _compiled_file(parser: "ArgumentParser", path: str) -> CodeType:
    """The code of a file, or of stdin; ends with one sentence if there is none to be had."""
    try:
        if path == "-":
            return compile(sys.stdin.buffer.read(), "<stdin>", "exec")
        with open(path, "rb") as file:
            return compile(file.read(), path, "exec")
    except OSError as error:
        parser.error(f"cannot read {path}: {error.strerror}; check the name and the folder.")
    except (SyntaxError, ValueError) as error:
        from traceback import format_exception_only

        sys.exit("".join(format_exception_only(error)).rstrip())


def __getattr__(name: str) -> "Any":
    return getattr(_peer, name)


def __dir__() -> list[str]:
    return sorted({*dir(_peer), *globals()})


if __name__ == "__main__":
    from fettle.cli import stand_in

    stand_in(main)
