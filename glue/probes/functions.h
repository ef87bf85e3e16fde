/* SPDX-License-Identifier: Apache-2.0 */
/* functions.h: the Python functions that an object is made of. */
#ifndef FT_GLUE_PROBES_FUNCTIONS_H
#define FT_GLUE_PROBES_FUNCTIONS_H

#include "glue/compat.h"

/* A new list: a function, the one behind a method, static or class method, property, cached
 * property, partial, lru_cache, fettle.cache or fettle.table, and those that are defined in a class
 * and the classes in it. Any other object has none. NULL with an exception. May run the user's code
 * (attributes of a subclass): so they are all found before anything is done with one of them. */
PyObject *ft_functions_of(PyObject *object);

#endif
