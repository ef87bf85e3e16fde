/* SPDX-License-Identifier: Apache-2.0 */
/* snapshots.c: what tracemalloc's Snapshot holds, read from files and put into them (see
 * snapshots.h).
 *
 * In Python a snapshot is a list of ((domain, size, frames, total), count), the frames being tuples
 * of (file, line) that many groups share, and a dictionary of attributes. Texts are UTF-8 with
 * "surrogatepass", as Python pickles them. */
#include "glue/snapshots.h"

#include "engine/base/map.h"
#include "engine/file/load.h"
#include "engine/file/snapshot.h"
#include "engine/file/tracemalloc_reader.h"
#include "glue/convert.h"

/* ---- reading ---- */

typedef struct reading {
    ft_traces traces;
    ft_pickle_fault fault;
    int number; /* errno, for FT_ERR_IO */
} reading;

static bool is_wanted(const uint8_t *bytes, size_t length)
{
    return ft_snapshot_is_one(bytes, length) || ft_pickle_is_pickle(bytes, length);
}

/* No GIL is held. */
static ft_status read_path(reading *to, const char *path)
{
    ft_load file;
    ft_status status =
        ft_load_file(&file, to->traces.mem, path, FT_SNAPSHOT_BYTES_MAX, is_wanted, &to->number);
    if (status != FT_OK)
        return status;
    if (ft_snapshot_is_one(file.bytes, file.length))
        status = ft_snapshot_read(file.bytes, file.length, &to->traces);
    else
        status = ft_tracemalloc_reader_read(file.bytes, file.length, &to->traces, &to->fault);
    ft_load_fini(&file);
    return status;
}

/* ---- traces to objects ---- */

/* A list of the texts, by their ids. */
static PyObject *make_texts(const ft_traces *traces)
{
    PyObject *texts = PyList_New((Py_ssize_t)traces->texts.count);
    for (uint32_t i = 0; i < traces->texts.count && texts != NULL; i++) {
        ft_text text = ft_strtab_get(&traces->texts, i);
        PyObject *made = PyUnicode_DecodeUTF8(text.data, (Py_ssize_t)text.length, "surrogatepass");
        if (made == NULL)
            Py_CLEAR(texts);
        else
            PyList_SET_ITEM(texts, (Py_ssize_t)i, made);
    }
    return texts;
}

static PyObject *text_at(PyObject *texts, uint32_t id)
{
    return Py_NewRef(PyList_GET_ITEM(texts, (Py_ssize_t)id));
}

/* (file, line): the one that known has, if there is one. */
static PyObject *make_frame(ft_traces_frame frame, PyObject *texts, PyObject *known)
{
    PyObject *made = Py_BuildValue("(NI)", text_at(texts, frame.file), (unsigned)frame.line);
    PyObject *first = made == NULL ? NULL : PyDict_SetDefault(known, made, made);
    Py_XINCREF(first);
    Py_XDECREF(made);
    return first;
}

static PyObject *make_stack(const ft_traces *traces, const ft_traces_stack *stack, PyObject *texts,
                            PyObject *known)
{
    PyObject *made = PyTuple_New((Py_ssize_t)stack->count);
    for (uint32_t i = 0; i < stack->count && made != NULL; i++) {
        PyObject *frame = make_frame(traces->frames[stack->first + i], texts, known);
        if (frame == NULL)
            Py_CLEAR(made);
        else
            PyTuple_SET_ITEM(made, (Py_ssize_t)i, frame);
    }
    return made;
}

/* A list of the stacks, by their ids. */
static PyObject *make_stacks(const ft_traces *traces, PyObject *texts)
{
    PyObject *stacks = PyList_New((Py_ssize_t)traces->stack_count), *known = PyDict_New();
    if (known == NULL)
        Py_CLEAR(stacks);
    for (uint32_t i = 0; i < traces->stack_count && stacks != NULL; i++) {
        PyObject *stack = make_stack(traces, &traces->stacks[i], texts, known);
        if (stack == NULL)
            Py_CLEAR(stacks);
        else
            PyList_SET_ITEM(stacks, (Py_ssize_t)i, stack);
    }
    Py_XDECREF(known);
    return stacks;
}

static PyObject *make_group(const ft_traces_group *group, PyObject *stacks)
{
    PyObject *total =
        group->depth == 0 ? Py_NewRef(Py_None) : PyLong_FromLong((long)group->depth - 1);
    if (total == NULL)
        return NULL;
    return Py_BuildValue("((IKON)K)", (unsigned)group->domain, (unsigned long long)group->size,
                         PyList_GET_ITEM(stacks, (Py_ssize_t)group->stack), total,
                         (unsigned long long)group->count);
}

static PyObject *make_groups(const ft_traces *traces, PyObject *stacks)
{
    PyObject *groups = PyList_New((Py_ssize_t)traces->group_count);
    for (uint32_t i = 0; i < traces->group_count && groups != NULL; i++) {
        PyObject *group = make_group(&traces->groups[i], stacks);
        if (group == NULL)
            Py_CLEAR(groups);
        else
            PyList_SET_ITEM(groups, (Py_ssize_t)i, group);
    }
    return groups;
}

static PyObject *make_value(const ft_traces_attribute *attribute, PyObject *texts)
{
    switch (attribute->kind) {
    case FT_TRACES_INTEGER:
        return PyLong_FromLongLong((long long)attribute->value.integer);
    case FT_TRACES_REAL:
        return PyFloat_FromDouble(attribute->value.real);
    case FT_TRACES_TEXT:
        return text_at(texts, attribute->value.text);
    case FT_TRACES_NONE:
        return Py_NewRef(Py_None);
    default:
        return PyBool_FromLong(attribute->kind == FT_TRACES_TRUE);
    }
}

static PyObject *make_attributes(const ft_traces *traces, PyObject *texts)
{
    PyObject *attributes = PyDict_New();
    for (uint32_t i = 0; i < traces->attribute_count && attributes != NULL; i++) {
        const ft_traces_attribute *attribute = &traces->attributes[i];
        PyObject *value = make_value(attribute, texts);
        if (value == NULL ||
            PyDict_SetItem(attributes, PyList_GET_ITEM(texts, (Py_ssize_t)attribute->name), value) <
                0)
            Py_CLEAR(attributes);
        Py_XDECREF(value);
    }
    return attributes;
}

/* (groups, attributes) */
static PyObject *make_snapshot(const ft_traces *traces)
{
    PyObject *texts = make_texts(traces), *groups = NULL, *attributes = NULL;
    PyObject *stacks = texts == NULL ? NULL : make_stacks(traces, texts);
    if (stacks != NULL)
        groups = make_groups(traces, stacks);
    if (groups != NULL)
        attributes = make_attributes(traces, texts);
    Py_XDECREF(stacks);
    Py_XDECREF(texts);
    if (attributes == NULL) {
        Py_XDECREF(groups);
        return NULL;
    }
    return Py_BuildValue("(NN)", groups, attributes);
}

const char ft_snapshots_read_doc[] =
    "read_snapshot(path, /)\n--\n\nReads a snapshot, fettle's or tracemalloc's, without "
    "unpickling it: (groups, attributes). OSError, FileError, MemoryError.";

PyObject *ft_snapshots_read(PyObject *module, PyObject *path)
{
    const ft_module_state *state = PyModule_GetState(module);
    PyObject *name, *result = NULL;
    reading from = {.number = 0};
    if (!PyUnicode_FSConverter(path, &name))
        return NULL;
    ft_status status = ft_traces_init(&from.traces, &ft_mem_system);
    if (status == FT_OK) {
        Py_BEGIN_ALLOW_THREADS
        status = read_path(&from, PyBytes_AS_STRING(name));
        Py_END_ALLOW_THREADS
    }
    if (status != FT_OK) {
        ft_convert_fault(state, status, from.number, path, from.fault.text);
    } else if ((result = make_snapshot(&from.traces)) == NULL &&
               PyErr_ExceptionMatches(PyExc_UnicodeDecodeError)) {
        PyErr_Clear();
        ft_convert_fault(state, FT_ERR_CORRUPT, from.number, path, "a text that is no UTF-8");
    }
    Py_DECREF(name);
    ft_traces_fini(&from.traces);
    return result;
}

/* ---- objects to traces ---- */

/* Objects that many groups share are looked at once: they are known by their addresses, which the
 * groups keep alive. */
typedef struct taking {
    const ft_module_state *state;
    ft_traces traces;
    ft_map texts, stacks; /* ids by address */
} taking;

static int refuse_shape(void)
{
    PyErr_SetString(PyExc_TypeError,
                    "A snapshot that is written holds traces of the form (domain, size, ((file, "
                    "line), ...), total_nframe): texts, integers, and None for an unknown total.");
    return -1;
}

static int fail_taking(const taking *to, ft_status status)
{
    ft_convert_error(to->state, status, 0, NULL);
    return -1;
}

static int take_new_text(taking *to, PyObject *text, uint32_t *id)
{
    PyObject *bytes = PyUnicode_AsEncodedString(text, "utf-8", "surrogatepass");
    if (bytes == NULL)
        return -1;
    ft_status status = ft_strtab_intern(&to->traces.texts, PyBytes_AS_STRING(bytes),
                                        (size_t)PyBytes_GET_SIZE(bytes), id);
    Py_DECREF(bytes);
    if (status == FT_OK)
        status = ft_map_put(&to->texts, (uintptr_t)text, *id);
    return status == FT_OK ? 0 : fail_taking(to, status);
}

static int take_text(taking *to, PyObject *text, uint32_t *id)
{
    const uint32_t *known = ft_map_get(&to->texts, (uintptr_t)text);
    if (known == NULL)
        return PyUnicode_Check(text) ? take_new_text(to, text, id) : refuse_shape();
    *id = *known;
    return 0;
}

static int take_number(PyObject *number, uint64_t most, uint64_t *value)
{
    if (!PyLong_Check(number))
        return refuse_shape();
    *value = PyLong_AsUnsignedLongLong(number);
    if (*value == UINT64_MAX && PyErr_Occurred())
        return -1;
    if (*value <= most)
        return 0;
    PyErr_SetString(PyExc_OverflowError, "A snapshot that is written holds numbers of 32 bits, and "
                                         "sizes of 63.");
    return -1;
}

static bool is_tuple(PyObject *object, Py_ssize_t length)
{
    return PyTuple_Check(object) && PyTuple_GET_SIZE(object) == length;
}

static int take_frame(taking *to, PyObject *frame)
{
    ft_traces_frame made;
    uint64_t line;
    if (!is_tuple(frame, 2))
        return refuse_shape();
    if (take_text(to, PyTuple_GET_ITEM(frame, 0), &made.file) < 0 ||
        take_number(PyTuple_GET_ITEM(frame, 1), UINT32_MAX, &line) < 0)
        return -1;
    made.line = (uint32_t)line;
    ft_status status = ft_traces_add_frame(&to->traces, made);
    return status == FT_OK ? 0 : fail_taking(to, status);
}

static int take_stack(taking *to, PyObject *stack, uint32_t *id)
{
    const uint32_t *known = ft_map_get(&to->stacks, (uintptr_t)stack);
    if (known != NULL) {
        *id = *known;
        return 0;
    }
    if (!PyTuple_Check(stack))
        return refuse_shape();
    ft_status status = ft_traces_add_stack(&to->traces, id);
    if (status == FT_OK)
        status = ft_map_put(&to->stacks, (uintptr_t)stack, *id);
    if (status != FT_OK)
        return fail_taking(to, status);
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(stack); i++)
        if (take_frame(to, PyTuple_GET_ITEM(stack, i)) < 0)
            return -1;
    return 0;
}

static int take_trace(taking *to, PyObject *trace, ft_traces_group *group)
{
    uint64_t domain, depth;
    if (!is_tuple(trace, 3) && !is_tuple(trace, 4))
        return refuse_shape();
    PyObject *total = PyTuple_GET_SIZE(trace) == 4 ? PyTuple_GET_ITEM(trace, 3) : Py_None;
    if (take_number(PyTuple_GET_ITEM(trace, 0), UINT32_MAX, &domain) < 0 ||
        take_number(PyTuple_GET_ITEM(trace, 1), INT64_MAX, &group->size) < 0 ||
        take_stack(to, PyTuple_GET_ITEM(trace, 2), &group->stack) < 0)
        return -1;
    group->domain = (uint32_t)domain;
    group->depth = 0;
    if (total == Py_None)
        return 0;
    if (take_number(total, INT32_MAX, &depth) < 0)
        return -1;
    group->depth = (uint32_t)depth + 1;
    return 0;
}

static int take_group(taking *to, PyObject *item)
{
    ft_traces_group group;
    if (!is_tuple(item, 2))
        return refuse_shape();
    if (take_number(PyTuple_GET_ITEM(item, 1), FT_TRACES_BLOCKS_MAX, &group.count) < 0)
        return -1;
    if (group.count == 0)
        return 0;
    if (take_trace(to, PyTuple_GET_ITEM(item, 0), &group) < 0)
        return -1;
    ft_status status = ft_traces_add_group(&to->traces, &group);
    return status == FT_OK ? 0 : fail_taking(to, status);
}

static int take_value(taking *to, PyObject *name, PyObject *value, ft_traces_attribute *attribute)
{
    if (value == Py_None) {
        attribute->kind = FT_TRACES_NONE;
    } else if (PyBool_Check(value)) {
        attribute->kind = value == Py_True ? FT_TRACES_TRUE : FT_TRACES_FALSE;
    } else if (PyLong_Check(value)) {
        attribute->kind = FT_TRACES_INTEGER;
        attribute->value.integer = PyLong_AsLongLong(value);
        return attribute->value.integer == -1 && PyErr_Occurred() ? -1 : 0;
    } else if (PyFloat_Check(value)) {
        attribute->kind = FT_TRACES_REAL;
        attribute->value.real = PyFloat_AS_DOUBLE(value);
    } else if (PyUnicode_Check(value)) {
        attribute->kind = FT_TRACES_TEXT;
        return take_text(to, value, &attribute->value.text);
    } else {
        PyErr_Format(PyExc_TypeError,
                     "The attribute %R of the snapshot is of type %.100s, but a snapshot that is "
                     "written can have texts, numbers, truth values and None: delete it first.",
                     name, Py_TYPE(value)->tp_name);
        return -1;
    }
    return 0;
}

static int take_attribute(taking *to, PyObject *name, PyObject *value)
{
    ft_traces_attribute attribute = {.kind = FT_TRACES_NONE};
    if (take_text(to, name, &attribute.name) < 0 || take_value(to, name, value, &attribute) < 0)
        return -1;
    ft_status status = ft_traces_add_attribute(&to->traces, &attribute);
    return status == FT_OK ? 0 : fail_taking(to, status);
}

/* No code of the user's runs here, except where an error is being raised: the types are exact as
 * far as they are asked. */
static int take_snapshot(taking *to, PyObject *groups, PyObject *attributes)
{
    PyObject *name, *value;
    Py_ssize_t at = 0;
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(groups); i++)
        if (take_group(to, PyList_GET_ITEM(groups, i)) < 0)
            return -1;
    while (PyDict_Next(attributes, &at, &name, &value))
        if (take_attribute(to, name, value) < 0)
            return -1;
    return 0;
}

static PyObject *write_bytes(const ft_module_state *state, const ft_traces *traces)
{
    ft_buf out;
    ft_buf_init(&out, &ft_mem_system);
    return ft_convert_bytes(state, ft_snapshot_write(traces, &out), &out);
}

const char ft_snapshots_write_doc[] =
    "write_snapshot(groups, attributes, /)\n--\n\nThe bytes of a file that read_snapshot() reads. "
    "TypeError, OverflowError, FileError, MemoryError.";

PyObject *ft_snapshots_write(PyObject *module, PyObject *args)
{
    taking to = {.state = PyModule_GetState(module)};
    PyObject *groups, *attributes, *result = NULL;
    if (!PyArg_ParseTuple(args, "O!O!:write_snapshot", &PyList_Type, &groups, &PyDict_Type,
                          &attributes))
        return NULL;
    ft_map_init(&to.texts, &ft_mem_system);
    ft_map_init(&to.stacks, &ft_mem_system);
    ft_status status = ft_traces_init(&to.traces, &ft_mem_system);
    if (status != FT_OK)
        ft_convert_error(to.state, status, 0, NULL);
    else if (take_snapshot(&to, groups, attributes) == 0)
        result = write_bytes(to.state, &to.traces);
    ft_traces_fini(&to.traces);
    ft_map_fini(&to.texts);
    ft_map_fini(&to.stacks);
    return result;
}
