/* SPDX-License-Identifier: Apache-2.0 */
/* code_lines.c: which lines a code object has (see code_lines.h). */
#include "glue/probes/code_lines.h"

#include "engine/base/array.h"

enum { DEPTH_MAX = 64 }; /* of lambdas in lambdas */

bool ft_code_is_module(const PyCodeObject *code)
{
    return PyUnicode_CompareWithASCIIString(code->co_name, "<module>") == 0;
}

bool ft_code_is_anonymous(const PyCodeObject *code)
{
    return PyUnicode_GET_LENGTH(code->co_name) > 0 &&
           PyUnicode_READ_CHAR(code->co_name, 0) == '<' && !ft_code_is_module(code);
}

bool ft_code_is_class_body(const PyCodeObject *code)
{
    return (code->co_flags & CO_OPTIMIZED) == 0 && !ft_code_is_module(code);
}

void ft_code_lines_fini(ft_code_lines *lines)
{
    for (uint32_t i = 0; i < lines->count; i++)
        ft_mem_free(&ft_mem_system, (void *)(uintptr_t)lines->members[i].lines);
    ft_mem_free(&ft_mem_system, lines->members);
    *lines = (ft_code_lines){0};
}

/* An item of the position: 0 where it is None or no line. */
static uint32_t number_in(PyObject *position, Py_ssize_t at)
{
    PyObject *item = PyTuple_GET_ITEM(position, at);
    long value = PyLong_Check(item) ? PyLong_AsLong(item) : 0;
    PyErr_Clear();
    return value > 0 && value <= INT32_MAX ? (uint32_t)value : 0;
}

/* The number of the first code unit of the function's own, behind where a call begins. */
static Py_ssize_t first_unit(PyCodeObject *code)
{
    PyObject *bytes = PyCode_GetCode(code);
    Py_ssize_t length = bytes == NULL ? 0 : PyBytes_GET_SIZE(bytes), at = 0;
    const unsigned char *units =
        bytes == NULL ? NULL : (const unsigned char *)PyBytes_AS_STRING(bytes);
    PyErr_Clear();
    while (at < length && !ft_compat_is_resume(units[at]))
        at += 2;
    for (at += 2; at < length && units[at] == CACHE;)
        at += 2;
    Py_XDECREF(bytes);
    return at < length ? at / 2 : 0;
}

bool ft_code_begins_untold(PyCodeObject *code)
{
    enum { UNIT_BYTES = 2 };
    int unit = FT_LINES_BEGIN_UNTOLD ? (int)first_unit(code) : 0;
    if (unit < 1)
        return false;
    int line = PyCode_Addr2Line(code, unit * UNIT_BYTES);
    return line > 0 && line == PyCode_Addr2Line(code, (unit - 1) * UNIT_BYTES);
}

typedef struct line_list {
    uint32_t *lines;
    uint32_t count, room;
} line_list;

static int append(line_list *list, uint32_t line)
{
    if (list->count > 0 && list->lines[list->count - 1] == line)
        return 0;
    uint32_t *moved =
        ft_array_grow(&ft_mem_system, list->lines, list->count + 1, &list->room, sizeof *moved);
    if (moved == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    list->lines = moved;
    list->lines[list->count++] = line;
    return 0;
}

/* One code unit's position. The lines of what comes before a call begins are no events. */
static int read_position(ft_code_lines *lines, line_list *list, PyObject *position, bool begun,
                         uint32_t *entry)
{
    uint32_t line = number_in(position, 0), end = number_in(position, 1);
    lines->last_line = line > lines->last_line ? line : lines->last_line;
    lines->last_line = end > lines->last_line ? end : lines->last_line;
    if (line == 0 || !begun)
        return 0;
    if (*entry == 0)
        *entry = line;
    return append(list, line);
}

static int read_positions(ft_code_lines *lines, PyCodeObject *code, line_list *list,
                          uint32_t *entry)
{
    Py_ssize_t first = first_unit(code);
    PyObject *positions = PyObject_CallMethod((PyObject *)code, "co_positions", NULL);
    PyObject *iterator = positions == NULL ? NULL : PyObject_GetIter(positions);
    PyObject *position = NULL;
    int result = iterator == NULL ? -1 : 0;
    for (Py_ssize_t unit = 0; result == 0 && (position = PyIter_Next(iterator)) != NULL; unit++) {
        if (PyTuple_Check(position) && PyTuple_GET_SIZE(position) >= 2)
            result = read_position(lines, list, position, unit >= first, entry);
        Py_DECREF(position);
    }
    Py_XDECREF(iterator);
    Py_XDECREF(positions);
    return result < 0 || PyErr_Occurred() != NULL ? -1 : 0;
}

static int add_member(ft_code_lines *lines, PyCodeObject *code, uint32_t outer)
{
    line_list list = {0};
    uint32_t entry = 0;
    ft_line_member *members = ft_array_grow(&ft_mem_system, lines->members, lines->count + 1,
                                            &lines->room, sizeof *members);
    if (members == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    lines->members = members;
    int result = read_positions(lines, code, &list, &entry);
    members[lines->count++] = (ft_line_member){
        .key = code, .lines = list.lines, .line_count = list.count, .entry = entry, .outer = outer};
    return result;
}

static int add_with_inner(ft_code_lines *lines, PyCodeObject *code, uint32_t outer, bool alone,
                          int depth)
{
    uint32_t own = lines->count;
    if (add_member(lines, code, depth == 0 ? own : outer) < 0)
        return -1;
    for (Py_ssize_t i = 0; !alone && depth < DEPTH_MAX && i < PyTuple_GET_SIZE(code->co_consts);
         i++) {
        PyObject *inner = PyTuple_GET_ITEM(code->co_consts, i);
        if (PyCode_Check(inner) && ft_code_is_anonymous((PyCodeObject *)inner) &&
            add_with_inner(lines, (PyCodeObject *)inner, own, alone, depth + 1) < 0)
            return -1;
    }
    return 0;
}

int ft_code_lines_init(ft_code_lines *lines, PyCodeObject *code, bool alone)
{
    *lines = (ft_code_lines){0};
    return add_with_inner(lines, code, 0, alone, 0);
}
