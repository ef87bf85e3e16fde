/* SPDX-License-Identifier: Apache-2.0 */
/* convert_columns.c: the call tree as columns (see convert_columns.h).
 *
 * A row as a Python object takes some 600 bytes, a million of them more than most machines have to
 * spare; a column is one block of bytes. All columns are int64, for that is what array('q') holds:
 * numbers beyond saturate. */
#include "glue/convert_columns.h"

#include <stdbool.h>

#include "engine/model/outline.h"
#include "engine/model/query.h"
#include "glue/convert.h"

static int64_t clamped(uint64_t number)
{
    return number > INT64_MAX ? INT64_MAX : (int64_t)number;
}

/* ---- what the columns hold ---- */

typedef struct source {
    const ft_profile *profile;
    const ft_outline_row *rows;
    const uint32_t *functions; /* by code: 1 + the index of its row in functions(), or 0 */
} source;

static bool is_call(const ft_outline_row *row)
{
    return row->kind == FT_OUTLINE_CALL || row->kind == FT_OUTLINE_TASK;
}

static int64_t parent_of(const source *of, uint32_t i)
{
    return i == 0 ? -1 : (int64_t)of->rows[i].parent;
}

/* Which of TreeRow's kinds: as ft_outline_kind, then "folded" and "folded again". */
static int64_t kind_of(const source *of, uint32_t i)
{
    const ft_outline_row *row = &of->rows[i];
    if (row->kind != FT_OUTLINE_CALL)
        return row->kind;
    uint32_t kind = of->profile->codes.codes[row->index].kind;
    return kind == FT_CODE_FOLDED         ? FT_OUTLINE_TASK + 1
           : kind == FT_CODE_FOLDED_AGAIN ? FT_OUTLINE_TASK + 2
                                          : FT_OUTLINE_CALL;
}

static int64_t place_of(const source *of, uint32_t i)
{
    return of->rows[i].index;
}

static int64_t function_of(const source *of, uint32_t i)
{
    const ft_outline_row *row = &of->rows[i];
    return is_call(row) ? (int64_t)of->functions[row->index] - 1 : -1;
}

#define NUMBER(field)                                                                              \
    static int64_t field##_of(const source *of, uint32_t i)                                        \
    {                                                                                              \
        return clamped(of->rows[i].field);                                                         \
    }
NUMBER(calls)
NUMBER(own)
NUMBER(own_waiting)
NUMBER(folded_functions)
NUMBER(folded_calls)
NUMBER(folded)
NUMBER(folded_waiting)
#undef NUMBER

static const struct {
    const char *name;
    int64_t (*value)(const source *, uint32_t);
} columns[] = {
    {"parent", parent_of},
    {"kind", kind_of},
    {"place", place_of},
    {"function", function_of},
    {"calls", calls_of},
    {"own", own_of},
    {"waiting", own_waiting_of},
    {"folded_functions", folded_functions_of},
    {"folded_calls", folded_calls_of},
    {"folded", folded_of},
    {"folded_waiting", folded_waiting_of},
};

enum { COLUMNS = sizeof columns / sizeof columns[0] };

/* Room for that many int64; *numbers is where they go. */
static PyObject *column_new(uint32_t count, int64_t **numbers)
{
    PyObject *bytes =
        PyBytes_FromStringAndSize(NULL, (Py_ssize_t)count * (Py_ssize_t)sizeof **numbers);
    if (bytes != NULL)
        *numbers = (int64_t *)(void *)PyBytes_AS_STRING(bytes);
    return bytes;
}

static PyObject *columns_make(const source *of, uint32_t count)
{
    PyObject *made = PyDict_New();
    for (size_t at = 0; at < COLUMNS && made != NULL; at++) {
        int64_t *numbers = NULL;
        PyObject *column = column_new(count, &numbers);
        for (uint32_t i = 0; i < count && column != NULL; i++)
            numbers[i] = columns[at].value(of, i);
        if (column == NULL || PyDict_SetItemString(made, columns[at].name, column) < 0)
            Py_CLEAR(made);
        Py_XDECREF(column);
    }
    return made;
}

/* *found: an array by code, which the caller frees. */
static ft_status functions_of(const ft_profile *profile, uint32_t **found)
{
    ft_function_row *rows;
    uint32_t count;
    ft_status status = ft_query_functions(profile, &rows, &count);
    if (status != FT_OK)
        return status;
    uint32_t *made = ft_mem_new(profile->mem, profile->codes.count, sizeof *made);
    for (uint32_t i = 0; i < count && made != NULL; i++)
        made[rows[i].code] = i + 1;
    ft_mem_free(profile->mem, rows);
    if (made == NULL)
        return FT_ERR_MEMORY;
    *found = made;
    return FT_OK;
}

PyObject *ft_convert_columns(const ft_module_state *state, const ft_profile *profile, uint32_t most)
{
    ft_outline_wish wish = {.least = 0.0, .rows = most};
    ft_outline_row *rows = NULL;
    uint32_t *functions = NULL, count = 0;
    ft_status status;
    PyObject *made = NULL;
    Py_BEGIN_ALLOW_THREADS
    status = functions_of(profile, &functions);
    if (status == FT_OK)
        status = ft_outline_make(profile, &wish, &rows, &count);
    Py_END_ALLOW_THREADS
    if (status == FT_OK)
        made = columns_make(&(source){profile, rows, functions}, count);
    else
        ft_convert_error(state, status, 0, NULL);
    ft_mem_free(profile->mem, functions);
    ft_mem_free(profile->mem, rows);
    return made;
}
