/* SPDX-License-Identifier: Apache-2.0 */
/* convert_lines.h: the lines of a profile, grouped by function, as Python objects. */
#ifndef FT_GLUE_CONVERT_LINES_H
#define FT_GLUE_CONVERT_LINES_H

#include <Python.h>

#include "engine/model/profile.h"

/* list[tuple[file, first_line, name, qualname, calls, rows]], sorted; rows is a list of tuples
 * (line, hits, time, waiting, callees), sorted. The profile's lines must be sorted already. A new
 * reference, or NULL with an exception. */
PyObject *ft_convert_lines(const ft_profile *profile);

/* The text of the file that is spelled like that, as str, or None. Likewise. */
PyObject *ft_convert_source(const ft_profile *profile, PyObject *file);

#endif
