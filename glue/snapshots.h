/* SPDX-License-Identifier: Apache-2.0 */
/* snapshots.h: snapshots of memory between Python objects and files: functions of the module. */
#ifndef FT_GLUE_SNAPSHOTS_H
#define FT_GLUE_SNAPSHOTS_H

#include <Python.h>

extern const char ft_snapshots_read_doc[], ft_snapshots_write_doc[];

PyObject *ft_snapshots_read(PyObject *module, PyObject *path);
PyObject *ft_snapshots_write(PyObject *module, PyObject *args);

#endif
