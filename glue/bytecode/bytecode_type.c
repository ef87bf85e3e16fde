/* SPDX-License-Identifier: Apache-2.0 */
/* bytecode_type.c: fettle._core.Bytecode (see bytecode_type.h). */
#include "glue/compat.h"

#include <structmember.h>

#include "engine/bytecode/handlers.h"
#include "glue/bytecode/bytecode_type.h"
#include "glue/bytecode/code_view.h"

/* ---- making one ---- */

typedef struct view_options {
    int caches, handlers;
    PyObject *unknown; /* borrowed */
} view_options;

/* Of the type, with everything empty; the collector does not see it yet, nor does who asks it for
 * all objects: code of the user's may run until it is finished. */
static ft_code_view *new_view(PyTypeObject *type, const view_options *options)
{
    ft_module_state *state = ft_module_state_of(type);
    PyObject *capsule = state == NULL ? NULL : ft_python_dialect_get(state);
    ft_code_view *view = capsule == NULL ? NULL : (ft_code_view *)type->tp_alloc(type, 0);
    if (view == NULL) {
        Py_XDECREF(capsule);
        return NULL;
    }
    PyObject_GC_UnTrack(view);
    view->capsule = capsule;
    view->dialect = ft_python_dialect_in(capsule);
    view->decoding.mem = view->labels.mem = &ft_mem_system;
    view->code = Py_NewRef(Py_None);
    view->unknown = Py_NewRef(options->unknown);
    return view;
}

static ft_status mark_handlers(ft_code_view *view)
{
    ft_status status = FT_OK;
    ft_catches catches;
    ft_catch entry;
    ft_catches_init(&catches, (const uint8_t *)PyBytes_AS_STRING(view->handler_table),
                    (size_t)PyBytes_GET_SIZE(view->handler_table));
    while (status == FT_OK && ft_catches_next(&catches, &entry)) {
        if (FT_DIS_HAS_LABELS) {
            status = ft_labels_mark(&view->labels, (int64_t)entry.start);
            if (status == FT_OK)
                status = ft_labels_mark(&view->labels, (int64_t)entry.end);
        } else if (entry.start == entry.end) {
            continue;
        }
        if (status == FT_OK)
            status = ft_labels_mark(&view->labels, (int64_t)entry.target);
    }
    return status;
}

static ft_status decode(ft_code_view *view, const view_options *options)
{
    const ft_dialect *dialect = &view->dialect->table;
    const uint8_t *plain = (const uint8_t *)PyBytes_AS_STRING(view->plain);
    ft_status status = ft_decoding_init(&view->decoding, &ft_mem_system, dialect, plain,
                                        (const uint8_t *)PyBytes_AS_STRING(view->shown),
                                        (size_t)PyBytes_GET_SIZE(view->plain), options->caches);
    if (status == FT_OK)
        status = ft_labels_init(&view->labels, &ft_mem_system, view->decoding.units);
    if (status == FT_OK)
        status = ft_labels_mark_jumps(&view->labels, &view->decoding, dialect,
                                      FT_DIS_LABELS_PLAIN_JUMPS);
    if (status == FT_OK && options->handlers)
        status = mark_handlers(view);
    if (status == FT_OK)
        ft_labels_number(&view->labels);
    return status;
}

/* Takes view, whose bytes are there. */
static PyObject *finish(ft_code_view *view, const view_options *options)
{
    ft_status status = decode(view, options);
    if (status == FT_OK) {
        ft_row_cursor_init(&view->cursor, view);
        PyObject_GC_Track(view);
        return (PyObject *)view;
    }
    Py_DECREF(view);
    if (status == FT_ERR_MEMORY)
        return PyErr_NoMemory();
    PyErr_SetString(PyExc_ValueError, "the bytecode is too long to be decoded: give a part of it");
    return NULL;
}

/* ENTER_EXECUTOR stands where the interpreter runs machine code of its own: `_opcode` tells which
 * instruction was there. 0, or -1 with an exception. */
static int replace_executor(PyObject *opcodes, ft_code_view *view, Py_ssize_t at)
{
    PyObject *executor = PyObject_CallMethod(opcodes, "get_executor", "On", view->code, at);
    if (executor == NULL &&
        (PyErr_ExceptionMatches(PyExc_ValueError) || PyErr_ExceptionMatches(PyExc_RuntimeError))) {
        PyErr_Clear();
        return 0;
    }
    PyObject *opcode = executor == NULL || executor == Py_None
                           ? NULL
                           : PyObject_CallMethod(executor, "get_opcode", NULL);
    long number = opcode == NULL ? 0 : PyLong_AsLong(opcode);
    if (opcode != NULL && number >= 0 && number < FT_OPCODES)
        PyBytes_AS_STRING(view->shown)[at] = (char)(unsigned char)number;
    Py_XDECREF(opcode);
    Py_XDECREF(executor);
    return PyErr_Occurred() == NULL ? 0 : -1;
}

static int replace_executors(ft_code_view *view)
{
    const ft_python_dialect *dialect = view->dialect;
    Py_ssize_t bytes = PyBytes_GET_SIZE(view->shown);
    PyObject *opcodes = NULL;
    int result = 0;
    if (dialect->executor_opcode == dialect->cache_opcode)
        return 0;
    for (Py_ssize_t at = 0; result == 0 && at + 1 < bytes; at += FT_UNIT_BYTES) {
        if ((uint8_t)PyBytes_AS_STRING(view->shown)[at] != dialect->executor_opcode)
            continue;
        if (opcodes == NULL && (opcodes = PyImport_ImportModule("_opcode")) == NULL)
            return -1;
        result = replace_executor(opcodes, view, at);
    }
    Py_XDECREF(opcodes);
    return result;
}

static int read_code(ft_code_view *view, PyCodeObject *code, bool adaptive)
{
    Py_SETREF(view->code, Py_NewRef((PyObject *)code));
    view->plain = PyCode_GetCode(code);
    view->shown = adaptive ? ft_compat_running_code(code) : Py_XNewRef(view->plain);
    view->line_table = Py_NewRef(code->co_linetable);
    view->handler_table = Py_NewRef(code->co_exceptiontable);
    view->consts = Py_NewRef(code->co_consts);
    view->names = Py_NewRef(code->co_names);
    view->locals = Py_NewRef(ft_compat_local_names(code));
    view->first_line = code->co_firstlineno;
    if (view->plain == NULL || view->shown == NULL)
        return -1;
    if (PyBytes_GET_SIZE(view->plain) != PyBytes_GET_SIZE(view->shown)) {
        PyErr_SetString(PyExc_SystemError,
                        "a code object has changed while it was read: try again");
        return -1;
    }
    return adaptive ? replace_executors(view) : 0;
}

static PyObject *bytecode_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"", "adaptive", "first_line", "caches", "handlers", "unknown", NULL};
    PyObject *code, *first_line = Py_None;
    int adaptive = 0;
    view_options options = {.unknown = Py_None};
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O!|pOppO:Bytecode", names, &PyCode_Type, &code,
                                     &adaptive, &first_line, &options.caches, &options.handlers,
                                     &options.unknown))
        return NULL;
    long long line = first_line == Py_None ? 0 : PyLong_AsLongLong(first_line);
    if (line == -1 && PyErr_Occurred() != NULL)
        return NULL;
    if (line > INT32_MAX || line < INT32_MIN) {
        PyErr_SetString(PyExc_OverflowError, "first_line is no line of a file: give a smaller one");
        return NULL;
    }
    ft_code_view *view = new_view(type, &options);
    if (view == NULL)
        return NULL;
    if (read_code(view, (PyCodeObject *)code, adaptive) < 0) {
        Py_DECREF(view);
        return NULL;
    }
    if (first_line != Py_None)
        view->line_shift = line - view->first_line;
    return finish(view, &options);
}

/* ---- from bytes ---- */

/* None: NULL. 0, or -1 with an exception. */
static int take_tuple(PyObject *object, PyObject **to)
{
    if (object == NULL || object == Py_None)
        return 0;
    *to = PySequence_Tuple(object);
    return *to == NULL ? -1 : 0;
}

/* As take_tuple, of str. */
static int take_names(PyObject *object, PyObject **to)
{
    if (take_tuple(object, to) < 0)
        return -1;
    for (Py_ssize_t i = 0; *to != NULL && i < PyTuple_GET_SIZE(*to); i++) {
        if (PyUnicode_Check(PyTuple_GET_ITEM(*to, i)))
            continue;
        PyErr_Format(PyExc_TypeError, "a name is a str, not %.100s: look at what is given",
                     Py_TYPE(PyTuple_GET_ITEM(*to, i))->tp_name);
        return -1;
    }
    return 0;
}

/* None, or what has a buffer. */
static PyObject *take_bytes(PyObject *object)
{
    return object == NULL || object == Py_None ? PyBytes_FromStringAndSize(NULL, 0)
                                               : PyBytes_FromObject(object);
}

typedef struct given_parts {
    PyObject *plain, *running, *line_table, *handler_table, *consts, *names, *locals;
    int first_line;
    long long line_shift;
} given_parts;

static int read_parts(ft_code_view *view, const given_parts *given)
{
    if (!PyObject_CheckBuffer(given->plain)) {
        PyErr_Format(PyExc_TypeError, "from_bytes() takes the bytes of code, not %.100s",
                     Py_TYPE(given->plain)->tp_name);
        return -1;
    }
    view->plain = take_bytes(given->plain);
    view->shown = given->running == NULL || given->running == Py_None ? Py_XNewRef(view->plain)
                                                                      : take_bytes(given->running);
    view->line_table = take_bytes(given->line_table);
    view->handler_table = take_bytes(given->handler_table);
    view->first_line = given->first_line;
    view->line_shift = given->line_shift;
    if (view->plain == NULL || view->shown == NULL || view->line_table == NULL ||
        view->handler_table == NULL || take_tuple(given->consts, &view->consts) < 0 ||
        take_names(given->names, &view->names) < 0 || take_names(given->locals, &view->locals) < 0)
        return -1;
    if (PyBytes_GET_SIZE(view->plain) != PyBytes_GET_SIZE(view->shown)) {
        PyErr_SetString(PyExc_ValueError,
                        "the running bytes are not as long as the code: give those of one code");
        return -1;
    }
    return 0;
}

static PyObject *bytecode_from_bytes(PyObject *type, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"",           "running",       "line_table", "first_line",
                            "line_shift", "handler_table", "consts",     "names",
                            "locals",     "caches",        "handlers",   "unknown",
                            NULL};
    given_parts given = {.first_line = 1};
    view_options options = {.unknown = Py_None};
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O|OOiLOOOOppO:from_bytes", names, &given.plain,
                                     &given.running, &given.line_table, &given.first_line,
                                     &given.line_shift, &given.handler_table, &given.consts,
                                     &given.names, &given.locals, &options.caches,
                                     &options.handlers, &options.unknown))
        return NULL;
    if (given.line_shift > INT32_MAX || given.line_shift < INT32_MIN) {
        PyErr_SetString(PyExc_OverflowError,
                        "line_shift is no distance of lines: give a smaller one");
        return NULL;
    }
    ft_code_view *view = new_view((PyTypeObject *)type, &options);
    if (view == NULL)
        return NULL;
    if (read_parts(view, &given) < 0) {
        Py_DECREF(view);
        return NULL;
    }
    return finish(view, &options);
}

/* ---- a sequence ---- */

static Py_ssize_t bytecode_length(PyObject *object)
{
    return ((ft_code_view *)object)->decoding.count;
}

static PyObject *bytecode_item(PyObject *object, Py_ssize_t index)
{
    ft_code_view *view = (ft_code_view *)object;
    if (index >= 0 && index < (Py_ssize_t)view->decoding.count)
        return ft_instruction_row(view, &view->cursor, (uint32_t)index);
    PyErr_SetString(PyExc_IndexError, "Bytecode has no instruction of that index");
    return NULL;
}

typedef struct row_iterator {
    PyObject_HEAD
    ft_code_view *view;
    uint32_t next;
    ft_row_cursor cursor;
} row_iterator;

static PyObject *bytecode_iterate(PyObject *object)
{
    ft_module_state *state = ft_module_state_of(Py_TYPE(object));
    if (state == NULL || state->bytecode_iterator_type == NULL)
        return NULL;
    PyTypeObject *type = state->bytecode_iterator_type;
    row_iterator *iterator = (row_iterator *)type->tp_alloc(type, 0);
    if (iterator != NULL) {
        iterator->view = (ft_code_view *)Py_NewRef(object);
        ft_row_cursor_init(&iterator->cursor, iterator->view);
    }
    return (PyObject *)iterator;
}

static PyObject *row_iterator_next(PyObject *object)
{
    row_iterator *iterator = (row_iterator *)object;
    if (iterator->next >= iterator->view->decoding.count)
        return NULL;
    uint32_t index = iterator->next++;
    return ft_instruction_row(iterator->view, &iterator->cursor, index);
}

static PyObject *row_iterator_left(PyObject *object, PyObject *unused)
{
    (void)unused;
    row_iterator *iterator = (row_iterator *)object;
    return PyLong_FromSsize_t((Py_ssize_t)(iterator->view->decoding.count - iterator->next));
}

static int row_iterator_traverse(PyObject *object, visitproc visit, void *arg)
{
    row_iterator *iterator = (row_iterator *)object;
    Py_VISIT(Py_TYPE(object));
    Py_VISIT(iterator->view);
    return 0;
}

static void row_iterator_dealloc(PyObject *object)
{
    PyTypeObject *type = Py_TYPE(object);
    row_iterator *iterator = (row_iterator *)object;
    PyObject_GC_UnTrack(object);
    Py_TRASHCAN_BEGIN(object, row_iterator_dealloc);
    Py_XDECREF(iterator->view);
    ft_row_cursor_fini(&iterator->cursor);
    type->tp_free(object);
    Py_DECREF(type);
    Py_TRASHCAN_END;
}

/* ---- what else is asked ---- */

static PyObject *append_new(PyObject *list, PyObject *item)
{
    if (list != NULL && (item == NULL || PyList_Append(list, item) < 0))
        Py_CLEAR(list);
    Py_XDECREF(item);
    return list;
}

static PyObject *as_tuple(PyObject *list)
{
    PyObject *tuple = list == NULL ? NULL : PyList_AsTuple(list);
    Py_XDECREF(list);
    return tuple;
}

static PyObject *get_exceptions(PyObject *object, void *unused)
{
    (void)unused;
    const ft_code_view *view = (const ft_code_view *)object;
    PyObject *list = PyList_New(0);
    ft_catches catches;
    ft_catch entry;
    ft_catches_init(&catches, (const uint8_t *)PyBytes_AS_STRING(view->handler_table),
                    (size_t)PyBytes_GET_SIZE(view->handler_table));
    while (list != NULL && ft_catches_next(&catches, &entry))
        list = append_new(list,
                          Py_BuildValue("(KKKIO)", (unsigned long long)entry.start * FT_UNIT_BYTES,
                                        (unsigned long long)entry.end * FT_UNIT_BYTES,
                                        (unsigned long long)entry.target * FT_UNIT_BYTES,
                                        entry.depth, entry.lasti ? Py_True : Py_False));
    return as_tuple(list);
}

static PyObject *get_labels(PyObject *object, void *unused)
{
    (void)unused;
    const ft_labels *labels = &((const ft_code_view *)object)->labels;
    int64_t *places = PyMem_Calloc((size_t)labels->count + 1, sizeof *places);
    PyObject *tuple = places == NULL ? PyErr_NoMemory() : PyTuple_New(labels->count);
    if (tuple != NULL)
        ft_labels_places(labels, places);
    for (uint32_t i = 0; tuple != NULL && i < labels->count; i++) {
        PyObject *offset = PyLong_FromLongLong(places[i] * FT_UNIT_BYTES);
        if (offset == NULL)
            Py_CLEAR(tuple);
        else
            PyTuple_SET_ITEM(tuple, i, offset);
    }
    PyMem_Free(places);
    return tuple;
}

static PyObject *line_start(const ft_code_view *view, const ft_line_ranges *lines)
{
    unsigned long long offset = (unsigned long long)lines->start * FT_UNIT_BYTES;
    if (lines->line == FT_POSITION_NONE)
        return Py_BuildValue("(KO)", offset, Py_None);
    return Py_BuildValue("(KL)", offset, (long long)lines->line + view->line_shift);
}

static PyObject *get_lines(PyObject *object, void *unused)
{
    (void)unused;
    const ft_code_view *view = (const ft_code_view *)object;
    PyObject *list = PyList_New(0);
    int64_t last = INT64_MIN;
    ft_line_ranges lines;
    ft_line_ranges_init(&lines, (const uint8_t *)PyBytes_AS_STRING(view->line_table),
                        (size_t)PyBytes_GET_SIZE(view->line_table), view->first_line);
    while (list != NULL && ft_line_ranges_next(&lines) && lines.start < view->decoding.units) {
        bool passed = !FT_DIS_HAS_LABELS && (lines.line == FT_POSITION_NONE || lines.line == last);
        if (passed)
            continue;
        last = lines.line;
        list = append_new(list, line_start(view, &lines));
    }
    return as_tuple(list);
}

/* ---- the types ---- */

static int bytecode_traverse(PyObject *object, visitproc visit, void *arg)
{
    const ft_code_view *view = (const ft_code_view *)object;
    Py_VISIT(Py_TYPE(object));
    Py_VISIT(view->code);
    Py_VISIT(view->consts);
    Py_VISIT(view->names);
    Py_VISIT(view->locals);
    Py_VISIT(view->unknown);
    for (Py_ssize_t i = 0; view->reprs != NULL && i < PyTuple_GET_SIZE(view->consts); i++)
        Py_VISIT(view->reprs[i]); /* of the user's own kind of str, perhaps */
    return 0;
}

/* There is no tp_clear: it never changes, as a tuple does not. A cycle through it goes through the
 * attributes of something else, which clears its part. */
static void bytecode_dealloc(PyObject *object)
{
    PyTypeObject *type = Py_TYPE(object);
    ft_code_view *view = (ft_code_view *)object;
    PyObject_GC_UnTrack(object);
    Py_TRASHCAN_BEGIN(object, bytecode_dealloc); /* what it holds may hold another, and so on */
    for (Py_ssize_t i = 0; view->reprs != NULL && i < PyTuple_GET_SIZE(view->consts); i++)
        Py_XDECREF(view->reprs[i]);
    PyMem_Free(view->reprs);
    ft_decoding_fini(&view->decoding);
    ft_labels_fini(&view->labels);
    ft_row_cursor_fini(&view->cursor);
    Py_XDECREF(view->plain);
    Py_XDECREF(view->shown);
    Py_XDECREF(view->line_table);
    Py_XDECREF(view->handler_table);
    Py_XDECREF(view->consts);
    Py_XDECREF(view->names);
    Py_XDECREF(view->locals);
    Py_XDECREF(view->unknown);
    Py_XDECREF(view->code);
    Py_XDECREF(view->capsule);
    type->tp_free(object);
    Py_DECREF(type);
    Py_TRASHCAN_END;
}

PyDoc_STRVAR(bytecode_doc,
             "Bytecode(code, /, adaptive=False, first_line=None, caches=False, handlers=False,\n"
             "         unknown=None)\n--\n\n"
             "The instructions of a code object: a sequence of Instruction.");

PyDoc_STRVAR(from_bytes_doc,
             "from_bytes(code, /, running=None, line_table=b'', first_line=1, line_shift=0,\n"
             "           handler_table=b'', consts=None, names=None, locals=None, caches=False,\n"
             "           handlers=False, unknown=None)\n--\n\n"
             "The instructions in bytes, which may be any.");

static PyMethodDef bytecode_methods[] = {
    {"from_bytes", (PyCFunction)(void (*)(void))bytecode_from_bytes,
     METH_VARARGS | METH_KEYWORDS | METH_CLASS, from_bytes_doc},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef bytecode_attributes[] = {
    {"exceptions", get_exceptions, NULL,
     "(start, end, target, depth, lasti) of each entry of the exception table, in bytes", NULL},
    {"labels", get_labels, NULL, "the offset of each label, in the order of their numbers", NULL},
    {"lines", get_lines, NULL, "(offset, line) where lines start", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyMemberDef bytecode_members[] = {
    {"code", T_OBJECT, offsetof(ft_code_view, code), READONLY, "the code object, or None"},
    {NULL, 0, 0, 0, NULL},
};

static PyType_Slot bytecode_slots[] = {
    {Py_tp_doc, (void *)bytecode_doc},
    {Py_tp_new, (void *)bytecode_new},
    {Py_tp_dealloc, (void *)bytecode_dealloc},
    {Py_tp_traverse, (void *)bytecode_traverse},
    {Py_tp_iter, (void *)bytecode_iterate},
    {Py_sq_length, (void *)bytecode_length},
    {Py_sq_item, (void *)bytecode_item},
    {Py_tp_methods, bytecode_methods},
    {Py_tp_getset, bytecode_attributes},
    {Py_tp_members, bytecode_members},
    {0, NULL},
};

static PyType_Spec bytecode_spec = {
    .name = "fettle._core.Bytecode",
    .basicsize = sizeof(ft_code_view),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = bytecode_slots,
};

static PyMethodDef row_iterator_methods[] = {
    {"__length_hint__", row_iterator_left, METH_NOARGS, NULL},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot row_iterator_slots[] = {
    {Py_tp_dealloc, (void *)row_iterator_dealloc}, {Py_tp_traverse, (void *)row_iterator_traverse},
    {Py_tp_iter, (void *)PyObject_SelfIter},       {Py_tp_iternext, (void *)row_iterator_next},
    {Py_tp_methods, row_iterator_methods},         {0, NULL},
};

static PyType_Spec row_iterator_spec = {
    .name = "fettle._core.BytecodeIterator",
    .basicsize = sizeof(row_iterator),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE |
             Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = row_iterator_slots,
};

int ft_bytecode_type_add(PyObject *module, ft_module_state *state)
{
    if (ft_instruction_types_add(module, state) < 0)
        return -1;
    state->bytecode_iterator_type =
        (PyTypeObject *)PyType_FromModuleAndSpec(module, &row_iterator_spec, NULL);
    PyObject *type = state->bytecode_iterator_type == NULL
                         ? NULL
                         : PyType_FromModuleAndSpec(module, &bytecode_spec, NULL);
    int result = type == NULL ? -1 : PyModule_AddType(module, (PyTypeObject *)type);
    Py_XDECREF(type);
    return result;
}
