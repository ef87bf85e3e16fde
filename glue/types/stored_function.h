/* SPDX-License-Identifier: Apache-2.0 */
/* stored_function.h: fettle._core.StoredFunction, a function whose results lie in a store.
 *
 * A call that hits stays in C: are the objects that the function's code refers to still the same,
 * what is the key of the arguments, what lies in the store. All else is done by its handle, a
 * Python object (fettle.caching.memo): a miss, another identity of the code, whether a result is
 * still valid, a method's binding. What the type itself has not, the handle's attributes are. */
#ifndef FT_GLUE_TYPES_STORED_FUNCTION_H
#define FT_GLUE_TYPES_STORED_FUNCTION_H

#include "glue/compat.h"

#include "glue/state.h"

int ft_stored_function_type_add(PyObject *module, ft_module_state *state);

#endif
