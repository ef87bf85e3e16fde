/* SPDX-License-Identifier: Apache-2.0 */
/* code_lines.h: which lines a code object and the anonymous code inside it have. */
#ifndef FT_GLUE_PROBES_CODE_LINES_H
#define FT_GLUE_PROBES_CODE_LINES_H

#include "glue/compat.h"

#include "engine/record/line_table.h"

typedef struct ft_code_lines {
    ft_line_member *members; /* owned, with their lines; keys are borrowed code objects */
    uint32_t count, room;
    uint32_t last_line; /* of the source text */
} ft_code_lines;

/* Is it a comprehension, a generator expression, a lambda? */
bool ft_code_is_anonymous(const PyCodeObject *code);

/* Is it a class body? */
bool ft_code_is_class_body(const PyCodeObject *code);

/* Is it a whole module? */
bool ft_code_is_module(const PyCodeObject *code);

/* Does a call begin on the line of the `def` itself, which CPython 3.13 and newer tell of only
 * where PY_START is on, too? */
bool ft_code_begins_untold(PyCodeObject *code);

/* The code object first, then, unless alone, the anonymous code inside it. 0, or -1 with an
 * exception; ft_code_lines_fini in either case. */
int ft_code_lines_init(ft_code_lines *lines, PyCodeObject *code, bool alone);
void ft_code_lines_fini(ft_code_lines *lines);

#endif
