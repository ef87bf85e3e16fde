/* SPDX-License-Identifier: Apache-2.0 */
/* estimate.c: what an instance would take with __slots__, from what a census saw.
 *
 * The formula is CPython's own: the base's size, a word for each attribute, and what weak
 * references need where somebody has one. fettle.layout builds the slotted twin instead, which runs
 * code of the program's; the tests hold the two together. */
#include "glue/objects/census.h"

#include <assert.h>
#include <string.h>

/* ---- does the class's code know of the name? ---- */

typedef struct search {
    PyObject *name;      /* names in code are interned: it is this object or none */
    bool functions_only; /* not what a function is wrapped in */
    bool found;
} search;

static void search_tuple(search *for_it, PyObject *tuple)
{
    for (Py_ssize_t i = 0; tuple != NULL && i < PyTuple_GET_SIZE(tuple) && !for_it->found; i++)
        for_it->found = PyTuple_GET_ITEM(tuple, i) == for_it->name;
}

static void search_code(search *for_it, const PyCodeObject *code)
{
    search_tuple(for_it, code->co_names);
    search_tuple(for_it, code->co_consts); /* setattr(self, "name", value) */
}

/* A visitproc: functions, and one level of what they are wrapped in (property, staticmethod). Those
 * of a class method are about the class, not about instances. */
static int search_object(PyObject *object, void *context)
{
    search *for_it = context;
    if (PyFunction_Check(object)) {
        search_code(for_it, (const PyCodeObject *)PyFunction_GET_CODE(object));
    } else if (!for_it->functions_only && !PyType_Check(object) &&
               !Py_IS_TYPE(object, &PyClassMethod_Type) && ft_compat_is_collectable(object) &&
               Py_TYPE(object)->tp_traverse != NULL) {
        for_it->functions_only = true;
        (void)Py_TYPE(object)->tp_traverse(object, search_object, for_it);
        for_it->functions_only = false;
    }
    return for_it->found;
}

static bool search_namespace(search *for_it, PyTypeObject *type)
{
    PyObject *dict = ft_compat_type_dict(type), *value;
    Py_ssize_t at = 0;
    while (dict != NULL && !for_it->found && PyDict_Next(dict, &at, NULL, &value))
        (void)search_object(value, for_it);
    Py_XDECREF(dict);
    return for_it->found;
}

/* Does a function of the class or a base of it use the name? */
static bool is_used(const PyTypeObject *type, PyObject *name)
{
    if (name == NULL)
        return false;
    search for_it = {.name = name};
    PyObject *mro = type->tp_mro;
    for (Py_ssize_t i = 0; mro != NULL && i < PyTuple_GET_SIZE(mro) && !for_it.found; i++) {
        PyTypeObject *base = (PyTypeObject *)PyTuple_GET_ITEM(mro, i);
        if ((base->tp_flags & Py_TPFLAGS_HEAPTYPE) != 0)
            (void)search_namespace(&for_it, base);
    }
    return for_it.found;
}

/* Is there a name that some instances have and no function of the class's knows? */
static bool is_dynamic(const ft_class_count *class, uint32_t names)
{
    if (class->fewest == names)
        return false;
    for (uint32_t i = 0; i < names; i++) {
        PyObject *name = ft_class_count_name(class, i);
        if (name != NULL && !is_used(class->type, name))
            return true;
    }
    return false;
}

/* Does a property or other data descriptor of the class take what is assigned to the name? */
static bool is_handled(const PyTypeObject *type, PyObject *name)
{
    PyObject *mro = type->tp_mro;
    for (Py_ssize_t i = 0; mro != NULL && i < PyTuple_GET_SIZE(mro); i++) {
        PyObject *dict = ft_compat_type_dict((PyTypeObject *)PyTuple_GET_ITEM(mro, i));
        PyObject *key = NULL, *value = NULL;
        Py_ssize_t at = 0;
        while (dict != NULL && key != name && PyDict_Next(dict, &at, &key, &value))
            continue;
        Py_XDECREF(dict);
        if (key == name)
            return Py_TYPE(value)->tp_descr_set != NULL;
    }
    return false;
}

/* For how many names would there be slots? */
static uint32_t count_slots(const ft_class_count *class, uint32_t names)
{
    uint32_t slots = 0;
    for (uint32_t i = 0; i < names; i++) {
        PyObject *name = ft_class_count_name(class, i);
        slots += name != NULL && !is_handled(class->type, name);
    }
    return slots;
}

static bool has_odd_name(const ft_class_count *class, uint32_t names)
{
    for (uint32_t i = 0; i < names; i++) {
        PyObject *name = ft_class_count_name(class, i);
        if (name != NULL && PyUnicode_IsIdentifier(name) != 1)
            return true;
    }
    return false;
}

/* ---- what the class is made of ---- */

/* Is there such a name, or (name NULL) a value of a type of that name, in the class's namespace? */
static bool has_in_namespace(PyTypeObject *type, const char *name, const char *of_type)
{
    PyObject *dict = ft_compat_type_dict(type), *key, *value;
    Py_ssize_t at = 0;
    bool found = false;
    while (dict != NULL && !found && PyDict_Next(dict, &at, &key, &value)) {
        if (name != NULL)
            found = PyUnicode_Check(key) && PyUnicode_CompareWithASCIIString(key, name) == 0;
        else
            found = strcmp(Py_TYPE(value)->tp_name, of_type) == 0;
    }
    Py_XDECREF(dict);
    return found;
}

static const char *reason_of_bases(const PyTypeObject *type)
{
    PyObject *bases = type->tp_bases;
    for (Py_ssize_t i = 0; bases != NULL && i < PyTuple_GET_SIZE(bases); i++) {
        const PyTypeObject *base = (const PyTypeObject *)PyTuple_GET_ITEM(bases, i);
        if (base->tp_dictoffset == 0)
            continue;
        return (base->tp_flags & Py_TPFLAGS_HEAPTYPE) != 0
                   ? "a base class has no __slots__: give it some first"
                   : "a base class is written in C and has a __dict__ of its own";
    }
    return NULL;
}

static const char *reason(const ft_census *census, const ft_class_count *class, uint32_t names)
{
    PyTypeObject *type = class->type;
    const char *why = reason_of_bases(type);
    if (why != NULL)
        return why;
    if (has_in_namespace(type, "__slots__", NULL))
        return "__dict__ is among its __slots__";
    if (type->tp_itemsize != 0 && names > 0)
        return "its base class has a variable size, with which Python allows no slots";
    if (class->own.full)
        return "its instances have attributes of any name";
    if (has_odd_name(class, names))
        return "an attribute of its instances has a name that no slot can have";
    if (has_in_namespace(type, NULL, "cached_property"))
        return "it has a cached_property, which needs a __dict__";
    if (is_used(type, census->dict_name) || is_used(type, census->vars_name))
        return "its methods use __dict__";
    if (is_dynamic(class, names))
        return "its instances have attributes that it does not set itself";
    return NULL;
}

/* Bytes of an instance's block with slots for so many names and nothing else. */
static uint64_t slotted_bytes(const PyTypeObject *type, uint32_t names, bool weakly)
{
    const size_t word = sizeof(PyObject *);
    const PyTypeObject *base = type->tp_base;
    assert(base != NULL && base->tp_dictoffset == 0);
    bool base_weak = base->tp_weaklistoffset != 0, in_front = FT_WEAK_REFERENCES_IN_FRONT;
    size_t bytes = (size_t)base->tp_basicsize + names * word;
    if (weakly && !base_weak && !in_front)
        bytes += word;
    bytes += ft_compat_preheader(base);
    if ((base->tp_flags & Py_TPFLAGS_HAVE_GC) == 0) /* class statements make collected ones only */
        bytes += ft_compat_collector_bytes();
    if (weakly && !base_weak && in_front)
        bytes += 2 * word;
    return bytes;
}

int ft_layout_estimate(const ft_census *census, const ft_class_count *class, ft_layout *layout)
{
    *layout = (ft_layout){0, 0, NULL};
    if (class->instances == 0)
        return -1;
    layout->plain = (class->bytes + class->instances / 2) / class->instances;
    if (!class->attributed) {
        bool declares = ft_census_is_statement(census, class->type) &&
                        has_in_namespace(class->type, "__slots__", NULL);
        layout->why = declares ? "it has __slots__ already" : NULL;
        return -1;
    }
    uint32_t names = ft_class_count_names(class);
    layout->why = reason(census, class, names);
    if (layout->why != NULL)
        return -1;
    const PyTypeObject *type = class->type;
    layout->slotted = slotted_bytes(type, count_slots(class, names), class->weakly > 0);
    if (type->tp_itemsize != 0) /* what the items take stays as it is */
        layout->slotted += layout->plain - ft_compat_preheader(type) - (size_t)type->tp_basicsize;
    if (layout->slotted < layout->plain)
        return 0;
    layout->slotted = 0;
    layout->why = "it would save nothing";
    return -1;
}
