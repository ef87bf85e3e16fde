/* SPDX-License-Identifier: Apache-2.0 */
/* stats.h: fettle._core.Stats, what cProfile wrote as a Python object. */
#ifndef FT_GLUE_STATS_H
#define FT_GLUE_STATS_H

#include <Python.h>

#include "glue/state.h"

/* Adds Stats to the module, which has its row types already, and keeps it in state. 0, or -1 with
 * an exception set. */
int ft_stats_type_add(PyObject *module, ft_module_state *state);

#endif
