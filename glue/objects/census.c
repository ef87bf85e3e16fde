/* SPDX-License-Identifier: Apache-2.0 */
/* census.c: counting objects by type, and the names of their attributes. */
#include "glue/objects/census.h"

#include <assert.h>
#include <string.h>

#include "engine/base/array.h"

/* ---- names ---- */

static bool has_name(const ft_name_set *set, PyObject *name, uint32_t likely)
{
    if (likely < set->count && set->names[likely] == name)
        return true;
    for (uint32_t i = 0; i < set->count; i++)
        if (set->names[i] == name)
            return true;
    return false;
}

/* Names of attributes are interned, so one name is one object. */
static void add_name(ft_census *census, ft_name_set *set, PyObject *name, uint32_t likely)
{
    if (set->full || has_name(set, name, likely))
        return;
    set->full = set->count >= FT_CENSUS_NAMES_MOST || !PyUnicode_CheckExact(name);
    if (set->full)
        return;
    PyObject **names =
        ft_array_grow(census->mem, set->names, set->count + 1, &set->capacity, sizeof(PyObject *));
    if (names == NULL) {
        census->walk.failed = true;
        return;
    }
    set->names = names;
    set->names[set->count++] = name;
}

static void add_names(ft_census *census, ft_name_set *set, PyObject *dict)
{
    PyObject *key;
    Py_ssize_t at = 0;
    for (uint32_t i = 0; !set->full && PyDict_Next(dict, &at, &key, NULL); i++)
        add_name(census, set, key, i);
}

uint32_t ft_class_count_names(const ft_class_count *class)
{
    Py_ssize_t shared = class->sharing == 0 ? 0 : ft_compat_shared_count(class->type);
    uint32_t sum = (uint32_t)shared;
    for (uint32_t i = 0; i < class->own.count; i++) {
        bool known = false;
        for (Py_ssize_t j = 0; j < shared && !known; j++)
            known = ft_compat_shared_name(class->type, j) == class->own.names[i];
        sum += !known;
    }
    return sum;
}

PyObject *ft_class_count_name(const ft_class_count *class, uint32_t i)
{
    Py_ssize_t shared = class->sharing == 0 ? 0 : ft_compat_shared_count(class->type);
    if (i < (uint32_t)shared)
        return ft_compat_shared_name(class->type, (Py_ssize_t)i);
    i -= (uint32_t)shared;
    for (uint32_t j = 0; j < class->own.count; j++) {
        bool known = false;
        for (Py_ssize_t k = 0; k < shared && !known; k++)
            known = ft_compat_shared_name(class->type, k) == class->own.names[j];
        if (!known && i-- == 0)
            return class->own.names[j];
    }
    return NULL;
}

/* ---- counting ---- */

/* Can instances be given attributes of any name? Not asked of classes and what is written in C. */
static bool takes_attributes(const ft_census *census, const PyTypeObject *type)
{
    return ft_census_is_statement(census, type) && type->tp_dictoffset != 0 &&
           (type->tp_flags & Py_TPFLAGS_TYPE_SUBCLASS) == 0;
}

/* The row of a type, by its number: they come in order. */
static ft_class_count *class_of(ft_census *census, uint32_t number)
{
    if (number < census->count)
        return &census->classes[number];
    assert(number == census->count);
    ft_class_count *classes = ft_array_grow(census->mem, census->classes, census->count + 1,
                                            &census->capacity, sizeof *classes);
    if (classes == NULL)
        return NULL;
    census->classes = classes;
    PyTypeObject *type = ft_walk_shape(&census->walk, number)->type;
    ft_class_count *class = &census->classes[census->count++];
    *class = (ft_class_count){.type = type, .fewest = UINT32_MAX};
    class->attributed = takes_attributes(census, type);
    return class;
}

static bool is_weakly_referenced(PyObject *object)
{
    Py_ssize_t offset = Py_TYPE(object)->tp_weaklistoffset;
    return offset != 0 && *(PyObject **)((char *)object + offset) != NULL;
}

/* Learns which attributes an instance has. */
static void learn(ft_census *census, ft_class_count *class, PyObject *object, PyObject *dict)
{
    uint32_t attributes = 0;
    if (dict != NULL) {
        attributes = (uint32_t)PyDict_GET_SIZE(dict);
        if (ft_compat_shares_keys(dict))
            class->sharing++;
        else
            add_names(census, &class->own, dict);
    } else if (ft_compat_has_managed_dict(class->type)) {
        const PyDictValues *values = ft_compat_instance_values(object);
        attributes = values == NULL ? 0 : ft_compat_values_used(values);
        class->sharing += attributes > 0;
    }
    if (attributes < class->fewest)
        class->fewest = attributes;
    class->weakly += is_weakly_referenced(object);
}

static void count(ft_walk *walk, uint32_t type, PyObject *object, PyObject *dict,
                  const ft_blocks *blocks)
{
    ft_census *census = walk->context;
    ft_class_count *class = walk->failed ? NULL : class_of(census, type);
    if (class == NULL) {
        walk->failed = true;
        return;
    }
    class->instances++;
    class->bytes += ft_blocks_sum(blocks);
    if (class->attributed)
        learn(census, class, object, dict);
    if (census->visit != NULL)
        census->visit(census->context, class->type, object, blocks->starts, blocks->bytes,
                      blocks->count);
}

/* The key of a namespace that is this text, and its value, without making a text. Borrowed, or NULL
 * and *value as it was. */
static PyObject *find_name(PyObject *dict, const char *text, PyObject **value)
{
    PyObject *name, *held;
    Py_ssize_t at = 0;
    while (dict != NULL && PyDict_Next(dict, &at, &name, &held)) {
        if (PyUnicode_Check(name) && PyUnicode_CompareWithASCIIString(name, text) == 0) {
            *value = held;
            return name;
        }
    }
    return NULL;
}

/* What is to be compared with later. A module's __spec__ is of a class that a class statement made:
 * all of those, and no others, share one tp_dealloc. */
static void find_landmarks(ft_census *census)
{
    PyObject *of_type = ft_compat_type_dict(&PyType_Type), *value = NULL;
    census->dict_name = find_name(of_type, "__dict__", &value);
    Py_XDECREF(of_type);
    census->vars_name = find_name(PyEval_GetBuiltins(), "vars", &value);
    if (find_name(PyEval_GetBuiltins(), "__spec__", &value) != NULL)
        census->dealloc = Py_TYPE(value)->tp_dealloc;
}

ft_status ft_census_take(ft_census *census, const ft_mem *mem, ft_object_visit *visit,
                         void *context)
{
    memset(census, 0, sizeof *census);
    census->mem = mem;
    census->visit = visit;
    census->context = context;
    find_landmarks(census);
    ft_walk_init(&census->walk, mem, count, census);
    ft_status status = ft_walk_all(&census->walk);
    ft_walk_fini(&census->walk);
    if (status != FT_OK)
        ft_census_fini(census);
    return status;
}

void ft_census_fini(ft_census *census)
{
    for (uint32_t i = 0; i < census->count; i++)
        ft_mem_free(census->mem, census->classes[i].own.names);
    ft_mem_free(census->mem, census->classes);
    census->classes = NULL;
    census->count = census->capacity = 0;
}

const ft_class_count *ft_census_of(const ft_census *census, const PyTypeObject *type)
{
    for (uint32_t i = 0; i < census->count; i++)
        if (census->classes[i].type == type)
            return &census->classes[i];
    return NULL;
}
