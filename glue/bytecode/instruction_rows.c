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

/* As struct sequences have it, but for the number of fields, which that looks up by name for each
 * row: all fields of these are in the sequence. Some may be missing where there was no memory for
 * a copy with other values (copy.replace() from 3.13 on). */
static void row_dealloc(PyObject *row)
{
    PyTypeObject *type = Py_TYPE(row);
    PyObject_GC_UnTrack(row);
    for (Py_ssize_t i = 0; i < Py_SIZE(row); i++)
        Py_XDECREF(PyTuple_GET_ITEM(row, i));
    PyObject_GC_Del(row);
    Py_DECREF(type);
}

int ft_instruction_types_add(PyObject *module, ft_module_state *state)
{
    state->position_type = ft_row_type_add(module, &position_shape);
    state->instruction_type = ft_row_type_add(module, &instruction_shape);
    if (state->position_type == NULL || state->instruction_type == NULL)
        return -1;
    state->position_type->tp_dealloc = state->instruction_type->tp_dealloc = row_dealloc;
    return 0;
}

/* ---- places ---- */

enum { NO_LINE_YET = -2 };

void ft_row_cursor_init(ft_row_cursor *cursor, const ft_code_view *view)
{
    cursor->next = 0;
    ft_positions_init(&cursor->positions, (const uint8_t *)PyBytes_AS_STRING(view->line_table),
                      (size_t)PyBytes_GET_SIZE(view->line_table), view->first_line);
    cursor->ahead = ft_positions_next(&cursor->positions);
    cursor->line = cursor->last_line = cursor->range_line = NO_LINE_YET;
    cursor->position = ft_position_unknown;
}

/* Does a range of units with that line, unlike the one before, start a line? From 3.13 on it does
 * without one, too. */
static bool starts_line(ft_row_cursor *cursor, int32_t line)
{
    if (line == cursor->range_line)
        return false;
    cursor->range_line = line;
    if (!FT_DIS_HAS_LABELS && (line == FT_POSITION_NONE || line == cursor->last_line))
        return false;
    cursor->last_line = line;
    return true;
}

/* Passes the stretches that begin at the unit or before it. Does a line start there? None does in
 * caches, which do not count. */
static bool pass_stretches(ft_row_cursor *cursor, uint32_t unit, bool counts)
{
    bool starts = false;
    while (cursor->ahead && cursor->positions.start <= unit) {
        int32_t line = cursor->positions.position.line;
        bool here = cursor->positions.start == unit && line != cursor->range_line && counts;
        starts = starts_line(cursor, line) && here;
        if (here)
            cursor->line = line;
        cursor->position = cursor->positions.position;
        cursor->end = cursor->positions.end;
        cursor->ahead = ft_positions_next(&cursor->positions);
    }
    if (unit >= cursor->end)
        cursor->position = ft_position_unknown;
    return starts;
}

bool ft_row_cursor_move(ft_row_cursor *cursor, const ft_code_view *view, uint32_t index)
{
    bool starts = false;
    if (index < cursor->next)
        ft_row_cursor_init(cursor, view);
    while (cursor->next <= index) {
        const ft_operation *operation = &view->decoding.operations[cursor->next++];
        starts = pass_stretches(cursor, operation->unit, operation->cache == 0);
    }
    return starts;
}

/* ---- objects ---- */

/* Takes the values, of which any may be NULL after a failure. */
static inline PyObject *new_row(PyTypeObject *type, PyObject *const *values, int count)
{
    PyObject *row = ft_compat_new_row(type, count);
    bool failed = row == NULL;
    for (int i = 0; i < count; i++)
        failed |= values[i] == NULL;
    if (__builtin_expect(!failed, 1)) {
        for (int i = 0; i < count; i++)
            PyTuple_SET_ITEM(row, i, values[i]); /* as in every struct sequence */
        return row;
    }
    if (row != NULL) { /* nothing is in it */
        PyObject_GC_Del(row);
        Py_DECREF(type);
    }
    for (int i = 0; i < count; i++)
        Py_XDECREF(values[i]);
    return NULL;
}

static PyObject *number_or_none(const ft_code_view *view, int64_t number, int64_t none)
{
    return number == none ? Py_NewRef(Py_None) : ft_dialect_number(view->dialect, number);
}

static bool is_same(const ft_position *a, const ft_position *b)
{
    return a->column == b->column && a->end_column == b->end_column && a->line == b->line &&
           a->end_line == b->end_line;
}

/* Instructions of one expression come from few places, and share them. */
static PyObject *positions_of(const ft_code_view *view, ft_row_cursor *cursor,
                              const ft_position *of)
{
    uint32_t mixed = (uint32_t)of->column * 5 + (uint32_t)of->end_column + (uint32_t)of->line * 3;
    ft_shared_position *shared = &cursor->shared[mixed % FT_SHARED_POSITIONS];
    if (shared->object != NULL && is_same(of, &shared->of))
        return Py_NewRef(shared->object);
    PyObject *line = number_or_none(view, of->line, FT_POSITION_NONE);
    PyObject *values[] = {
        line,
        of->end_line == of->line ? Py_XNewRef(line)
                                 : number_or_none(view, of->end_line, FT_POSITION_NONE),
        number_or_none(view, of->column, FT_POSITION_NONE),
        number_or_none(view, of->end_column, FT_POSITION_NONE),
    };
    PyObject *made = new_row(view->dialect->position_type, values, 4);
    if (made != NULL) {
        shared->of = *of;
        Py_XSETREF(shared->object, Py_NewRef(made));
    }
    return made;
}

void ft_row_cursor_fini(ft_row_cursor *cursor)
{
    for (int i = 0; i < FT_SHARED_POSITIONS; i++)
        Py_CLEAR(cursor->shared[i].object);
}

static bool is_zero(const uint8_t *data, size_t bytes)
{
    static const uint8_t zeros[UINT8_MAX * FT_UNIT_BYTES];
    return memcmp(data, zeros, bytes) == 0;
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
    bool none = line == FT_POSITION_NONE || line == NO_LINE_YET;
    return none ? Py_NewRef(Py_None) : ft_dialect_number(view->dialect, line + view->line_shift);
}

static PyObject *target_of(const ft_code_view *view, const ft_operation *operation)
{
    int64_t target;
    if (!ft_operation_target(operation, &view->dialect->table, &target))
        return Py_NewRef(Py_None);
    return ft_dialect_number(view->dialect, target * FT_UNIT_BYTES);
}

static PyObject *offset_of(const ft_code_view *view, uint32_t unit)
{
    return ft_dialect_number(view->dialect, (int64_t)unit * FT_UNIT_BYTES);
}

static PyObject *truth(bool value)
{
    return Py_NewRef(value ? Py_True : Py_False);
}

/* A unit of caches, which is no instruction. */
static PyObject *cache_row(ft_code_view *view, ft_row_cursor *cursor, const ft_operation *operation,
                           const ft_position *position)
{
    const ft_python_dialect *dialect = view->dialect;
    PyObject *offset = offset_of(view, operation->unit);
    PyObject *values[] = {
        Py_NewRef(dialect->cache_name),
        Py_NewRef(dialect->numbers[dialect->cache_opcode]),
        Py_NewRef(dialect->numbers[0]),
        Py_NewRef(Py_None),
        ft_argument_of_cache(view, operation),
        offset,
        Py_XNewRef(offset),
        Py_NewRef(Py_None),
        truth(false),
        truth(false),
        Py_NewRef(Py_None),
        Py_NewRef(Py_None),
        positions_of(view, cursor, position),
        Py_NewRef(Py_None),
        Py_NewRef(dialect->cache_name),
        Py_NewRef(dialect->numbers[dialect->cache_opcode]),
    };
    return new_row(dialect->row_type, values, sizeof values / sizeof *values);
}

/* What stands in the cursor is taken before any object is made, for that may run anything. */
PyObject *ft_instruction_row(ft_code_view *view, ft_row_cursor *cursor, uint32_t index)
{
    const ft_python_dialect *dialect = view->dialect;
    const ft_operation *operation = &view->decoding.operations[index];
    bool starts = ft_row_cursor_move(cursor, view, index);
    ft_position position = cursor->position;
    int32_t line = cursor->line;
    if (operation->cache != 0)
        return cache_row(view, cursor, operation, &position);
    ft_argument_told told;
    if (ft_argument_tell(view, operation, &told) < 0)
        return NULL;
    ft_argument kind = (ft_argument)dialect->table.opcodes[operation->base].argument;
    uint8_t base = dialect->table.opcodes[operation->opcode].base;
    uint32_t label = ft_labels_at(&view->labels, operation->unit);
    PyObject *offset = offset_of(view, operation->unit);
    PyObject *values[] = {
        Py_NewRef(dialect->names[operation->opcode]),
        Py_NewRef(dialect->numbers[operation->opcode]),
        kind != FT_ARGUMENT_NONE ? ft_dialect_number(dialect, operation->arg) : Py_NewRef(Py_None),
        told.value,
        told.text,
        offset,
        operation->start == operation->unit ? Py_XNewRef(offset)
                                            : offset_of(view, operation->start),
        line_of(view, line),
        truth(starts),
        truth(label != 0),
        kind < FT_ARGUMENT_FORWARD ? Py_NewRef(Py_None) : target_of(view, operation),
        number_or_none(view, label, 0),
        positions_of(view, cursor, &position),
        caches_of(view, operation),
        Py_NewRef(dialect->names[base]),
        Py_NewRef(dialect->numbers[base]),
    };
    return new_row(dialect->row_type, values, sizeof values / sizeof *values);
}
