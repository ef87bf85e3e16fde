/* SPDX-License-Identifier: Apache-2.0 */
/* convert_columns.h: the call tree as columns, for whoever reads a million rows of it. */
#ifndef FT_GLUE_CONVERT_COLUMNS_H
#define FT_GLUE_CONVERT_COLUMNS_H

#include <Python.h>

#include "engine/model/profile.h"
#include "glue/state.h"

#define FT_COLUMNS_DOC                                                                             \
    "tree_columns($self, rows=0, /)\n--\n\nThe rows of tree(0.0, rows) as a dict of bytes, each "  \
    "as many int64: parent, kind, place, function, calls, own, waiting, folded_functions, "        \
    "folded_calls, folded, folded_waiting. Times are ns."

/* The rows that tree(0.0, rows) has as dict[str, bytes], or NULL with an exception. Lets go of the
 * GIL: the caller sees to it that nobody else works on the profile. */
PyObject *ft_convert_columns(const ft_module_state *state, const ft_profile *profile,
                             uint32_t rows);

#endif
