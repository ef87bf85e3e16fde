/* SPDX-License-Identifier: Apache-2.0 */
/* rows.c: rows of tables as Python objects (see rows.h). */
#include "glue/rows.h"

#include "glue/convert.h"

PyTypeObject *ft_row_type_add(PyObject *module, const ft_row_shape *of)
{
    PyStructSequence_Field fields[FT_ROW_FIELDS_MAX + 1] = {{NULL, NULL}};
    PyStructSequence_Desc desc = {of->name, of->doc, fields, 0};
    while (desc.n_in_sequence < FT_ROW_FIELDS_MAX && of->fields[desc.n_in_sequence][0] != NULL) {
        const char *const *field = of->fields[desc.n_in_sequence];
        fields[desc.n_in_sequence++] = (PyStructSequence_Field){field[0], field[1]};
    }
    PyTypeObject *type = PyStructSequence_NewType(&desc);
    if (type != NULL && PyModule_AddType(module, type) < 0)
        Py_CLEAR(type);
    return type;
}

static PyObject *seconds(uint64_t ns)
{
    return PyFloat_FromDouble((double)ns / 1e9);
}

ft_row ft_row_start(PyTypeObject *type)
{
    return (ft_row){PyStructSequence_New(type), 0};
}

void ft_row_put(ft_row *to, PyObject *value)
{
    if (value == NULL)
        Py_CLEAR(to->object);
    else
        PyStructSequence_SetItem(to->object, to->next++, value);
}

void ft_row_put_number(ft_row *to, uint64_t value)
{
    if (to->object != NULL)
        ft_row_put(to, PyLong_FromUnsignedLongLong(value));
}

void ft_row_put_index(ft_row *to, int64_t value)
{
    if (to->object != NULL)
        ft_row_put(to, PyLong_FromLongLong(value));
}

void ft_row_put_seconds(ft_row *to, uint64_t ns)
{
    if (to->object != NULL)
        ft_row_put(to, seconds(ns));
}

void ft_row_put_text(ft_row *to, ft_text text)
{
    if (to->object != NULL)
        ft_row_put(to, ft_convert_text(text));
}

int ft_str_cache_init(ft_str_cache *cache, const ft_strtab *texts)
{
    *cache = (ft_str_cache){texts, PyMem_Calloc((size_t)texts->count + 1, sizeof *cache->made)};
    if (cache->made == NULL)
        PyErr_NoMemory();
    return cache->made == NULL ? -1 : 0;
}

void ft_str_cache_fini(ft_str_cache *cache)
{
    for (uint32_t i = 0; i < cache->texts->count; i++)
        Py_XDECREF(cache->made[i]);
    PyMem_Free(cache->made);
}

void ft_row_put_cached(ft_row *to, ft_str_cache *cache, uint32_t id)
{
    if (to->object == NULL)
        return;
    if (cache->made[id] == NULL)
        cache->made[id] = ft_convert_text(ft_strtab_get(cache->texts, id));
    ft_row_put(to, Py_XNewRef(cache->made[id]));
}

int ft_row_end(PyObject *list, uint32_t index, const ft_row *made)
{
    if (made->object == NULL)
        return -1;
    PyList_SET_ITEM(list, (Py_ssize_t)index, made->object);
    return 0;
}
