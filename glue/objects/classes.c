/* SPDX-License-Identifier: Apache-2.0 */
/* classes.c: a census as Python sees it.
 *
 * Making Python objects may run the program's code (the collector's finalisers), and the rows of a
 * census are borrowed. So everything is read, and held, before the first object is made. */
#include "glue/objects/classes.h"

#include "engine/base/mem.h"
#include "glue/objects/census.h"

/* ---- census() ---- */

static PyObject *class_row(const ft_class_count *class, const ft_layout *layout)
{
    return Py_BuildValue("OKKKKz", class->type, (unsigned long long)class->instances,
                         (unsigned long long)class->bytes, (unsigned long long)layout->plain,
                         (unsigned long long)layout->slotted, layout->why);
}

static PyObject *class_rows(const ft_census *census, const ft_layout *layouts)
{
    PyObject *rows = PyList_New(census->count);
    for (uint32_t i = 0; rows != NULL && i < census->count; i++) {
        PyObject *row = class_row(&census->classes[i], &layouts[i]);
        if (row == NULL)
            Py_CLEAR(rows);
        else
            PyList_SET_ITEM(rows, i, row);
    }
    return rows;
}

const char ft_core_census_doc[] =
    "census()\n--\n\n"
    "(type, instances, bytes, plain, slotted, why) of each type that has live instances.";

PyObject *ft_core_census(PyObject *module, PyObject *unused)
{
    (void)module, (void)unused;
    ft_census census;
    if (ft_census_take(&census, &ft_mem_system, NULL, NULL) != FT_OK)
        return PyErr_NoMemory();
    ft_layout *layouts = ft_mem_new(&ft_mem_system, census.count + 1, sizeof *layouts);
    uint32_t held = 0;
    for (; layouts != NULL && held < census.count; held++) {
        (void)ft_layout_estimate(&census, &census.classes[held], &layouts[held]);
        Py_INCREF(census.classes[held].type);
    }
    PyObject *rows = layouts == NULL ? PyErr_NoMemory() : class_rows(&census, layouts);
    while (held > 0)
        Py_DECREF(census.classes[--held].type);
    ft_mem_free(&ft_mem_system, layouts);
    ft_census_fini(&census);
    return rows;
}

/* ---- learned(type) ---- */

/* New references to the names, in an array of the caller's. */
static uint32_t hold_names(const ft_class_count *class, PyObject **names, uint32_t room)
{
    uint32_t count = ft_class_count_names(class), held = 0;
    for (uint32_t i = 0; i < count && held < room; i++) {
        PyObject *name = ft_class_count_name(class, i);
        if (name != NULL)
            names[held++] = Py_NewRef(name);
    }
    return held;
}

static PyObject *names_tuple(PyObject **names, uint32_t count)
{
    PyObject *tuple = PyTuple_New(count);
    for (uint32_t i = 0; i < count; i++) {
        if (tuple == NULL)
            Py_DECREF(names[i]);
        else
            PyTuple_SET_ITEM(tuple, i, names[i]);
    }
    return tuple;
}

const char ft_core_learned_doc[] =
    "learned(type, /)\n--\n\n"
    "(instances, bytes, fewest, weakly, any, names) of the live instances of exactly this type:\n"
    "the fewest attributes of one, how many have weak references, whether names are beyond\n"
    "counting.";

enum { NAMES_ROOM = 2 * FT_CENSUS_NAMES_MOST }; /* shared ones, 30 at most, and others */

PyObject *ft_core_learned(PyObject *module, PyObject *type)
{
    (void)module;
    ft_census census;
    PyObject *names[NAMES_ROOM];
    if (ft_census_take(&census, &ft_mem_system, NULL, NULL) != FT_OK)
        return PyErr_NoMemory();
    const ft_class_count *row = ft_census_of(&census, (const PyTypeObject *)type);
    ft_class_count class = {.fewest = UINT32_MAX};
    uint32_t held = row == NULL ? 0 : hold_names(row, names, NAMES_ROOM);
    if (row != NULL)
        class = *row;
    ft_census_fini(&census);
    PyObject *tuple = names_tuple(names, held);
    if (tuple == NULL)
        return NULL;
    uint32_t fewest = class.fewest == UINT32_MAX ? 0 : class.fewest;
    return Py_BuildValue("KKIKNN", (unsigned long long)class.instances,
                         (unsigned long long)class.bytes, fewest, (unsigned long long)class.weakly,
                         PyBool_FromLong(class.own.full), tuple);
}

/* ---- made_alike(type, other) ---- */

const char ft_core_made_alike_doc[] =
    "made_alike(type, other, /)\n--\n\n"
    "Whether both were made by class statements, if one of them was.";

/* All classes that class statements make share one tp_dealloc, which nobody else can name. */
PyObject *ft_core_made_alike(PyObject *module, PyObject *arguments)
{
    (void)module;
    PyTypeObject *type, *other;
    if (!PyArg_ParseTuple(arguments, "O!O!", &PyType_Type, &type, &PyType_Type, &other))
        return NULL;
    return PyBool_FromLong(type->tp_dealloc == other->tp_dealloc);
}
