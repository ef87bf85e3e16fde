/* SPDX-License-Identifier: Apache-2.0 */
/* points.c: named points of recordings of memory (see points.h). */
#include "glue/probes/points.h"

#include "glue/probes/allocs.h"
#include "glue/probes/plain_text.h"

static ft_status mark(ft_heap *heap, PyObject *name)
{
    char *buffer = ft_mem_new(&ft_mem_system, 1, FT_NAME_MAX_BYTES);
    if (buffer == NULL)
        return FT_ERR_MEMORY;
    size_t length = ft_plain_text(name, buffer);
    ft_allocs_lock();
    ft_status status = ft_heap_mark(heap, buffer, length);
    ft_allocs_unlock();
    ft_mem_free(&ft_mem_system, buffer);
    return status;
}

void ft_point_mark(PyObject *name)
{
    ft_heap *heap;
    for (uint32_t i = 0; (heap = ft_allocs_heap(i)) != NULL; i++) {
        ft_status status = mark(heap, name);
        if (status != FT_OK)
            ft_recording_note_lack(heap->recording, status);
    }
}

int ft_point_mark_in(const ft_take *take, PyObject *name)
{
    ft_status status = take->heap_is_on ? mark(take->heap, name) : FT_OK;
    if (status == FT_ERR_MEMORY)
        PyErr_NoMemory();
    else if (status != FT_OK)
        PyErr_SetString(PyExc_OSError, "no room for a point in the recording");
    return status == FT_OK ? 0 : -1;
}
