/* SPDX-License-Identifier: Apache-2.0 */
/* walk.c: the walk over all objects.
 *
 * It costs what waiting for memory costs, so each object is dealt with while the collector's list
 * is walked. Only plain dicts wait until the end, when it is known which of them are an object's
 * attributes. */
#include "glue/objects/walk.h"

#include <assert.h>
#include <string.h>

#include "engine/base/array.h"

void ft_walk_init(ft_walk *walk, const ft_mem *mem, ft_walk_visit *visit, void *context)
{
    memset(walk, 0, sizeof *walk);
    walk->mem = mem;
    walk->visit = visit;
    walk->context = context;
    ft_address_set_init(&walk->met, mem);
    ft_map_init(&walk->by_type, mem);
}

void ft_walk_fini(ft_walk *walk)
{
    ft_address_set_fini(&walk->met);
    ft_map_fini(&walk->by_type);
    ft_mem_free(walk->mem, walk->shapes);
    ft_mem_free(walk->mem, walk->dicts);
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

static void push(ft_walk *walk, PyObject *object, bool nameless)
{
    ft_walk_open *open = ft_array_grow(walk->mem, walk->open, walk->open_count + 1,
                                       &walk->open_capacity, sizeof *open);
    if (open == NULL) {
        walk->failed = true;
        return;
    }
    walk->open = open;
    walk->open[walk->open_count++] = (ft_walk_open){object, nameless};
}

/* Does it come by itself, out of the collector's lists? */
static bool comes_by_itself(const ft_walk *walk, PyObject *object)
{
    return walk->of_all && ft_compat_is_tracked(object);
}

/* The number of a type that is met for the first time; UINT32_MAX when memory is out. */
static uint32_t add_type(ft_walk *walk, PyTypeObject *type)
{
    ft_shape *shapes = ft_array_grow(walk->mem, walk->shapes, walk->shape_count + 1,
                                     &walk->shape_capacity, sizeof *shapes);
    if (shapes != NULL)
        walk->shapes = shapes;
    if (shapes == NULL ||
        ft_map_put(&walk->by_type, (uint64_t)(uintptr_t)type, walk->shape_count) != FT_OK) {
        walk->failed = true;
        return UINT32_MAX;
    }
    ft_shape_of(type, &walk->shapes[walk->shape_count]);
    return walk->shape_count++;
}

static uint32_t number_of(ft_walk *walk, PyTypeObject *type)
{
    uint32_t *recent = &walk->recent[(uintptr_t)type / 64 % FT_WALK_RECENT];
    if (*recent < walk->shape_count && walk->shapes[*recent].type == type)
        return *recent;
    const uint32_t *known = ft_map_get(&walk->by_type, (uint64_t)(uintptr_t)type);
    uint32_t number = known != NULL ? *known : add_type(walk, type);
    *recent = number;
    return number;
}

/* Shows an object to the visitor, and makes the dict of its attributes a part of it. Its shape, or
 * NULL. */
static const ft_shape *show(ft_walk *walk, PyObject *object)
{
    uint32_t type = number_of(walk, Py_TYPE(object));
    if (type == UINT32_MAX)
        return NULL;
    const ft_shape *shape = &walk->shapes[type];
    ft_blocks blocks;
    ft_blocks_of(object, shape, &blocks);
    PyObject *dict = ft_blocks_dict(object, shape);
    if (dict != NULL && is_new(walk, dict)) {
        ft_blocks_add_dict(dict, &blocks);
        if (!comes_by_itself(walk, dict))
            push(walk, dict, !walk->of_all);
    } else {
        dict = NULL;
    }
    walk->visit(walk, type, object, dict, &blocks);
    return shape;
}

/* A visitproc: something that a container refers to. */
static int meet(PyObject *object, void *context)
{
    ft_walk *walk = context;
    if (ft_compat_is_in_runtime(object) || comes_by_itself(walk, object))
        return 0;
    if (walk->enters != NULL && !walk->enters(object))
        return 0;
    if (!is_new(walk, object) || ft_compat_is_static(object))
        return 0;
    (void)show(walk, object);
    if (ft_compat_is_collectable(object))
        push(walk, object, false);
    return 0;
}

/* Meets the attributes of an object that has nothing else, and no dict for them. */
static void ask_values(ft_walk *walk, PyObject *object, const PyDictValues *values)
{
    Py_ssize_t count = ft_compat_shared_count(Py_TYPE(object));
    for (Py_ssize_t i = 0; i < count; i++) {
        PyObject *value = ft_compat_value(values, i);
        if (value != NULL)
            (void)meet(value, walk);
    }
}

/* Meets what an object refers to. A dict tells its traverser nothing of keys that are texts. */
static void ask(ft_walk *walk, PyObject *object, bool nameless)
{
    if (ft_compat_is_dict_type(Py_TYPE(object))) {
        bool own_keys = !nameless && !ft_compat_shares_keys(object);
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
    while (walk->open_count > 0) {
        ft_walk_open next = walk->open[--walk->open_count];
        ask(walk, next.object, next.nameless);
    }
}

/* ---- all ---- */

static void keep(ft_walk *walk, PyObject *dict)
{
    PyObject **dicts = ft_array_grow(walk->mem, walk->dicts, walk->dict_count + 1,
                                     &walk->dict_capacity, sizeof *dicts);
    if (dicts == NULL) {
        walk->failed = true;
        return;
    }
    walk->dicts = dicts;
    walk->dicts[walk->dict_count++] = dict;
}

/* One out of the collector's lists. */
static int take(PyObject *object, void *context)
{
    ft_walk *walk = context;
    ft_compat_fetch_next(object);
    if (PyDict_CheckExact(object)) {
        keep(walk, object);
        return !walk->failed;
    }
    const ft_shape *shape = show(walk, object);
    const PyDictValues *values =
        shape != NULL && shape->simple ? ft_compat_instance_values(object) : NULL;
    if (values != NULL)
        ask_values(walk, object, values);
    else
        ask(walk, object, false);
    if (walk->open_count > 0)
        ask_open(walk);
    return !walk->failed;
}

static void take_dicts(ft_walk *walk)
{
    for (uint32_t i = 0; i < walk->dict_count && !walk->failed; i++) {
        PyObject *dict = walk->dicts[i];
        if (is_new(walk, dict))
            (void)show(walk, dict);
        ask(walk, dict, false);
        ask_open(walk);
    }
}

ft_status ft_walk_all(ft_walk *walk)
{
    assert(walk->dicts == NULL && walk->enters == NULL);
    walk->of_all = true;
    ft_compat_each_tracked(take, walk);
    take_dicts(walk);
    return walk->failed ? FT_ERR_MEMORY : FT_OK;
}

ft_status ft_walk_from(ft_walk *walk, PyObject *object)
{
    walk->of_all = false;
    if (is_new(walk, object)) {
        (void)show(walk, object);
        if (ft_compat_is_collectable(object))
            push(walk, object, false);
    }
    ask_open(walk);
    return walk->failed ? FT_ERR_MEMORY : FT_OK;
}
