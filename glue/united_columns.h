/* SPDX-License-Identifier: Apache-2.0 */
/* united_columns.h: the functions of the module that make two trees one: unite_columns(),
 * prune_columns(), sum_column(). Columns are buffers of int64, as array('q') and bytes are. */
#ifndef FT_GLUE_UNITED_COLUMNS_H
#define FT_GLUE_UNITED_COLUMNS_H

#include <Python.h>

#include "glue/state.h"

int ft_united_columns_add(PyObject *module, ft_module_state *state); /* 0, or -1: exception */

#endif
