/* SPDX-License-Identifier: Apache-2.0 */
/* statistics.h: the statistics of samples for Python: _core.describe, _core.compare, _core.trend.
 */
#ifndef FT_GLUE_STATISTICS_H
#define FT_GLUE_STATISTICS_H

#include "glue/state.h"

/* Adds the two row types to the module. 0, or -1 with an exception. */
int ft_statistics_add(PyObject *module, ft_module_state *state);

PyObject *ft_core_describe(PyObject *module, PyObject *args, PyObject *keywords);
extern const char ft_core_describe_doc[];

PyObject *ft_core_compare(PyObject *module, PyObject *args, PyObject *keywords);
extern const char ft_core_compare_doc[];

PyObject *ft_core_trend(PyObject *module, PyObject *groups);
extern const char ft_core_trend_doc[];

#endif
