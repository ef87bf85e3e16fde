/* SPDX-License-Identifier: Apache-2.0 */
/* points.c: named points of recordings of memory (see points.h). */
#include "glue/probes/points.h"

#include "glue/probes/allocs.h"

static int mark(ft_heap *heap, PyObject *name)
{
    Py_ssize_t length;
    const char *text = PyUnicode_AsUTF8AndSize(name, &length);
    if (text == NULL)
        return -1;
    ft_allocs_lock();
    ft_status status = ft_heap_mark(heap, text, (size_t)length);
    ft_allocs_unlock();
    if (status == FT_ERR_MEMORY)
        PyErr_NoMemory();
    else if (status != FT_OK)
        PyErr_SetString(PyExc_OSError, "no room for a point in the recording");
    return status == FT_OK ? 0 : -1;
}

int ft_point_mark(PyObject *name)
{
    ft_heap *heap;
    for (uint32_t i = 0; (heap = ft_allocs_heap(i)) != NULL; i++)
        if (mark(heap, name) < 0)
            return -1;
    return 0;
}

int ft_point_mark_in(const ft_take *take, PyObject *name)
{
    return take->heap_is_on ? mark(take->heap, name) : 0;
}
