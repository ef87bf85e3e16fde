/* SPDX-License-Identifier: Apache-2.0 */
/* strangers.h: objects that hold memory which only their types know of.
 *
 * A deque, a numpy array: their types are written in C, with a __sizeof__ that says. Asking runs
 * code that is not ours, so it waits until a census is over: on the way such objects are noted,
 * then they are held, then asked. */
#ifndef FT_GLUE_STRANGERS_H
#define FT_GLUE_STRANGERS_H

#include "glue/compat.h"

#include "engine/base/map.h"
#include "glue/objects/census.h"

typedef struct ft_strangers {
    const ft_mem *mem;
    PyObject *name;     /* "__sizeof__" */
    PyObject **objects; /* owned; those up to held are strong references, the others borrowed */
    uint32_t count, capacity, held;
    ft_map by_type;           /* address of a type -> is it to be asked? */
    const PyTypeObject *last; /* the type asked for last, and the answer */
    bool last_is_foreign, failed;
} ft_strangers;

/* 0, or -1 with an exception and nothing to be freed. */
int ft_strangers_init(ft_strangers *strangers, const ft_mem *mem);
void ft_strangers_fini(ft_strangers *strangers);

/* Notes an object of whose bytes its type knows more: an ft_object_visit. context: the strangers.
 */
void ft_strangers_visit(void *context, PyTypeObject *type, const void *object,
                        const void *const *blocks, const size_t *block_bytes, size_t block_count);

/* Adds what they say to the rows of the census that met them, just now. The caller holds the types
 * of its rows. FT_ERR_MEMORY: not all were noted, and none is asked. */
ft_status ft_strangers_ask(ft_strangers *strangers, ft_census *census);

#endif
