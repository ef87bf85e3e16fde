/* SPDX-License-Identifier: Apache-2.0 */
/* lookup_table.h: fettle._core.LookupTable, a function whose answers are all known: fettle.table.
 *
 * One domain for each parameter. A call finds the place of each argument in its domain
 * (lookup_domain.h) and gives the answer at the place they mean together, by mixed radix: the last
 * parameter counts fastest, as in C arrays.
 *
 * The answers are collected when somebody first asks for one. Whoever calls meanwhile, from another
 * thread or from the function itself, gets what is known by then, else the function is called:
 * nobody waits. Afterwards nothing changes. What is rare (messages, the order of members, progress)
 * is asked of a Python object, the plan (fettle.caching.lookup). */
#ifndef FT_GLUE_LOOKUP_TABLE_H
#define FT_GLUE_LOOKUP_TABLE_H

#include <Python.h>

#include "glue/state.h"

/* Adds the type to the module. 0, or -1 with an exception. */
int ft_lookup_table_type_add(PyObject *module, ft_module_state *state);

#endif
