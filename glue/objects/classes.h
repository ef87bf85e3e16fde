/* SPDX-License-Identifier: Apache-2.0 */
/* classes.h: a census as Python sees it. */
#ifndef FT_GLUE_CLASSES_H
#define FT_GLUE_CLASSES_H

#include "glue/compat.h"

/* _core.census(): a list of (type, instances, bytes, saving, why) in no order. */
PyObject *ft_core_census(PyObject *module, PyObject *unused);
extern const char ft_core_census_doc[];

/* _core.learned(type): (instances, bytes, fewest, weakly, any, names) of its live instances. */
PyObject *ft_core_learned(PyObject *module, PyObject *type);
extern const char ft_core_learned_doc[];

/* _core.made_alike(type, other): do both give up their instances in the same way? */
PyObject *ft_core_made_alike(PyObject *module, PyObject *arguments);
extern const char ft_core_made_alike_doc[];

#endif
