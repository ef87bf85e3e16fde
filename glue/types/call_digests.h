/* SPDX-License-Identifier: Apache-2.0 */
/* call_digests.h: digests of values and of calls, as Python sees them: fettle._core.digest and
 * fettle._core.CallPlan. */
#ifndef FT_GLUE_CALL_DIGESTS_H
#define FT_GLUE_CALL_DIGESTS_H

#include "glue/compat.h"
#include "glue/state.h"

PyObject *ft_core_digest(PyObject *module, PyObject *args, PyObject *kwargs);
extern const char ft_core_digest_doc[];

/* Adds the type to the module. 0, or -1 with an exception. */
int ft_call_plan_type_add(PyObject *module, ft_module_state *state);

#endif
