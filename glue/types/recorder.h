/* SPDX-License-Identifier: Apache-2.0 */
/* recorder.h: what a program starts and stops to record itself.
 *
 * fettle._core.Recorder is ours; fettle._core.Profiler has the methods of cProfile's C half. Both
 * are a take (probes/take.h) with a Python face. */
#ifndef FT_GLUE_TYPES_RECORDER_H
#define FT_GLUE_TYPES_RECORDER_H

#include "glue/probes/take.h"
#include "glue/state.h"

/* Add the types to the module and keep them in state. 0, or -1 with an exception. */
int ft_recorder_type_add(PyObject *module, ft_module_state *state);
int ft_profiler_type_add(PyObject *module, ft_module_state *state);

/* What the take recorded so far as a new Profile, or NULL with an exception. */
PyObject *ft_recorder_profile(const ft_module_state *state, ft_take *take);

#endif
