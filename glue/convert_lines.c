/* SPDX-License-Identifier: Apache-2.0 */
/* convert_lines.c: the lines of a profile as Python objects (see convert_lines.h).
 *
 * Plain tuples, for there may be a hundred thousand of them. Tables are sorted as Python sorts
 * tuples, by what their texts say and not by ids. */
#include "glue/convert_lines.h"

#include <assert.h>

#include "glue/convert.h"

/* How many entries from first on have its code: a table. */
static uint32_t table_length(const ft_lines *lines, uint32_t first)
{
    uint32_t end = first;
    while (end < lines->count && lines->lines[end].code == lines->lines[first].code)
        end++;
    return end - first;
}

static PyObject *row_make(const ft_line *line)
{
    const uint64_t numbers[] = {line->line, line->hits, line->time, line->waiting, line->callees};
    enum { NUMBERS = sizeof numbers / sizeof numbers[0] };
    PyObject *row = PyTuple_New(NUMBERS);
    for (Py_ssize_t i = 0; i < NUMBERS && row != NULL; i++) {
        PyObject *number = PyLong_FromUnsignedLongLong(numbers[i]);
        if (number == NULL)
            Py_CLEAR(row);
        else
            PyTuple_SET_ITEM(row, i, number);
    }
    return row;
}

static PyObject *rows_make(const ft_line *lines, uint32_t count)
{
    PyObject *rows = PyList_New((Py_ssize_t)count);
    for (uint32_t i = 0; i < count && rows != NULL; i++) {
        PyObject *row = row_make(&lines[i]);
        if (row == NULL)
            Py_CLEAR(rows);
        else
            PyList_SET_ITEM(rows, (Py_ssize_t)i, row);
    }
    return rows;
}

/* The table of count entries from lines on; the first may be that of line 0, the function. */
static PyObject *table_make(const ft_profile *profile, const ft_line *lines, uint32_t count)
{
    const ft_code *code = &profile->codes.codes[lines->code];
    uint32_t whole = lines->line == 0;
    uint64_t calls = whole ? lines->hits : 0;
    /* "N" lets go of its argument even when another one is NULL. */
    return Py_BuildValue("NkNNKN", ft_convert_text(ft_strtab_get(&profile->texts, code->file)),
                         (unsigned long)code->line,
                         ft_convert_text(ft_strtab_get(&profile->texts, code->name)),
                         ft_convert_text(ft_strtab_get(&profile->texts, code->qualname)),
                         (unsigned long long)calls, rows_make(lines + whole, count - whole));
}

PyObject *ft_convert_lines(const ft_profile *profile)
{
    const ft_lines *lines = &profile->lines;
    PyObject *tables = PyList_New(0);
    for (uint32_t at = 0; at < lines->count && tables != NULL;) {
        uint32_t count = table_length(lines, at);
        PyObject *table = table_make(profile, &lines->lines[at], count);
        if (table == NULL || PyList_Append(tables, table) < 0)
            Py_CLEAR(tables);
        Py_XDECREF(table);
        at += count;
    }
    if (tables != NULL && PyList_Sort(tables) < 0)
        Py_CLEAR(tables);
    return tables;
}

PyObject *ft_convert_source(const ft_profile *profile, PyObject *file)
{
    assert(PyUnicode_Check(file));
    for (uint32_t i = 0; i < profile->source_count; i++) {
        const ft_source *source = &profile->sources[i];
        PyObject *name = ft_convert_text(ft_strtab_get(&profile->texts, source->file));
        int differs = name == NULL ? -1 : PyUnicode_Compare(name, file);
        Py_XDECREF(name);
        if (differs == -1 && PyErr_Occurred())
            return NULL;
        if (differs == 0)
            return ft_convert_text(ft_strtab_get(&profile->texts, source->text));
    }
    Py_RETURN_NONE;
}
