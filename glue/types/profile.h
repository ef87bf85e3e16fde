/* SPDX-License-Identifier: Apache-2.0 */
/* profile.h: fettle._core.Profile, a recording as a Python object, and what goes with it. */
#ifndef FT_GLUE_TYPES_PROFILE_H
#define FT_GLUE_TYPES_PROFILE_H

#include <Python.h>

#include "engine/model/profile.h"
#include "glue/state.h"

/* Adds Profile, the row types, FileError, is_fettle and exporters to the module, and keeps the
 * types in state. 0, or -1 with an exception set; state is then left for ft_module_state_clear. */
int ft_profile_type_add(PyObject *module, ft_module_state *state);

/* A new empty Profile, or NULL with an exception. *model is borrowed from it. */
PyObject *ft_profile_object_new(const ft_module_state *state, ft_profile **model);

/* Says that the recording it was read from is whole. */
void ft_profile_object_end(PyObject *profile);

#endif
