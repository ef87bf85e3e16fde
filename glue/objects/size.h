/* SPDX-License-Identifier: Apache-2.0 */
/* size.h: the bytes that an object takes.
 *
 * Blocks that blocks.h knows of are measured; for what other types written in C hold besides, their
 * own __sizeof__ is asked. A __sizeof__ that is written in Python is not: it may say anything. */
#ifndef FT_GLUE_SIZE_H
#define FT_GLUE_SIZE_H

#include "glue/compat.h"

/* Sets *bytes. 0, or -1 with an exception. deep: with all that it leads to, each once, but without
 * classes, modules, functions and code, and without what is on no heap. */
int ft_size_of(PyObject *object, bool deep, size_t *bytes);

/* Does the type know of bytes that blocks.h does not? name: "__sizeof__". Runs nothing. */
bool ft_size_is_foreign(const PyTypeObject *type, PyObject *name);

/* Those bytes: 0 where the type does not say. Runs the type's own code, which is in C. */
size_t ft_size_foreign(PyObject *object, PyObject *name);

/* _core.sizeof(object, deep=False, /). */
PyObject *ft_core_sizeof(PyObject *module, PyObject *arguments);
extern const char ft_core_sizeof_doc[];

#endif
