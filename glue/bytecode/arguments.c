/* SPDX-License-Identifier: Apache-2.0 */
/* arguments.c: an instruction's argument as a value and as a text (see arguments.h). */
#include "glue/bytecode/arguments.h"

/* Both are taken, and may be NULL: an exception is set then. */
static int tell(ft_argument_told *told, PyObject *value, PyObject *text)
{
    if (value != NULL && text != NULL) {
        *told = (ft_argument_told){value, text};
        return 0;
    }
    Py_XDECREF(value);
    Py_XDECREF(text);
    return -1;
}

static int tell_nothing(const ft_code_view *view, ft_argument_told *told)
{
    return tell(told, Py_NewRef(view->unknown), Py_NewRef(view->dialect->empty));
}

/* Borrowed; NULL: there is none, no exception. */
static PyObject *item_at(PyObject *tuple, int32_t index)
{
    bool found = tuple != NULL && index >= 0 && index < PyTuple_GET_SIZE(tuple);
    return found ? PyTuple_GET_ITEM(tuple, index) : NULL;
}

/* ---- constants ---- */

/* May the text stand between quotes as it is? */
static bool is_plain(const uint8_t *text, Py_ssize_t length)
{
    for (Py_ssize_t i = 0; i < length; i++) {
        if (text[i] < ' ' || text[i] > '~' || text[i] == '\'' || text[i] == '\\')
            return false;
    }
    return true;
}

/* repr(), quicker for most texts. */
static PyObject *repr_of_value(PyObject *value)
{
    if (!PyUnicode_CheckExact(value) || !PyUnicode_IS_COMPACT_ASCII(value))
        return PyObject_Repr(value);
    Py_ssize_t length = PyUnicode_GET_LENGTH(value);
    if (!is_plain(PyUnicode_1BYTE_DATA(value), length))
        return PyObject_Repr(value);
    PyObject *shown = PyUnicode_New(length + 2, '~');
    if (shown != NULL) {
        uint8_t *to = PyUnicode_1BYTE_DATA(shown);
        to[0] = to[length + 1] = '\'';
        memcpy(to + 1, PyUnicode_1BYTE_DATA(value), (size_t)length);
    }
    return shown;
}

/* What repr() says of a constant: new reference. It may be the user's code, which may ask for the
 * same text meanwhile. */
static PyObject *repr_of(ft_code_view *view, int32_t index)
{
    if (view->reprs == NULL) {
        view->reprs = PyMem_Calloc((size_t)PyTuple_GET_SIZE(view->consts), sizeof(PyObject *));
        if (view->reprs == NULL)
            return PyErr_NoMemory();
    }
    if (view->reprs[index] == NULL) {
        PyObject *text = repr_of_value(PyTuple_GET_ITEM(view->consts, index));
        if (text == NULL)
            return NULL;
        Py_XSETREF(view->reprs[index], text);
    }
    return Py_NewRef(view->reprs[index]);
}

static int tell_constant(ft_code_view *view, const ft_operation *operation, uint8_t base,
                         ft_argument_told *told)
{
    PyObject *value = item_at(view->consts, operation->arg);
    if (value == NULL || view->dialect->unresolved[base])
        return tell_nothing(view, told);
    PyObject *text = repr_of(view, operation->arg);
    return tell(told, Py_NewRef(value), text);
}

/* ---- names ---- */

static PyObject *with_mark(PyObject *name, PyObject *mark)
{
    if (mark == NULL || PyUnicode_GET_LENGTH(name) == 0)
        return Py_NewRef(name);
    return FT_DIS_HAS_LABELS ? PyUnicode_Concat(name, mark) : PyUnicode_Concat(mark, name);
}

static int tell_name(const ft_code_view *view, const ft_operation *operation, uint8_t base,
                     ft_argument_told *told)
{
    const ft_opcode_traits *traits = &view->dialect->table.opcodes[base];
    const ft_mark *marks = &view->dialect->marks[base];
    int32_t arg = operation->arg;
    PyObject *name = arg < 0 ? NULL : item_at(view->names, arg >> traits->shift);
    PyObject *mark = NULL;
    if (name == NULL)
        return tell_nothing(view, told);
    if ((arg & 1) != 0)
        mark = marks->lowest;
    else if ((arg & 2) != 0)
        mark = marks->second;
    return tell(told, Py_NewRef(name), with_mark(name, mark));
}

static int tell_local(const ft_code_view *view, int32_t index, ft_argument_told *told)
{
    PyObject *name = item_at(view->locals, index);
    return name == NULL ? tell_nothing(view, told) : tell(told, Py_NewRef(name), Py_NewRef(name));
}

/* Two in one argument. */
static int tell_locals(const ft_code_view *view, int32_t arg, ft_argument_told *told)
{
    enum { INDEX_BITS = 4, INDEX_MASK = 15 };
    PyObject *first = arg < 0 ? NULL : item_at(view->locals, arg >> INDEX_BITS);
    PyObject *second = item_at(view->locals, arg & INDEX_MASK);
    PyObject *empty = view->dialect->empty, *unknown = view->unknown;
    PyObject *values =
        PyTuple_Pack(2, first == NULL ? unknown : first, second == NULL ? unknown : second);
    return tell(told, values,
                values == NULL ? NULL
                               : PyUnicode_FromFormat("%U, %U", first == NULL ? empty : first,
                                                      second == NULL ? empty : second));
}

/* ---- what is chosen from a list ---- */

static int tell_comparison(const ft_code_view *view, int32_t arg, uint8_t shift,
                           ft_argument_told *told)
{
    const ft_python_dialect *dialect = view->dialect;
    PyObject *value = arg < 0 ? NULL : item_at(dialect->compared, arg >> shift);
    if (value == NULL)
        return tell_nothing(view, told);
    PyObject *text =
        (arg & FT_DIS_COMPARE_BOOL) != 0 ? item_at(dialect->compared_as_bool, arg >> shift) : value;
    return tell(told, Py_NewRef(value), Py_NewRef(text));
}

static int tell_choice(const ft_code_view *view, int32_t arg, const ft_choice *choice,
                       ft_argument_told *told)
{
    int32_t index = choice->truth ? arg != 0 : arg & choice->mask;
    PyObject *text = arg < 0 && !choice->truth ? NULL : item_at(choice->texts, index);
    PyObject *value = item_at(choice->values, index);
    if (text == NULL || (choice->values != NULL && value == NULL))
        return tell(told, ft_dialect_number(view->dialect, arg), Py_NewRef(view->dialect->empty));
    return tell(told, value == NULL ? ft_dialect_number(view->dialect, arg) : Py_NewRef(value),
                Py_NewRef(text));
}

/* ---- jumps ---- */

/* "to L3", "to 24". */
static PyObject *jump_text(const char *before, int64_t number)
{
    enum { ROOM = 40, BASE = 10 };
    char text[ROOM], *at = text + ROOM;
    size_t length = strlen(before);
    uint64_t left = number < 0 ? 0 - (uint64_t)number : (uint64_t)number;
    do {
        *--at = (char)('0' + left % BASE);
        left /= BASE;
    } while (left > 0);
    if (number < 0)
        *--at = '-';
    at -= length;
    memcpy(at, before, length);
    PyObject *made = PyUnicode_New(text + ROOM - at, 127);
    if (made != NULL)
        memcpy(PyUnicode_1BYTE_DATA(made), at, (size_t)(text + ROOM - at));
    return made;
}

static int tell_jump(const ft_code_view *view, const ft_operation *operation,
                     ft_argument_told *told)
{
    const ft_python_dialect *dialect = view->dialect;
    int64_t target;
    if (!ft_operation_target(operation, &dialect->table, &target)) /* shown and plain differ */
        return tell(told, ft_dialect_number(dialect, operation->arg), Py_NewRef(dialect->empty));
    uint32_t label = FT_DIS_HAS_LABELS ? ft_labels_at(&view->labels, target) : 0;
    bool from = operation->base == dialect->from_opcode && dialect->from_opcode != 0;
    int64_t offset = target * FT_UNIT_BYTES;
    PyObject *text =
        label == 0 ? jump_text("to ", offset) : jump_text(from ? "from L" : "to L", label);
    return tell(told, ft_dialect_number(dialect, offset), text);
}

int ft_argument_tell(ft_code_view *view, const ft_operation *operation, ft_argument_told *told)
{
    const ft_python_dialect *dialect = view->dialect;
    uint8_t base = dialect->table.opcodes[operation->opcode].base;
    const ft_opcode_traits *traits = &dialect->table.opcodes[base];
    int32_t arg = operation->arg;
    if (dialect->table.opcodes[operation->base].argument == FT_ARGUMENT_NONE)
        return tell(told, Py_NewRef(Py_None), Py_NewRef(dialect->empty));
    switch ((ft_argument)traits->argument) {
    case FT_ARGUMENT_CONSTANT:
        return tell_constant(view, operation, base, told);
    case FT_ARGUMENT_NAME:
        return tell_name(view, operation, base, told);
    case FT_ARGUMENT_LOCAL:
        return tell_local(view, arg, told);
    case FT_ARGUMENT_LOCALS:
        return tell_locals(view, arg, told);
    case FT_ARGUMENT_COMPARE:
        return tell_comparison(view, arg, traits->shift, told);
    case FT_ARGUMENT_CHOICE:
        return tell_choice(view, arg, &dialect->choices[base], told);
    case FT_ARGUMENT_FORWARD:
    case FT_ARGUMENT_BACKWARD:
    case FT_ARGUMENT_ABSOLUTE:
        return tell_jump(view, operation, told);
    case FT_ARGUMENT_NONE:
    case FT_ARGUMENT_NUMBER:
        break;
    }
    return tell(told, ft_dialect_number(dialect, arg), Py_NewRef(dialect->empty));
}

/* ---- caches ---- */

/* The number in a stretch of bytes, in the machine's own order. */
static PyObject *number_in(const uint8_t *data, Py_ssize_t bytes)
{
    PyObject *number = NULL, *object = PyBytes_FromStringAndSize((const char *)data, bytes);
    if (object != NULL)
        number = PyObject_CallMethod((PyObject *)&PyLong_Type, "from_bytes", "Os", object,
                                     PY_LITTLE_ENDIAN ? "little" : "big");
    Py_XDECREF(object);
    return number;
}

PyObject *ft_argument_of_cache(const ft_code_view *view, const ft_operation *operation)
{
    PyObject *fields = view->dialect->fields[operation->base];
    const uint8_t *shown = (const uint8_t *)PyBytes_AS_STRING(view->shown);
    uint32_t owner = operation->unit - operation->cache, unit = 1;
    bool specialised = shown[(size_t)owner * FT_UNIT_BYTES] != operation->base;
    for (Py_ssize_t i = 0; fields != NULL && i < PyTuple_GET_SIZE(fields); i++) {
        PyObject *name = PyTuple_GET_ITEM(PyTuple_GET_ITEM(fields, i), 0);
        uint32_t size = (uint32_t)PyLong_AsLong(PyTuple_GET_ITEM(PyTuple_GET_ITEM(fields, i), 1));
        if (unit == operation->cache && (specialised || !FT_DIS_SHOWS_SPECIALISED_CACHES)) {
            uint32_t left = view->decoding.units - operation->unit;
            PyObject *number = number_in(shown + (size_t)operation->unit * FT_UNIT_BYTES,
                                         (Py_ssize_t)(size < left ? size : left) * FT_UNIT_BYTES);
            PyObject *text = number == NULL ? NULL : PyUnicode_FromFormat("%S: %S", name, number);
            Py_XDECREF(number);
            return text;
        }
        unit += size;
    }
    return Py_NewRef(view->dialect->empty);
}
