/* SPDX-License-Identifier: Apache-2.0 */
/* walk.c: the walk over all objects.
 *
 * First the collector's lists are copied into an array: walking a list waits for memory at each
 * step, while objects of an array can be fetched ahead. Dicts come last, when it is known which of
 * them are an object's attributes. */
#include "glue/objects/walk.h"

#include <assert.h>
#include <string.h>

#include "engine/base/array.h"

enum { FETCH_AHEAD = 8 }; /* objects: about what memory takes to answer */

void ft_walk_init(ft_walk *walk, const ft_mem *mem, ft_walk_visit *visit, void *context)
{
    memset(walk, 0, sizeof *walk);
    walk->mem = mem;
    walk->visit = visit;
    walk->context = context;
    ft_address_set_init(&walk->met, mem);
}

void ft_walk_fini(ft_walk *walk)
{
    ft_address_set_fini(&walk->met);
    ft_mem_free(walk->mem, walk->known);
    ft_mem_free(walk->mem, walk->open);
}

/* Was it not met before? Notes that it is now. */
static bool is_new(ft_walk *walk, const PyObject *object)
{
    bool added = false;
    if (!ft_address_set_add(&walk->met, (uintptr_t)object, &added))
        walk->failed = true;
    return added;
}

static void push(ft_walk *walk, PyObject *object)
{
    PyObject **open = ft_array_grow(walk->mem, walk->open, walk->open_count + 1,
                                    &walk->open_capacity, sizeof *open);
    if (open == NULL) {
        walk->failed = true;
        return;
    }
    walk->open = open;
    walk->open[walk->open_count++] = object;
}

/* Does it come by itself, out of the collector's lists? */
static bool comes_by_itself(const ft_walk *walk, PyObject *object)
{
    return walk->of_all && ft_compat_is_tracked(object);
}

/* Shows an object to the visitor, and makes the dict of its attributes a part of it. */
static void show(ft_walk *walk, PyObject *object)
{
    ft_blocks blocks;
    ft_blocks_of(object, &blocks);
    PyObject *dict = ft_blocks_dict(object);
    if (dict != NULL && is_new(walk, dict)) {
        ft_blocks_add_dict(dict, &blocks);
        if (!comes_by_itself(walk, dict))
            push(walk, dict);
        walk->visit(walk, object, dict, &blocks);
    } else {
        walk->visit(walk, object, NULL, &blocks);
    }
}

/* A visitproc: something that a container refers to. */
static int meet(PyObject *object, void *context)
{
    ft_walk *walk = context;
    if (comes_by_itself(walk, object))
        return 0;
    if (walk->enters != NULL && !walk->enters(object))
        return 0;
    if (!is_new(walk, object) || ft_compat_is_static(object))
        return 0;
    show(walk, object);
    if (ft_compat_is_collectable(object))
        push(walk, object);
    return 0;
}

/* Meets what an object refers to. A dict tells its traverser nothing of keys that are texts. */
static void ask(ft_walk *walk, PyObject *object)
{
    if (ft_compat_is_dict(object)) {
        bool own_keys = !ft_compat_shares_keys(object);
        PyObject *key, *value;
        Py_ssize_t at = 0;
        while (PyDict_Next(object, &at, &key, &value)) {
            if (own_keys)
                (void)meet(key, walk);
            (void)meet(value, walk);
        }
    }
    traverseproc traverse = Py_TYPE(object)->tp_traverse;
    if (traverse != NULL && !PyDict_CheckExact(object))
        (void)traverse(object, meet, walk);
}

static void ask_open(ft_walk *walk)
{
    while (walk->open_count > 0)
        ask(walk, walk->open[--walk->open_count]);
}

/* ---- all ---- */

static int keep(PyObject *object, void *context)
{
    ft_walk *walk = context;
    PyObject **known = ft_array_grow(walk->mem, walk->known, walk->known_count + 1,
                                     &walk->known_capacity, sizeof *known);
    if (known == NULL) {
        walk->failed = true;
        return 0;
    }
    walk->known = known;
    walk->known[walk->known_count++] = object;
    return 1;
}

/* Shows those known that are no plain dicts, and keeps the dicts. */
static void show_known(ft_walk *walk)
{
    uint32_t dicts = 0;
    for (uint32_t i = 0; i < walk->known_count; i++) {
        if (i + FETCH_AHEAD < walk->known_count)
            __builtin_prefetch(walk->known[i + FETCH_AHEAD]);
        PyObject *object = walk->known[i];
        if (PyDict_CheckExact(object)) {
            walk->known[dicts++] = object;
            continue;
        }
        show(walk, object);
        ask(walk, object);
        ask_open(walk);
    }
    walk->known_count = dicts;
}

static void show_dicts(ft_walk *walk)
{
    for (uint32_t i = 0; i < walk->known_count; i++) {
        PyObject *dict = walk->known[i];
        if (is_new(walk, dict))
            show(walk, dict);
        ask(walk, dict);
        ask_open(walk);
    }
}

ft_status ft_walk_all(ft_walk *walk)
{
    assert(walk->known == NULL && walk->enters == NULL);
    walk->of_all = true;
    ft_compat_each_tracked(keep, walk);
    show_known(walk);
    show_dicts(walk);
    return walk->failed ? FT_ERR_MEMORY : FT_OK;
}

ft_status ft_walk_from(ft_walk *walk, PyObject *object)
{
    walk->of_all = false;
    if (is_new(walk, object)) {
        show(walk, object);
        if (ft_compat_is_collectable(object))
            push(walk, object);
    }
    ask_open(walk);
    return walk->failed ? FT_ERR_MEMORY : FT_OK;
}
