/* SPDX-License-Identifier: Apache-2.0 */
/* instruction_rows.c: rows of instructions as Python objects (see code_view.h). */
#include "glue/bytecode/arguments.h"
#include "glue/rows.h"

static const ft_row_shape position_shape = {
    "fettle._core.Positions",
    "Where in the source text an instruction comes from; each is None where it is not known.",
    {{"lineno", "the line it begins in"},
     {"end_lineno", "the line it ends in"},
     {"col_offset", "the byte of the first line that it begins at"},
     {"end_col_offset", "the byte of the last line that it ends before"}},
};

static const ft_row_shape instruction_shape = {
    "fettle._core.Instruction",
    "One instruction of a code object. Offsets are bytes.",
    {{"opname", "its name, as the interpreter has it"},
     {"opcode", "the number of that"},
     {"arg", "its argument, or None"},
     {"argval", "what the argument stands for"},
     {"argrepr", "that as a text"},
     {"offset", "where it is"},
     {"start_offset", "where its first EXTENDED_ARG is, else the offset"},
     {"line", "of the source text, or None"},
     {"starts_line", "is it the first of a line?"},
     {"is_jump_target", "does other code lead here?"},
     {"jump_target", "the offset it may jump to, or None"},
     {"label", "the number of the place, from 1, if other code names it, or None"},
     {"positions", "where in the source text it comes from"},
     {"cache", "(name, units, bytes) of each inline cache, or None"},
     {"baseopname", "the name of what it is a specialised form of; else its own"},
     {"baseopcode", "the number of that"}},
};

int ft_instruction_types_add(PyObject *module, ft_module_state *state)
{
    state->position_type = ft_row_type_add(module, &position_shape);
    state->instruction_type = ft_row_type_add(module, &instruction_shape);
    return state->position_type == NULL || state->instruction_type == NULL ? -1 : 0;
}

/* ---- places ---- */

enum { NO_LINE_YET = -2 };

void ft_row_cursor_init(ft_row_cursor *cursor, const ft_code_view *view)
{
    const uint8_t *table = (const uint8_t *)PyBytes_AS_STRING(view->line_table);
    size_t bytes = (size_t)PyBytes_GET_SIZE(view->line_table);
    cursor->next = 0;
    ft_positions_init(&cursor->positions, table, bytes, view->first_line);
    ft_lines_init(&cursor->lines, table, bytes, view->first_line);
    cursor->has_lines = ft_lines_next(&cursor->lines);
    cursor->line = FT_POSITION_NONE;
    cursor->last_line = NO_LINE_YET;
}

/* Does a range of units start a line? Without one it does from 3.13 on. */
static bool starts_line(ft_row_cursor *cursor, int32_t line)
{
    if (FT_DIS_HAS_LABELS)
        return true;
    if (line == FT_POSITION_NONE || line == cursor->last_line)
        return false;
    cursor->last_line = line;
    return true;
}

/* Passes the ranges that begin at the unit or before it. */
static bool pass_lines(ft_row_cursor *cursor, uint32_t unit)
{
    bool starts = false;
    while (cursor->has_lines && cursor->lines.start <= unit) {
        starts = starts_line(cursor, cursor->lines.line) && cursor->lines.start == unit;
        if (cursor->lines.start == unit)
            cursor->line = cursor->lines.line;
        cursor->has_lines = ft_lines_next(&cursor->lines);
    }
    return starts;
}

ft_row_place ft_row_cursor_move(ft_row_cursor *cursor, const ft_code_view *view, uint32_t index)
{
    ft_row_place place = {.line = FT_POSITION_NONE};
    if (index < cursor->next)
        ft_row_cursor_init(cursor, view);
    while (cursor->next <= index) {
        const ft_operation *operation = &view->decoding.operations[cursor->next++];
        if (operation->cache == 0)
            place.starts_line = pass_lines(cursor, operation->unit);
        if (cursor->next > index)
            place.position = ft_positions_of(&cursor->positions, operation->unit);
    }
    place.line = cursor->line;
    return place;
}

/* ---- objects ---- */

static PyObject *number_or_none(int64_t number, int64_t none)
{
    return number == none ? Py_NewRef(Py_None) : PyLong_FromLongLong(number);
}

static PyObject *new_positions(const ft_code_view *view, const ft_position *of)
{
    ft_row row = ft_row_start(view->dialect->position_type);
    const int32_t values[] = {of->line, of->end_line, of->column, of->end_column};
    for (size_t i = 0; i < sizeof values / sizeof *values; i++)
        ft_row_put(&row, row.object == NULL ? NULL : number_or_none(values[i], FT_POSITION_NONE));
    return row.object;
}

/* Neighbours share theirs. */
static PyObject *positions_of(const ft_code_view *view, ft_row_cursor *cursor,
                              const ft_position *of)
{
    if (cursor->shared != NULL && memcmp(of, &cursor->place, sizeof *of) == 0)
        return Py_NewRef(cursor->shared);
    PyObject *made = new_positions(view, of);
    if (made != NULL) {
        cursor->place = *of;
        Py_XSETREF(cursor->shared, Py_NewRef(made));
    }
    return made;
}

static bool is_zero(const uint8_t *data, size_t bytes)
{
    while (bytes > 0 && data[bytes - 1] == 0)
        bytes--;
    return bytes == 0;
}

/* One field of the caches: up to as many of its units as are there. */
static PyObject *cache_field(PyObject *field, const uint8_t *data, Py_ssize_t *units)
{
    Py_ssize_t size = (Py_ssize_t)PyLong_AsLong(PyTuple_GET_ITEM(field, 1));
    Py_ssize_t taken = size < *units ? size : *units;
    PyObject *bytes = PyBytes_FromStringAndSize((const char *)data, taken * FT_UNIT_BYTES);
    PyObject *made = bytes == NULL ? NULL
                                   : PyTuple_Pack(3, PyTuple_GET_ITEM(field, 0),
                                                  PyTuple_GET_ITEM(field, 1), bytes);
    Py_XDECREF(bytes);
    *units -= taken;
    return made;
}

static PyObject *caches_of(const ft_code_view *view, const ft_operation *operation)
{
    const ft_python_dialect *dialect = view->dialect;
    PyObject *fields = dialect->fields[operation->base];
    if (fields == NULL || operation->cache != 0)
        return Py_NewRef(Py_None);
    const uint8_t *data = (const uint8_t *)PyBytes_AS_STRING(view->shown) +
                          ((size_t)operation->unit + 1) * FT_UNIT_BYTES;
    Py_ssize_t units = operation->caches, count = PyTuple_GET_SIZE(fields);
    if (operation->caches == dialect->table.opcodes[operation->base].caches &&
        is_zero(data, (size_t)units * FT_UNIT_BYTES))
        return Py_NewRef(dialect->zeros[operation->base]);
    PyObject *caches = PyTuple_New(count);
    for (Py_ssize_t i = 0; caches != NULL && i < count; i++) {
        Py_ssize_t before = units;
        PyObject *made = cache_field(PyTuple_GET_ITEM(fields, i), data, &units);
        data += (before - units) * FT_UNIT_BYTES;
        if (made == NULL)
            Py_CLEAR(caches);
        else
            PyTuple_SET_ITEM(caches, i, made);
    }
    return caches;
}

static PyObject *line_of(const ft_code_view *view, int32_t line)
{
    return line == FT_POSITION_NONE ? Py_NewRef(Py_None)
                                    : PyLong_FromLongLong(line + view->line_shift);
}

static PyObject *target_of(const ft_code_view *view, const ft_operation *operation)
{
    int64_t target;
    if (!ft_operation_target(operation, &view->dialect->table, &target))
        return Py_NewRef(Py_None);
    return PyLong_FromLongLong(target * FT_UNIT_BYTES);
}

/* ft_row_put for who has made the value already. */
static void put(ft_row *row, PyObject *value)
{
    if (row->object != NULL)
        ft_row_put(row, value);
    else
        Py_XDECREF(value);
}

static void put_offsets(ft_row *row, const ft_operation *operation)
{
    PyObject *offset = PyLong_FromLongLong((int64_t)operation->unit * FT_UNIT_BYTES);
    PyObject *start = operation->start == operation->unit
                          ? Py_XNewRef(offset)
                          : PyLong_FromLongLong((int64_t)operation->start * FT_UNIT_BYTES);
    put(row, offset);
    put(row, start);
}

/* A unit of caches, which is no instruction. */
static PyObject *cache_row(ft_code_view *view, ft_row_cursor *cursor, const ft_operation *operation,
                           const ft_position *position)
{
    const ft_python_dialect *dialect = view->dialect;
    ft_row row = ft_row_start(dialect->row_type);
    put(&row, Py_NewRef(dialect->cache_name));
    put(&row, PyLong_FromLong(dialect->cache_opcode));
    put(&row, PyLong_FromLong(0));
    put(&row, Py_NewRef(Py_None));
    put(&row, ft_argument_of_cache(view, operation));
    put_offsets(&row, operation);
    put(&row, Py_NewRef(Py_None));
    put(&row, Py_NewRef(Py_False));
    put(&row, Py_NewRef(Py_False));
    put(&row, Py_NewRef(Py_None));
    put(&row, Py_NewRef(Py_None));
    put(&row, positions_of(view, cursor, position));
    put(&row, Py_NewRef(Py_None));
    put(&row, Py_NewRef(dialect->cache_name));
    put(&row, PyLong_FromLong(dialect->cache_opcode));
    return row.object;
}

PyObject *ft_instruction_row(ft_code_view *view, ft_row_cursor *cursor, uint32_t index)
{
    const ft_python_dialect *dialect = view->dialect;
    const ft_operation *operation = &view->decoding.operations[index];
    ft_row_place place = ft_row_cursor_move(cursor, view, index);
    if (operation->cache != 0)
        return cache_row(view, cursor, operation, &place.position);
    ft_argument_told told;
    if (ft_argument_tell(view, operation, &told) < 0)
        return NULL;
    bool has_arg = dialect->table.opcodes[operation->base].argument != FT_ARGUMENT_NONE;
    uint8_t base = dialect->table.opcodes[operation->opcode].base;
    uint32_t label = ft_labels_at(&view->labels, operation->unit);
    ft_row row = ft_row_start(dialect->row_type);
    put(&row, Py_NewRef(dialect->names[operation->opcode]));
    put(&row, PyLong_FromLong(operation->opcode));
    put(&row, has_arg ? PyLong_FromLong(operation->arg) : Py_NewRef(Py_None));
    put(&row, told.value);
    put(&row, told.text);
    put_offsets(&row, operation);
    put(&row, line_of(view, place.line));
    put(&row, PyBool_FromLong(place.starts_line));
    put(&row, PyBool_FromLong(label != 0));
    put(&row, target_of(view, operation));
    put(&row, number_or_none(label, 0));
    put(&row, positions_of(view, cursor, &place.position));
    put(&row, caches_of(view, operation));
    put(&row, Py_NewRef(dialect->names[base]));
    put(&row, PyLong_FromLong(base));
    return row.object;
}
