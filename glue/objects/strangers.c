/* SPDX-License-Identifier: Apache-2.0 */
/* strangers.c: objects that hold memory which only their types know of. */
#include "glue/objects/strangers.h"

#include <string.h>

#include "engine/base/array.h"
#include "glue/objects/size.h"

int ft_strangers_init(ft_strangers *strangers, const ft_mem *mem)
{
    memset(strangers, 0, sizeof *strangers);
    strangers->mem = mem;
    strangers->name = PyUnicode_InternFromString("__sizeof__");
    ft_map_init(&strangers->by_type, mem);
    return strangers->name == NULL ? -1 : 0;
}

void ft_strangers_fini(ft_strangers *strangers)
{
    for (uint32_t i = 0; i < strangers->held; i++)
        Py_DECREF(strangers->objects[i]);
    ft_mem_free(strangers->mem, strangers->objects);
    ft_map_fini(&strangers->by_type);
    Py_XDECREF(strangers->name);
}

static bool is_stranger(ft_strangers *strangers, const PyTypeObject *type)
{
    const uint32_t *known = ft_map_get(&strangers->by_type, (uint64_t)(uintptr_t)type);
    if (known != NULL)
        return *known != 0;
    bool foreign = ft_size_is_foreign(type, strangers->name);
    if (ft_map_put(&strangers->by_type, (uint64_t)(uintptr_t)type, foreign) != FT_OK)
        strangers->failed = true;
    return foreign;
}

void ft_strangers_visit(void *context, PyTypeObject *type, const void *object,
                        const void *const *blocks, const size_t *block_bytes, size_t block_count)
{
    (void)blocks, (void)block_bytes, (void)block_count;
    ft_strangers *strangers = context;
    if (type != strangers->last) {
        strangers->last_is_foreign = is_stranger(strangers, type);
        strangers->last = type;
    }
    if (!strangers->last_is_foreign)
        return;
    PyObject **objects = ft_array_grow(strangers->mem, strangers->objects, strangers->count + 1,
                                       &strangers->capacity, sizeof *objects);
    if (objects == NULL) {
        strangers->failed = true;
        return;
    }
    strangers->objects = objects;
    strangers->objects[strangers->count++] = (PyObject *)(uintptr_t)object;
}

ft_status ft_strangers_ask(ft_strangers *strangers, ft_census *census)
{
    ft_map *rows = &strangers->by_type; /* from now on: type -> index of its row */
    for (uint32_t i = 0; i < census->count && !strangers->failed; i++)
        if (ft_map_put(rows, (uint64_t)(uintptr_t)census->classes[i].type, i) != FT_OK)
            strangers->failed = true;
    if (strangers->failed)
        return FT_ERR_MEMORY;
    for (; strangers->held < strangers->count; strangers->held++)
        Py_INCREF(strangers->objects[strangers->held]);
    for (uint32_t i = 0; i < strangers->held; i++) {
        PyObject *object = strangers->objects[i];
        const uint32_t *row = ft_map_get(rows, (uint64_t)(uintptr_t)Py_TYPE(object));
        if (row != NULL)
            census->classes[*row].bytes += ft_size_foreign(object, strangers->name);
    }
    return FT_OK;
}
