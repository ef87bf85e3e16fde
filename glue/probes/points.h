/* SPDX-License-Identifier: Apache-2.0 */
/* points.h: named points of recordings of memory: what was alive there is kept, to compare with. */
#ifndef FT_GLUE_PROBES_POINTS_H
#define FT_GLUE_PROBES_POINTS_H

#include "glue/compat.h"

#include "glue/probes/take.h"

/* In all heaps that are on; name: a str, cut to FT_NAME_MAX_BYTES. Needs the GIL. A heap that has
 * no room for it notes that: the program goes on as without a recording. */
void ft_point_mark(PyObject *name);
/* In the take's heap, if it is on. 0, or -1 with an exception. */
int ft_point_mark_in(const ft_take *take, PyObject *name);

#endif
