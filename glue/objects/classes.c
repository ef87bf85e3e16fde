/* SPDX-License-Identifier: Apache-2.0 */
/* classes.c: a census as Python sees it.
 *
 * Making Python objects may run the program's code (the collector's finalisers), and the rows of a
 * census are borrowed. So everything is read, and held, before the first object is made. */
#include "glue/objects/classes.h"

#include "engine/base/mem.h"
#include "glue/objects/census.h"
#include "glue/objects/strangers.h"

/* ---- census() ---- */

/* What a row says of its class besides the two sums. */
typedef struct advice {
    unsigned long long saving; /* bytes, of all instances */
    const char *why;
} advice;

static advice advice_of(const ft_census *census, const ft_class_count *class)
{
    ft_layout layout;
    (void)ft_layout_estimate(census, class, &layout);
    uint64_t slotted = layout.slotted * class->instances;
    bool saves = layout.slotted != 0 && slotted < class->bytes;
    return (advice){saves ? class->bytes - slotted : 0, layout.why};
}

static PyObject *class_rows(const ft_census *census, const advice *advices)
{
    PyObject *rows = PyList_New(census->count);
    for (uint32_t i = 0; rows != NULL && i < census->count; i++) {
        const ft_class_count *class = &census->classes[i];
        PyObject *row =
            Py_BuildValue("OKKKz", class->type, (unsigned long long)class->instances,
                          (unsigned long long)class->bytes, advices[i].saving, advices[i].why);
        if (row == NULL)
            Py_CLEAR(rows);
        else
            PyList_SET_ITEM(rows, i, row);
    }
    return rows;
}

/* The rows of a census that was just taken; strangers: what it met. */
static PyObject *rows_of(ft_census *census, ft_strangers *strangers)
{
    advice *advices = ft_mem_new(&ft_mem_system, census->count + 1, sizeof *advices);
    if (advices == NULL)
        return PyErr_NoMemory();
    for (uint32_t i = 0; i < census->count; i++) {
        advices[i] = advice_of(census, &census->classes[i]);
        Py_INCREF(census->classes[i].type);
    }
    PyObject *rows = NULL;
    if (ft_strangers_ask(strangers, census) == FT_OK) /* from here on code of others may run */
        rows = class_rows(census, advices);
    else
        PyErr_NoMemory();
    for (uint32_t i = 0; i < census->count; i++)
        Py_DECREF(census->classes[i].type);
    ft_mem_free(&ft_mem_system, advices);
    return rows;
}

const char ft_core_census_doc[] =
    "census()\n--\n\n"
    "(type, instances, bytes, saving, why) of each type that has live instances.";

PyObject *ft_core_census(PyObject *module, PyObject *unused)
{
    (void)module, (void)unused;
    ft_strangers strangers;
    ft_census census;
    if (ft_strangers_init(&strangers, &ft_mem_system) < 0)
        return NULL;
    PyObject *rows = NULL;
    if (ft_census_take(&census, &ft_mem_system, ft_strangers_visit, &strangers) == FT_OK) {
        rows = rows_of(&census, &strangers);
        ft_census_fini(&census);
    } else {
        PyErr_NoMemory();
    }
    ft_strangers_fini(&strangers);
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
