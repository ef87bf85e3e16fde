/* SPDX-License-Identifier: Apache-2.0 */
/* bound_memo.h: fettle._core.BoundMemo, a cached method of one instance.
 *
 * What `bound = instance.method` gives (a call needs none). It acts as the interpreter's own bound
 * methods do, and its cache_info, cache_clear and so on are about that instance. */
#ifndef FT_GLUE_BOUND_MEMO_H
#define FT_GLUE_BOUND_MEMO_H

#include "glue/types/memo.h"

/* A new reference, or NULL with an exception. Takes a reference to both. */
PyObject *ft_bound_memo_new(ft_memo *memo, PyObject *receiver);

/* Adds the type to the module. 0, or -1 with an exception. */
int ft_bound_memo_type_add(PyObject *module, ft_module_state *state);

#endif
