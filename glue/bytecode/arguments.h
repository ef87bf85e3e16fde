/* SPDX-License-Identifier: Apache-2.0 */
/* arguments.h: an instruction's argument as a value and as a text, as the standard library's
 * disassembler of the running version gives them. */
#ifndef FT_GLUE_ARGUMENTS_H
#define FT_GLUE_ARGUMENTS_H

#include "glue/bytecode/code_view.h"

typedef struct ft_argument_told {
    PyObject *value, *text; /* owned */
} ft_argument_told;

/* An index that leads nowhere gives the view's unknown, and no text. 0, or -1 with an exception: of
 * memory, or of a constant's repr(). */
int ft_argument_tell(ft_code_view *view, const ft_operation *operation, ft_argument_told *told);

/* Caches are told of as "name: value" where one begins. */
PyObject *ft_argument_of_cache(const ft_code_view *view, const ft_operation *operation);

#endif
