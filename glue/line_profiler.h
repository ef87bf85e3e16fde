/* SPDX-License-Identifier: Apache-2.0 */
/* line_profiler.h: line_profiler's files as Python objects, and back: functions of the module. */
#ifndef FT_GLUE_LINE_PROFILER_H
#define FT_GLUE_LINE_PROFILER_H

#include <Python.h>

extern const char ft_line_profiler_read_doc[], ft_line_profiler_write_doc[],
    ft_line_profiler_load_doc[];

PyObject *ft_line_profiler_read(PyObject *module, PyObject *source);
PyObject *ft_line_profiler_write(PyObject *module, PyObject *args);
PyObject *ft_line_profiler_load(PyObject *module, PyObject *path);

#endif
