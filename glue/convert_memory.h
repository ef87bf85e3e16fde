/* SPDX-License-Identifier: Apache-2.0 */
/* convert_memory.h: the memory of a profile as Python objects.
 *
 * Each gives a new reference, or NULL with an exception. */
#ifndef FT_GLUE_CONVERT_MEMORY_H
#define FT_GLUE_CONVERT_MEMORY_H

#include <Python.h>

#include "engine/model/profile.h"
#include "glue/state.h"

/* Makes the row types, keeps them in state and adds them to the module. 0 or -1. */
int ft_convert_memory_types_add(PyObject *module, ft_module_state *state);

/* list[HeapRow], list[SiteRow] (without FT_SITE_NONE: row i is site i + 1), list[MomentRow],
 * list[PointRow], list[ObjectRow], list[ClassRow] */
PyObject *ft_convert_heaps(const ft_module_state *state, const ft_profile *profile);
PyObject *ft_convert_sites(const ft_module_state *state, const ft_profile *profile);
PyObject *ft_convert_moments(const ft_module_state *state, const ft_profile *profile);
PyObject *ft_convert_points(const ft_module_state *state, const ft_profile *profile);
PyObject *ft_convert_objects(const ft_module_state *state, const ft_profile *profile);
PyObject *ft_convert_classes(const ft_module_state *state, const ft_profile *profile);

#endif
