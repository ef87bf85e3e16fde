/* SPDX-License-Identifier: Apache-2.0 */
/* results.c: the results that a function has given (see results.h). */
#include "glue/caching/results.h"

static void *python_resize(void *context, void *block, size_t bytes)
{
    (void)context;
    if (bytes == 0) {
        PyMem_Free(block);
        return NULL;
    }
    return PyMem_Realloc(block, bytes);
}

const ft_mem ft_results_mem = {python_resize, NULL};

void ft_results_replace(ft_results *results, uint32_t number, PyObject *value, uint64_t stamp)
{
    PyObject *old = ft_results_value(results, number);
    results->table.entries[number].value = Py_NewRef(value);
    if (results->table.stamped)
        results->table.stamps[number] = stamp;
    Py_DECREF(old); /* note 2 */
}

void ft_results_remove(ft_results *results, uint32_t number)
{
    ft_memo_pair pair = ft_memo_table_remove(&results->table, number);
    Py_DECREF(pair.key); /* note 2 */
    Py_DECREF(pair.value);
}

void ft_results_clear(ft_results *results)
{
    ft_memo_table taken;
    uint32_t at = FT_MEMO_NONE;
    ft_memo_table_take(&results->table, &taken);
    if (results->reuse != NULL)
        ft_reuse_clear(results->reuse);
    while ((at = ft_memo_table_next(&taken, at + 1)) != FT_MEMO_NONE) { /* from 0 on */
        Py_DECREF((PyObject *)taken.entries[at].key);
        Py_DECREF((PyObject *)taken.entries[at].value);
    }
    ft_memo_table_fini(&taken);
}

void ft_results_fini(ft_results *results)
{
    ft_results_clear(results);
    ft_memo_table_fini(&results->table);
    ft_reuse_free(results->reuse);
    results->reuse = NULL;
}

int ft_results_traverse(const ft_results *results, visitproc visit, void *arg)
{
    const ft_memo_table *table = &results->table;
    for (uint32_t i = 0; i < table->used; i++) {
        Py_VISIT((PyObject *)table->entries[i].key);
        Py_VISIT((PyObject *)table->entries[i].value);
    }
    Py_VISIT(results->memo);
    return results->reuse == NULL ? 0 : ft_reuse_traverse(results->reuse, visit, arg);
}

PyObject *ft_results_list(ft_results *results, uint64_t now)
{
    const ft_memo_table *table = &results->table;
    PyObject *list = PyList_New(0);
    /* Making objects may collect garbage, and so run code that changes the table: what is read is
     * read anew each time. */
    for (uint32_t i = 0; list != NULL && i < table->used; i++) {
        if (table->entries[i].key == NULL || ft_results_is_over(results, i, now))
            continue;
        PyObject *key = Py_NewRef((PyObject *)table->entries[i].key);
        PyObject *value = Py_NewRef((PyObject *)table->entries[i].value);
        PyObject *row = Py_BuildValue("(kNN)", (unsigned long)table->entries[i].hash, key, value);
        if (row == NULL || PyList_Append(list, row) < 0)
            Py_CLEAR(list);
        Py_XDECREF(row);
    }
    return list;
}
