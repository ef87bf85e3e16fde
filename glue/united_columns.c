/* SPDX-License-Identifier: Apache-2.0 */
/* united_columns.c: two trees as one, for the comparison of two recordings (see united_columns.h,
 * engine/model/ways.h).
 *
 * All that is read lies in buffers, which are held while the GIL is not; all that is written is
 * new. Another thread may still change the numbers in them: each is read once, and looked at before
 * it is used. What a caller may get wrong is a ValueError. */
#include "glue/united_columns.h"

#include <stdbool.h>

#include "engine/model/ways.h"
#include "glue/convert.h"

typedef struct column {
    Py_buffer view; /* obj is NULL where nothing is held */
    const int64_t *numbers;
    uint32_t count;
} column;

static int column_open(column *made, PyObject *of)
{
    if (PyObject_GetBuffer(of, &made->view, PyBUF_SIMPLE) < 0)
        return -1;
    if (made->view.len % (Py_ssize_t)sizeof(int64_t) != 0 ||
        made->view.len / (Py_ssize_t)sizeof(int64_t) >= (Py_ssize_t)INT32_MAX ||
        (made->view.len > 0 && (uintptr_t)made->view.buf % sizeof(int64_t) != 0)) {
        PyErr_SetString(PyExc_ValueError, "A column must be a buffer of int64: use array('q').");
        return -1;
    }
    made->numbers = made->view.buf;
    made->count = (uint32_t)(made->view.len / (Py_ssize_t)sizeof(int64_t));
    return 0;
}

enum { COLUMNS_MAX = 4 };

static void columns_close(column *columns)
{
    for (int i = 0; i < COLUMNS_MAX; i++)
        if (columns[i].view.obj != NULL)
            PyBuffer_Release(&columns[i].view);
}

/* Opens that many; each is as long as the one before it where same has its bit. */
static int columns_open(column *columns, PyObject *const *of, int count, unsigned same)
{
    for (int i = 0; i < count; i++) {
        if (column_open(&columns[i], of[i]) < 0)
            return -1;
        if (same >> i & 1 && columns[i].count != columns[i - 1].count) {
            PyErr_SetString(PyExc_ValueError, "The columns of a tree must have equal lengths.");
            return -1;
        }
    }
    return 0;
}

static int64_t *numbers_of(PyObject *bytes)
{
    return (int64_t *)(void *)PyBytes_AS_STRING(bytes);
}

static PyObject *column_make(const int64_t *numbers, uint32_t count)
{
    return PyBytes_FromStringAndSize((const char *)numbers, (Py_ssize_t)(count * sizeof *numbers));
}

static PyObject *refuse(const ft_module_state *state, ft_status status)
{
    if (status != FT_ERR_CORRUPT)
        return ft_convert_error(state, status, 0, NULL);
    PyErr_SetString(PyExc_ValueError, "A parent must come before its children (-1: none), and a key"
                                      " must fit into 32 bits.");
    return NULL;
}

static PyObject *unite_columns(PyObject *module, PyObject *args)
{
    column in[COLUMNS_MAX] = {0};
    PyObject *of[COLUMNS_MAX], *made = NULL, *first = NULL, *second = NULL;
    ft_ways ways;
    ft_status status;
    ft_ways_init(&ways, &ft_mem_system);
    if (!PyArg_ParseTuple(args, "OOOO:unite_columns", &of[0], &of[1], &of[2], &of[3]) ||
        columns_open(in, of, COLUMNS_MAX, 1 << 1 | 1 << 3) < 0)
        goto end;
    first = PyBytes_FromStringAndSize(NULL, in[0].view.len);
    second = PyBytes_FromStringAndSize(NULL, in[2].view.len);
    if (first == NULL || second == NULL)
        goto end;
    int64_t *places[] = {numbers_of(first), numbers_of(second)};
    Py_BEGIN_ALLOW_THREADS
    status = ft_ways_add(&ways, in[0].numbers, in[1].numbers, in[0].count, places[0]);
    if (status == FT_OK)
        status = ft_ways_add(&ways, in[2].numbers, in[3].numbers, in[2].count, places[1]);
    Py_END_ALLOW_THREADS
    if (status == FT_OK) /* "N" lets go of its argument even when another one is NULL */
        made = Py_BuildValue("NNOO", column_make(ways.parent, ways.count),
                             column_make(ways.key, ways.count), first, second);
    else
        refuse(PyModule_GetState(module), status);
end:
    columns_close(in);
    ft_ways_fini(&ways);
    Py_XDECREF(first);
    Py_XDECREF(second);
    return made;
}

static PyObject *prune_columns(PyObject *module, PyObject *args)
{
    column in[COLUMNS_MAX] = {0};
    PyObject *of[COLUMNS_MAX], *made = NULL, *places = NULL, *moved = NULL;
    unsigned int most;
    long long key;
    uint32_t left = 0;
    ft_ways ways;
    ft_status status;
    ft_ways_init(&ways, &ft_mem_system);
    if (!PyArg_ParseTuple(args, "OOOIL:prune_columns", &of[0], &of[1], &of[2], &most, &key) ||
        columns_open(in, of, 3, 1 << 1 | 1 << 2) < 0)
        goto end;
    places = PyBytes_FromStringAndSize(NULL, in[0].view.len);
    moved = PyBytes_FromStringAndSize(NULL, in[0].view.len);
    if (places == NULL || moved == NULL)
        goto end;
    int64_t *to[] = {numbers_of(places), numbers_of(moved)};
    Py_BEGIN_ALLOW_THREADS
    status = ft_ways_add(&ways, in[0].numbers, in[1].numbers, in[0].count, to[0]);
    if (status == FT_OK && (ways.count != in[0].count || most == 0))
        status = FT_ERR_CORRUPT; /* siblings with one key: its rows are not where they were */
    if (status == FT_OK)
        status = ft_ways_prune(&ways, in[2].numbers, most, key, to[1], &left);
    Py_END_ALLOW_THREADS
    if (status == FT_OK)
        made = Py_BuildValue("NNOI", column_make(ways.parent, ways.count),
                             column_make(ways.key, ways.count), moved, left);
    else
        refuse(PyModule_GetState(module), status);
end:
    columns_close(in);
    ft_ways_fini(&ways);
    Py_XDECREF(places);
    Py_XDECREF(moved);
    return made;
}

static void add_up(const column *numbers, const column *places, uint32_t count, int64_t *sums,
                   bool *fits)
{
    for (uint32_t i = 0; i < numbers->count && *fits; i++) {
        int64_t at = places->numbers[i];
        *fits = at >= 0 && at < (int64_t)count;
        if (*fits && __builtin_add_overflow(sums[at], numbers->numbers[i], &sums[at]))
            sums[at] = numbers->numbers[i] < 0 ? INT64_MIN : INT64_MAX;
    }
}

static PyObject *sum_column(PyObject *Py_UNUSED(module), PyObject *args)
{
    column in[COLUMNS_MAX] = {0};
    PyObject *of[COLUMNS_MAX], *sums = NULL;
    int count;
    bool fits = true;
    if (!PyArg_ParseTuple(args, "OOi:sum_column", &of[0], &of[1], &count) ||
        columns_open(in, of, 2, 1 << 1) < 0)
        goto end;
    if (count < 0) {
        PyErr_SetString(PyExc_ValueError, "sum_column() takes a count of 0 or more.");
        goto end;
    }
    sums = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)count * (Py_ssize_t)sizeof(int64_t));
    if (sums == NULL)
        goto end;
    int64_t *to = numbers_of(sums);
    Py_BEGIN_ALLOW_THREADS
    for (int i = 0; i < count; i++)
        to[i] = 0;
    add_up(&in[0], &in[1], (uint32_t)count, to, &fits);
    Py_END_ALLOW_THREADS
    if (!fits) {
        PyErr_SetString(PyExc_ValueError, "A place must be from 0 to below the count.");
        Py_CLEAR(sums);
    }
end:
    columns_close(in);
    return sums;
}

static PyMethodDef functions[] = {
    {"unite_columns", unite_columns, METH_VARARGS,
     "unite_columns($module, parent, key, other_parent, other_key, /)\n--\n\nTwo trees as one: "
     "(parent, key, places, other_places). Rows are the same if the ways to them are, key by key."},
    {"prune_columns", prune_columns, METH_VARARGS,
     "prune_columns($module, parent, key, own, most, rest, /)\n--\n\nThe heaviest rows of a united "
     "tree: (parent, key, moved, left). What is left out below one is a row with the key rest."},
    {"sum_column", sum_column, METH_VARARGS,
     "sum_column($module, numbers, places, count, /)\n--\n\nThe sums of the numbers at each of "
     "count places."},
    {NULL, NULL, 0, NULL}};

int ft_united_columns_add(PyObject *module, ft_module_state *Py_UNUSED(state))
{
    return PyModule_AddFunctions(module, functions);
}
