/* SPDX-License-Identifier: Apache-2.0 */
/* functions.h: the Python functions that an object is made of. */
#ifndef FT_GLUE_PROBES_FUNCTIONS_H
#define FT_GLUE_PROBES_FUNCTIONS_H

#include "glue/compat.h"

/* 0, or -1 with an exception, which ends the visit. */
typedef int (*ft_function_visitor)(void *context, PyFunctionObject *function);

/* Visits a function, the one behind a method, static or class method, property, cached property,
 * partial or lru_cache, and those that are defined in a class and the classes in it. Any other
 * object has none. 0, or what the visitor gave. May run the user's code (attributes of a subclass).
 */
int ft_functions_each(PyObject *object, ft_function_visitor visit, void *context);

#endif
