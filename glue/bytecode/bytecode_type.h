/* SPDX-License-Identifier: Apache-2.0 */
/* bytecode_type.h: fettle._core.Bytecode, the instructions of one code object as rows.
 *
 *   Bytecode(code, /, adaptive=False, first_line=None, caches=False, handlers=False, unknown=None)
 *   Bytecode.from_bytes(code, /, running=None, line_table=b"", first_line=1, line_shift=0,
 *                       handler_table=b"", consts=None, names=None, locals=None, caches=False,
 *                       handlers=False, unknown=None)
 *
 * adaptive: opcodes and caches as the interpreter has specialised them (the walk, the arguments and
 * the labels are those of the plain code). first_line: lines are moved so that the first is this.
 * caches: each unit of inline caches is a row of its own. handlers: the exception table makes
 * labels, too. unknown: the argval of what can not be looked up.
 *
 * It is a sequence: len(), [i] and iteration make rows when asked, Instruction in _core.pyi; the
 * object itself keeps twenty bytes a code unit. `.code`, `.exceptions` ((start, end, target,
 * depth, lasti), ... in bytes), `.labels` (the offset of each, in the order of their numbers),
 * `.lines` ((offset, line), ...: where lines start, as dis.findlinestarts has them, moved). */
#ifndef FT_GLUE_BYTECODE_TYPE_H
#define FT_GLUE_BYTECODE_TYPE_H

#include <Python.h>

#include "glue/state.h"

/* Adds the type, and those of its rows, to the module. 0, or -1 with an exception. */
int ft_bytecode_type_add(PyObject *module, ft_module_state *state);

#endif
