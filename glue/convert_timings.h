/* SPDX-License-Identifier: Apache-2.0 */
/* convert_timings.h: the series of samples of a profile as Python objects, and made of them.
 *
 * Each gives a new reference, or NULL with an exception set. */
#ifndef FT_GLUE_CONVERT_TIMINGS_H
#define FT_GLUE_CONVERT_TIMINGS_H

#include <Python.h>

#include "engine/model/profile.h"
#include "glue/state.h"

/* Makes the row type, keeps it in state and adds it to the module. 0 or -1. */
int ft_convert_timing_types_add(PyObject *module, ft_module_state *state);

/* list[TimingRow] */
PyObject *ft_convert_timings(const ft_module_state *state, const ft_profile *profile);

#define FT_TIMING_DOC                                                                              \
    "add_timing($self, /, label, clock, loops, empty, groups, memory=None, peak=None, "            \
    "counters=None, together=False)\n--\n\nAdds one series of samples; the parameters are the "    \
    "fields of "                                                                                   \
    "TimingRow. Each group is a buffer of doubles: seconds a call."

/* The arguments of add_timing: a Profile that holds this series alone, and has ended. */
PyObject *ft_convert_timing(const ft_module_state *state, PyObject *args, PyObject *kwargs);

#endif
