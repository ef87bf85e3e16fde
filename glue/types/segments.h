/* SPDX-License-Identifier: Apache-2.0 */
/* segments.h: the recordings of one file apart, each as a Profile: a function of the module. */
#ifndef FT_GLUE_TYPES_SEGMENTS_H
#define FT_GLUE_TYPES_SEGMENTS_H

#include <Python.h>

extern const char ft_segments_read_doc[];

PyObject *ft_segments_read(PyObject *module, PyObject *path);

#endif
