/* SPDX-License-Identifier: Apache-2.0 */
/* formats.h: the functions is_fettle and exporters of fettle._core. */
#ifndef FT_GLUE_FORMATS_H
#define FT_GLUE_FORMATS_H

#include <Python.h>

/* Adds them to the module; -1 with an exception. */
int ft_formats_add(PyObject *module);

#endif
