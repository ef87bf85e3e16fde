/* SPDX-License-Identifier: Apache-2.0 */
/* traces.h: what a heap that is on knows, as Python objects: what tracemalloc's interface asks for.
 */
#ifndef FT_GLUE_TYPES_TRACES_H
#define FT_GLUE_TYPES_TRACES_H

#include "glue/compat.h"

#include "glue/probes/take.h"

/* All live blocks, in groups of equal ones: a list of ((domain, size, stack, total), count), see
 * _core.pyi. A new reference, or NULL. */
PyObject *ft_traces_all(ft_take *take);

/* Where the block of an object was allocated: a tuple of (file, line), most recent last; None if it
 * is not known. A new reference, or NULL. */
PyObject *ft_traces_of(ft_take *take, PyObject *object);

#endif
