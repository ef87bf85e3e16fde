/* SPDX-License-Identifier: Apache-2.0 */
/* profile.c: fettle._core.Profile (see profile.h).
 *
 * A thin shell around ft_profile. The GIL is released around everything that grows with the
 * recording. Invariant: while `busy` is set, exactly one call works on the model; any other call,
 * from another thread or from a finalizer that an allocation made run, gets a RuntimeError. So no
 * lock is held across Python code, and borrowed texts stay where they are. `busy` itself is
 * protected by the GIL. The object refers to no Python object, so it needs no collector. */
#include "glue/types/profile.h"

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "engine/export/exporter.h"
#include "engine/file/load.h"
#include "engine/file/reader.h"
#include "engine/file/writer.h"
#include "engine/model/outline.h"
#include "engine/model/query.h"
#include "engine/record/harvest.h"
#include "glue/convert.h"
#include "glue/convert_columns.h"
#include "glue/convert_lines.h"
#include "glue/convert_memory.h"
#include "glue/convert_spans.h"
#include "glue/convert_timings.h"

/* A recording of a hundred million nodes has less; what is larger would exhaust the machine. */
#define FILE_BYTES_MAX (UINT64_C(4) << 30)

typedef struct profile_object {
    PyObject_HEAD
    ft_profile profile;
    ft_reader_report report;
    ft_totals totals; /* what was asked for last ... */
    bool is_summed;   /* ... and holds still: calls have not become more */
    bool busy;
} profile_object;

static ft_module_state *state_of(PyTypeObject *type)
{
    return PyType_GetModuleState(type);
}

/* 0, or -1 with an exception when another call is at work. Ended by leave(). */
static int enter(profile_object *self)
{
    if (self->busy) {
        PyErr_SetString(PyExc_RuntimeError, "This Profile is at work in another call: wait until "
                                            "that call has returned, then try again.");
        return -1;
    }
    self->busy = true;
    return 0;
}

static void leave(profile_object *self)
{
    assert(self->busy);
    self->busy = false;
}

/* Raises what status means; errno may be from it. Always NULL. */
static PyObject *fail(profile_object *self, ft_status status, int number, PyObject *path)
{
    return ft_convert_error(state_of(Py_TYPE(self)), status, number, path);
}

/* ---- making and ending ---- */

static profile_object *profile_make(PyTypeObject *type)
{
    profile_object *self = (profile_object *)type->tp_alloc(type, 0);
    if (self == NULL)
        return NULL;
    ft_status status = ft_profile_init(&self->profile, &ft_mem_system);
    if (status != FT_OK) {
        fail(self, status, 0, NULL);
        Py_CLEAR(self);
    }
    return self;
}

PyObject *ft_profile_object_new(const ft_module_state *state, ft_profile **model)
{
    profile_object *self = profile_make(state->profile_type);
    if (self != NULL)
        *model = &self->profile;
    return (PyObject *)self;
}

void ft_profile_object_end(PyObject *profile)
{
    ((profile_object *)profile)->report.ended = true;
}

static PyObject *profile_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    if (PyTuple_GET_SIZE(args) > 0 || (kwargs != NULL && PyDict_GET_SIZE(kwargs) > 0)) {
        PyErr_SetString(PyExc_TypeError, "Profile() takes no arguments: use Profile.read(path).");
        return NULL;
    }
    return (PyObject *)profile_make(type);
}

static void profile_dealloc(PyObject *object)
{
    PyTypeObject *type = Py_TYPE(object);
    assert(!((profile_object *)object)->busy); /* a call at work holds a reference */
    ft_profile_fini(&((profile_object *)object)->profile);
    type->tp_free(object);
    Py_DECREF(type); /* an instance of a heap type holds its type */
}

/* ---- reading ---- */

/* No GIL is held. number gets errno for FT_ERR_IO. */
static ft_status read_path(const char *path, ft_profile *profile, ft_reader_report *report,
                           int *number)
{
    ft_load file;
    ft_status status =
        ft_load_file(&file, profile->mem, path, FILE_BYTES_MAX, ft_reader_is_fettle, number);
    if (status != FT_OK)
        return status;
    status = ft_reader_read(file.bytes, file.length, profile, report);
    ft_load_fini(&file);
    return status;
}

static PyObject *profile_read(PyObject *class, PyObject *path)
{
    PyObject *name;
    ft_status status;
    int number;
    if (!PyUnicode_FSConverter(path, &name))
        return NULL;
    profile_object *self = profile_make((PyTypeObject *)class);
    if (self == NULL)
        goto end;
    Py_BEGIN_ALLOW_THREADS
    status = read_path(PyBytes_AS_STRING(name), &self->profile, &self->report, &number);
    Py_END_ALLOW_THREADS
    if (status != FT_OK) {
        fail(self, status, number, path);
        Py_CLEAR(self);
    }
end:
    Py_DECREF(name);
    return (PyObject *)self;
}

/* ---- changing ---- */

static PyObject *profile_merge(PyObject *object, PyObject *other_object)
{
    profile_object *self = (profile_object *)object, *other = (profile_object *)other_object;
    ft_status status;
    if (Py_TYPE(other_object) != Py_TYPE(object))
        return PyErr_Format(PyExc_TypeError, "merge() takes a Profile, not %.100s.",
                            Py_TYPE(other_object)->tp_name);
    if (self == other) {
        PyErr_SetString(PyExc_ValueError, "A Profile can not be merged into itself.");
        return NULL;
    }
    if (enter(self) < 0)
        return NULL;
    if (enter(other) < 0) {
        leave(self);
        return NULL;
    }
    self->is_summed = false;
    Py_BEGIN_ALLOW_THREADS
    status = ft_profile_merge(&self->profile, &other->profile);
    Py_END_ALLOW_THREADS
    leave(other);
    leave(self);
    if (status != FT_OK)
        return fail(self, status, 0, NULL);
    self->report.ended = self->report.ended && other->report.ended;
    self->report.torn = self->report.torn || other->report.torn;
    self->report.newer_chunks += other->report.newer_chunks;
    self->report.segments += other->report.segments;
    Py_RETURN_NONE;
}

/* text as UTF-8; "backslashreplace": words of a command line and names may hold lone surrogates. */
static PyObject *text_bytes(PyObject *text)
{
    return PyUnicode_AsEncodedString(text, "utf-8", "backslashreplace");
}

/* The same as bytes that the model takes as a NUL-terminated text. */
static PyObject *meta_bytes(PyObject *text)
{
    PyObject *bytes = text_bytes(text);
    if (bytes != NULL && strlen(PyBytes_AS_STRING(bytes)) != (size_t)PyBytes_GET_SIZE(bytes)) {
        PyErr_SetString(PyExc_ValueError, "The key or value of a meta text holds a NUL.");
        Py_CLEAR(bytes);
    }
    return bytes;
}

static PyObject *profile_set_meta(PyObject *object, PyObject *args)
{
    profile_object *self = (profile_object *)object;
    PyObject *key_text, *value_text, *key = NULL, *value = NULL;
    PyObject *result = NULL;
    if (!PyArg_ParseTuple(args, "UU:set_meta", &key_text, &value_text))
        return NULL;
    if ((key = meta_bytes(key_text)) == NULL || (value = meta_bytes(value_text)) == NULL)
        goto end;
    if (enter(self) < 0)
        goto end;
    ft_status status =
        ft_profile_set_meta(&self->profile, PyBytes_AS_STRING(key), PyBytes_AS_STRING(value));
    leave(self);
    result = status == FT_OK ? Py_NewRef(Py_None) : fail(self, status, 0, NULL);
end:
    Py_XDECREF(key);
    Py_XDECREF(value);
    return result;
}

static ft_status intern(ft_profile *profile, PyObject *bytes, uint32_t *id)
{
    return ft_strtab_intern(&profile->texts, PyBytes_AS_STRING(bytes),
                            (size_t)PyBytes_GET_SIZE(bytes), id);
}

static PyObject *profile_set_source(PyObject *object, PyObject *args)
{
    profile_object *self = (profile_object *)object;
    PyObject *file_text, *source_text, *file = NULL, *source = NULL;
    PyObject *result = NULL;
    uint32_t file_id, source_id;
    if (!PyArg_ParseTuple(args, "UU:set_source", &file_text, &source_text))
        return NULL;
    if ((file = text_bytes(file_text)) == NULL || (source = text_bytes(source_text)) == NULL)
        goto end;
    if (enter(self) < 0)
        goto end;
    ft_status status = intern(&self->profile, file, &file_id);
    if (status == FT_OK)
        status = intern(&self->profile, source, &source_id);
    if (status == FT_OK)
        status = ft_profile_set_source(&self->profile, file_id, source_id);
    leave(self);
    result = status == FT_OK ? Py_NewRef(Py_None) : fail(self, status, 0, NULL);
end:
    Py_XDECREF(file);
    Py_XDECREF(source);
    return result;
}

static PyObject *profile_add_timing(PyObject *object, PyObject *args, PyObject *kwargs)
{
    PyObject *timed = ft_convert_timing(state_of(Py_TYPE(object)), args, kwargs);
    PyObject *result = timed == NULL ? NULL : profile_merge(object, timed);
    Py_XDECREF(timed);
    return result;
}

static PyObject *profile_harvest(PyObject *object, PyObject *args)
{
    profile_object *self = (profile_object *)object;
    PyObject *name, *result = NULL;
    ft_status status;
    uint32_t count = 0;
    int dead_pid = 0, number;
    double dead_cpu = 0.0;
    if (!PyArg_ParseTuple(args, "O&|id:harvest", PyUnicode_FSConverter, &name, &dead_pid,
                          &dead_cpu))
        return NULL;
    ft_harvest_death death = {.pid = (uint32_t)dead_pid};
    if (dead_cpu > 0.0 && dead_cpu < 1e9) /* 30 years: what 64 bits of ns hold with ease */
        death.cpu_ns = (uint64_t)(dead_cpu * 1e9);
    if (enter(self) < 0)
        goto end;
    self->is_summed = false;
    Py_BEGIN_ALLOW_THREADS
    status = ft_harvest_directory(&self->profile, PyBytes_AS_STRING(name), death, &count);
    number = errno;
    Py_END_ALLOW_THREADS
    leave(self);
    if (status == FT_OK)
        result = PyLong_FromUnsignedLong(count);
    else
        fail(self, status, number, PyTuple_GET_ITEM(args, 0));
end:
    Py_DECREF(name);
    return result;
}

/* ---- tables: `busy` stays set until the last row is made, for they borrow from the model ---- */

static PyObject *profile_meta(PyObject *object, PyObject *Py_UNUSED(unused))
{
    profile_object *self = (profile_object *)object;
    if (enter(self) < 0)
        return NULL;
    PyObject *meta = ft_convert_meta(&self->profile);
    leave(self);
    return meta;
}

static PyObject *profile_functions(PyObject *object, PyObject *Py_UNUSED(unused))
{
    profile_object *self = (profile_object *)object;
    PyObject *list = NULL;
    ft_function_row *rows = NULL;
    uint32_t count = 0;
    ft_status status;
    if (enter(self) < 0)
        return NULL;
    Py_BEGIN_ALLOW_THREADS
    status = ft_query_functions(&self->profile, &rows, &count);
    Py_END_ALLOW_THREADS
    if (status == FT_OK)
        list = ft_convert_functions(state_of(Py_TYPE(self)), &self->profile.texts,
                                    &self->profile.codes, rows, count);
    else
        fail(self, status, 0, NULL);
    ft_mem_free(self->profile.mem, rows);
    leave(self);
    return list;
}

static PyObject *profile_edges(PyObject *object, PyObject *Py_UNUSED(unused))
{
    profile_object *self = (profile_object *)object;
    PyObject *list = NULL;
    ft_function_row *functions = NULL;
    ft_edge_row *edges = NULL;
    uint32_t function_count = 0, count = 0;
    ft_status status;
    if (enter(self) < 0)
        return NULL;
    Py_BEGIN_ALLOW_THREADS
    status = ft_query_functions(&self->profile, &functions, &function_count);
    if (status == FT_OK)
        status = ft_query_edges(&self->profile, &edges, &count);
    Py_END_ALLOW_THREADS
    if (status == FT_OK)
        list = ft_convert_edges(state_of(Py_TYPE(self)), &self->profile.codes, functions,
                                function_count, edges, count);
    else
        fail(self, status, 0, NULL);
    ft_mem_free(self->profile.mem, functions);
    ft_mem_free(self->profile.mem, edges);
    leave(self);
    return list;
}

/* flags: bytes, one for each row of functions(). *wanted: an array by code, which the caller frees.
 * *fits: whether there are as many bytes as rows. No GIL is held: bytes never change. */
static ft_status wanted_codes(const ft_profile *profile, PyObject *flags, bool **wanted, bool *fits)
{
    ft_function_row *rows;
    uint32_t count;
    ft_status status = ft_query_functions(profile, &rows, &count);
    if (status != FT_OK)
        return status;
    *fits = PyBytes_GET_SIZE(flags) == (Py_ssize_t)count;
    bool *made = ft_mem_new(profile->mem, profile->codes.count, sizeof *made);
    for (uint32_t i = 0; i < count && *fits && made != NULL; i++)
        made[rows[i].code] = PyBytes_AS_STRING(flags)[i] != 0;
    ft_mem_free(profile->mem, rows);
    if (made == NULL)
        return FT_ERR_MEMORY;
    *wanted = made;
    return FT_OK;
}

static PyObject *tree_of(profile_object *self, ft_outline_wish wish, PyObject *flags)
{
    PyObject *list = NULL;
    ft_outline_row *rows = NULL;
    uint32_t count = 0;
    bool *wanted = NULL, fits = true;
    ft_status status = FT_OK;
    Py_BEGIN_ALLOW_THREADS
    if (flags != Py_None)
        status = wanted_codes(&self->profile, flags, &wanted, &fits);
    wish.wanted = wanted;
    if (status == FT_OK && fits)
        status = ft_outline_make(&self->profile, &wish, &rows, &count);
    Py_END_ALLOW_THREADS
    if (status != FT_OK)
        fail(self, status, 0, NULL);
    else if (!fits)
        PyErr_SetString(PyExc_ValueError, "wanted must have one byte for each row of functions().");
    else
        list = ft_convert_outline(state_of(Py_TYPE(self)), &self->profile, rows, count);
    ft_mem_free(self->profile.mem, wanted);
    ft_mem_free(self->profile.mem, rows);
    return list;
}

static PyObject *profile_tree(PyObject *object, PyObject *args)
{
    profile_object *self = (profile_object *)object;
    ft_outline_wish wish = {.least = 0.0};
    Py_ssize_t rows = 0;
    PyObject *flags = Py_None;
    if (!PyArg_ParseTuple(args, "|dnO:tree", &wish.least, &rows, &flags))
        return NULL;
    if (flags != Py_None && !PyBytes_Check(flags))
        return PyErr_Format(PyExc_TypeError, "tree() takes wanted as bytes or None, not %.100s.",
                            Py_TYPE(flags)->tp_name);
    if (!(wish.least >= 0.0 && wish.least <= 1.0) || rows < 0) {
        PyErr_SetString(PyExc_ValueError, "tree() takes a share from 0 to 1 and 0 or more rows.");
        return NULL;
    }
    wish.rows = rows > (Py_ssize_t)UINT32_MAX ? UINT32_MAX : (uint32_t)rows;
    if (enter(self) < 0)
        return NULL;
    PyObject *list = tree_of(self, wish, flags);
    leave(self);
    return list;
}

static PyObject *profile_tree_columns(PyObject *object, PyObject *args)
{
    profile_object *self = (profile_object *)object;
    unsigned int rows = 0;
    if (!PyArg_ParseTuple(args, "|I:tree_columns", &rows) || enter(self) < 0)
        return NULL;
    PyObject *columns = ft_convert_columns(state_of(Py_TYPE(self)), &self->profile, rows);
    leave(self);
    return columns;
}

static PyObject *profile_totals(PyObject *object, PyObject *Py_UNUSED(unused))
{
    profile_object *self = (profile_object *)object;
    ft_status status = FT_OK;
    if (enter(self) < 0)
        return NULL;
    if (!self->is_summed) {
        Py_BEGIN_ALLOW_THREADS
        status = ft_query_totals(&self->profile, &self->totals);
        Py_END_ALLOW_THREADS
        self->is_summed = status == FT_OK;
    }
    const ft_totals totals = self->totals; /* what follows may run somebody's code */
    leave(self);
    if (status != FT_OK)
        return fail(self, status, 0, NULL);
    return ft_convert_totals(state_of(Py_TYPE(self)), &totals);
}

/* The table that make gives: one that is no more than the model's rows. */
static PyObject *table_of(PyObject *object,
                          PyObject *(*make)(const ft_module_state *, const ft_profile *))
{
    profile_object *self = (profile_object *)object;
    if (enter(self) < 0)
        return NULL;
    PyObject *list = make(state_of(Py_TYPE(self)), &self->profile);
    leave(self);
    return list;
}

static ft_totals sum_tree(const ft_profile *profile, const ft_tree *tree)
{
    ft_totals sum = {.nodes = tree->count};
    for (uint32_t id = 1; id < tree->count; id++) { /* not the root: it is no function */
        if (profile->codes.codes[tree->nodes[id].code].kind == FT_CODE_AWAITED)
            continue; /* no time of the thread */
        sum.calls += tree->nodes[id].calls;
        sum.own += tree->nodes[id].own;
        sum.waiting += tree->nodes[id].waiting;
    }
    return sum;
}

static PyObject *profile_threads(PyObject *object, PyObject *Py_UNUSED(unused))
{
    profile_object *self = (profile_object *)object;
    const ft_profile *profile = &self->profile;
    PyObject *list = NULL;
    if (enter(self) < 0)
        return NULL;
    ft_totals *sums = ft_mem_new(profile->mem, (size_t)profile->thread_count + 1, sizeof *sums);
    if (sums == NULL) {
        PyErr_NoMemory();
        goto end;
    }
    Py_BEGIN_ALLOW_THREADS
    for (uint32_t i = 0; i < profile->thread_count; i++)
        sums[i] = sum_tree(profile, &profile->threads[i].tree);
    Py_END_ALLOW_THREADS
    list = ft_convert_threads(state_of(Py_TYPE(self)), profile, sums);
end:
    ft_mem_free(profile->mem, sums);
    leave(self);
    return list;
}

#define TABLE(name)                                                                                \
    static PyObject *profile_##name(PyObject *object, PyObject *Py_UNUSED(unused))                 \
    {                                                                                              \
        return table_of(object, ft_convert_##name);                                                \
    }
TABLE(processes)
TABLE(notes)
TABLE(heaps)
TABLE(sites)
TABLE(moments)
TABLE(points)
TABLE(objects)
TABLE(classes)
TABLE(timings)
TABLE(spans)
TABLE(collection_sums)
#undef TABLE

static PyObject *profile_lines(PyObject *object, PyObject *Py_UNUSED(unused))
{
    profile_object *self = (profile_object *)object;
    if (enter(self) < 0)
        return NULL;
    Py_BEGIN_ALLOW_THREADS
    ft_lines_sort(&self->profile.lines);
    Py_END_ALLOW_THREADS
    PyObject *tables = ft_convert_lines(&self->profile);
    leave(self);
    return tables;
}

static PyObject *profile_source(PyObject *object, PyObject *file)
{
    profile_object *self = (profile_object *)object;
    if (!PyUnicode_Check(file))
        return PyErr_Format(PyExc_TypeError, "source() takes the name of a file, not %.100s.",
                            Py_TYPE(file)->tp_name);
    if (enter(self) < 0)
        return NULL;
    PyObject *text = ft_convert_source(&self->profile, file);
    leave(self);
    return text;
}

/* ---- writing ---- */

static PyObject *refuse_format(PyObject *format)
{
    PyObject *names = PyUnicode_FromString(ft_exporters[0]->name);
    for (const ft_exporter *const *at = ft_exporters + 1; *at != NULL && names != NULL; at++)
        Py_SETREF(names, PyUnicode_FromFormat("%U, %s", names, (*at)->name));
    if (names != NULL)
        PyErr_Format(PyExc_ValueError, "Unknown export format %R: choose one of %U.", format,
                     names);
    Py_XDECREF(names);
    return NULL;
}

static PyObject *profile_export(PyObject *object, PyObject *format)
{
    profile_object *self = (profile_object *)object;
    const ft_exporter *exporter = NULL;
    ft_status status;
    if (!PyUnicode_Check(format))
        return PyErr_Format(PyExc_TypeError, "export() takes the name of a format, not %.100s.",
                            Py_TYPE(format)->tp_name);
    for (size_t i = 0; ft_exporters[i] != NULL && exporter == NULL; i++)
        if (PyUnicode_CompareWithASCIIString(format, ft_exporters[i]->name) == 0)
            exporter = ft_exporters[i];
    if (exporter == NULL)
        return refuse_format(format);
    if (enter(self) < 0)
        return NULL;
    ft_buf out;
    ft_buf_init(&out, &ft_mem_system);
    Py_BEGIN_ALLOW_THREADS
    status = ft_exporter_write(exporter, &self->profile, &out);
    Py_END_ALLOW_THREADS
    leave(self);
    PyObject *bytes = NULL;
    if (status == FT_OK)
        bytes = PyBytes_FromStringAndSize((const char *)out.data, (Py_ssize_t)out.length);
    else
        fail(self, status, 0, NULL);
    ft_buf_fini(&out);
    return bytes;
}

static PyObject *profile_prune(PyObject *object, PyObject *args)
{
    profile_object *self = (profile_object *)object;
    long long nodes, frames = 0;
    ft_pruned told = {0};
    ft_status status;
    if (!PyArg_ParseTuple(args, "L|L:prune", &nodes, &frames))
        return NULL;
    if (nodes < 0 || frames < 0)
        return PyErr_Format(PyExc_ValueError, "prune() takes limits of 0 (none) or more.");
    ft_prune_limits limits = {(uint64_t)nodes, (uint64_t)frames};
    profile_object *pruned = profile_make(Py_TYPE(self));
    if (pruned == NULL || enter(self) < 0) {
        Py_XDECREF(pruned);
        return NULL;
    }
    Py_BEGIN_ALLOW_THREADS
    status = ft_prune(&pruned->profile, &self->profile, limits, &told);
    Py_END_ALLOW_THREADS
    leave(self);
    if (status != FT_OK) {
        Py_DECREF(pruned);
        return fail(self, status, 0, NULL);
    }
    pruned->report = self->report;
    return Py_BuildValue("NKKd", pruned, (unsigned long long)told.kept,
                         (unsigned long long)told.nodes, (double)told.own / 1e9);
}

static PyObject *write_to(profile_object *self, PyObject *file,
                          ft_status (*write_profile)(int, const ft_profile *))
{
    ft_status status;
    int number;
    int fd = PyObject_AsFileDescriptor(file);
    if (fd < 0 || enter(self) < 0)
        return NULL;
    Py_BEGIN_ALLOW_THREADS
    status = write_profile(fd, &self->profile);
    number = errno;
    Py_END_ALLOW_THREADS
    leave(self);
    if (status != FT_OK)
        return fail(self, status, number, NULL);
    Py_RETURN_NONE;
}

static PyObject *profile_begin(PyObject *self, PyObject *fd)
{
    return write_to((profile_object *)self, fd, ft_writer_begin);
}

static PyObject *profile_append(PyObject *self, PyObject *fd)
{
    return write_to((profile_object *)self, fd, ft_writer_append);
}

/* ---- the type and the module's functions ---- */

static PyObject *get_ended(PyObject *self, void *Py_UNUSED(closure))
{
    return PyBool_FromLong(((profile_object *)self)->report.ended);
}

static PyObject *get_torn(PyObject *self, void *Py_UNUSED(closure))
{
    return PyBool_FromLong(((profile_object *)self)->report.torn);
}

static PyObject *get_newer_chunks(PyObject *self, void *Py_UNUSED(closure))
{
    return PyLong_FromUnsignedLong(((profile_object *)self)->report.newer_chunks);
}

static PyObject *get_segments(PyObject *self, void *Py_UNUSED(closure))
{
    return PyLong_FromUnsignedLong(((profile_object *)self)->report.segments);
}

static PyGetSetDef profile_getters[] = {
    {"ended", get_ended, NULL, "Whether the recording is whole: its END was read.", NULL},
    {"torn", get_torn, NULL, "Whether the end of the file was damaged and left out.", NULL},
    {"newer_chunks", get_newer_chunks, NULL,
     "How many parts were skipped because a newer fettle wrote them.", NULL},
    {"segments", get_segments, NULL, "How many recordings the file that was read held.", NULL},
    {NULL, NULL, NULL, NULL, NULL}};

static PyMethodDef profile_methods[] = {
    {"read", profile_read, METH_O | METH_CLASS,
     "read($type, path, /)\n--\n\nReads one .fettle file. OSError, FileError, MemoryError."},
    {"merge", profile_merge, METH_O,
     "merge($self, other, /)\n--\n\nAdds all of another Profile. The result is ended if both were, "
     "torn if one was."},
    {"meta", profile_meta, METH_NOARGS,
     "meta($self, /)\n--\n\nThe properties of the recording, as a dict of str."},
    {"set_meta", profile_set_meta, METH_VARARGS,
     "set_meta($self, key, value, /)\n--\n\nSets one property of the recording."},
    {"functions", profile_functions, METH_NOARGS,
     "functions($self, /)\n--\n\nA list of FunctionRow, over all threads and processes."},
    {"edges", profile_edges, METH_NOARGS,
     "edges($self, /)\n--\n\nA list of EdgeRow: who called whom, by index into functions()."},
    {"tree", profile_tree, METH_VARARGS,
     "tree($self, least=0.0, rows=0, wanted=None, /)\n--\n\nA list of TreeRow: the call tree. "
     "What takes a smaller share of all time is folded into the row above; so is all but the "
     "heaviest rows, and what leads to no wanted one: a byte for each row of functions()."},
    {"tree_columns", profile_tree_columns, METH_VARARGS, FT_COLUMNS_DOC},
    {"totals", profile_totals, METH_NOARGS,
     "totals($self, /)\n--\n\nThe whole recording in five numbers."},
    {"processes", profile_processes, METH_NOARGS,
     "processes($self, /)\n--\n\nA list of ProcessRow."},
    {"threads", profile_threads, METH_NOARGS, "threads($self, /)\n--\n\nA list of ThreadRow."},
    {"notes", profile_notes, METH_NOARGS, "notes($self, /)\n--\n\nA list of NoteRow."},
    {"heaps", profile_heaps, METH_NOARGS,
     "heaps($self, /)\n--\n\nA list of HeapRow: of each process that recorded memory."},
    {"sites", profile_sites, METH_NOARGS,
     "sites($self, /)\n--\n\nA list of SiteRow: where memory was allocated, callers first."},
    {"moments", profile_moments, METH_NOARGS,
     "moments($self, /)\n--\n\nA list of MomentRow: the heaps' timelines."},
    {"points", profile_points, METH_NOARGS,
     "points($self, /)\n--\n\nA list of PointRow: what was alive at moments the program named."},
    {"objects", profile_objects, METH_NOARGS,
     "objects($self, /)\n--\n\nA list of ObjectRow: what was alive at the end, by type and site."},
    {"classes", profile_classes, METH_NOARGS,
     "classes($self, /)\n--\n\nA list of ClassRow: what __slots__ would save."},
    {"timings", profile_timings, METH_NOARGS,
     "timings($self, /)\n--\n\nA list of TimingRow: what `fettle time` measured."},
    {"spans", profile_spans, METH_NOARGS,
     "spans($self, /)\n--\n\n(a list of CollectionRow, a list of ThreadSpanRow): when."},
    {"collection_sums", profile_collection_sums, METH_NOARGS,
     "collection_sums($self, /)\n--\n\nA list of CollectionSumRow: all garbage collections."},
    {"add_timing", (PyCFunction)(void (*)(void))profile_add_timing, METH_VARARGS | METH_KEYWORDS,
     FT_TIMING_DOC},
    {"lines", profile_lines, METH_NOARGS,
     "lines($self, /)\n--\n\nA list of (file, first line, name, qualname, calls, rows), sorted; "
     "rows: a list of (line, hits, time, waiting, callees), times in ns."},
    {"source", profile_source, METH_O,
     "source($self, file, /)\n--\n\nWhat that file held when its lines were recorded, or None."},
    {"set_source", profile_set_source, METH_VARARGS,
     "set_source($self, file, text, /)\n--\n\nSays what that file holds; one that has a text "
     "already keeps it."},
    {"export", profile_export, METH_O,
     "export($self, format, /)\n--\n\nThe recording in another format, as bytes; see exporters()."},
    {"prune", profile_prune, METH_VARARGS,
     "prune($self, nodes, frames=0, /)\n--\n\nA copy of the heaviest nodes: the profile, the "
     "numbers of nodes kept and left out, and the own time of the latter in seconds."},
    {"begin", profile_begin, METH_O,
     "begin($self, fd, /)\n--\n\nWrites the header and the meta to a new file: a recording that "
     "has not ended."},
    {"append", profile_append, METH_O,
     "append($self, fd, /)\n--\n\nAppends the whole recording and END. OSError: the file is as "
     "before."},
    {"harvest", profile_harvest, METH_VARARGS,
     "harvest($self, directory, dead_pid=0, dead_cpu=0.0, /)\n--\n\nAdds what the arenas in "
     "directory hold; gives their number. dead_pid: a process that died just now; dead_cpu: its "
     "CPU time in seconds."},
    {NULL, NULL, 0, NULL}};

static PyType_Slot profile_slots[] = {{Py_tp_doc, (void *)"A recording in memory."},
                                      {Py_tp_new, (void *)profile_new},
                                      {Py_tp_dealloc, (void *)profile_dealloc},
                                      {Py_tp_methods, profile_methods},
                                      {Py_tp_getset, profile_getters},
                                      {0, NULL}};

static PyType_Spec profile_spec = {.name = "fettle._core.Profile",
                                   .basicsize = sizeof(profile_object),
                                   .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE,
                                   .slots = profile_slots};

int ft_profile_type_add(PyObject *module, ft_module_state *state)
{
    if (ft_convert_types_add(module, state) < 0 || ft_convert_memory_types_add(module, state) < 0 ||
        ft_convert_timing_types_add(module, state) < 0 ||
        ft_convert_span_types_add(module, state) < 0)
        return -1;
    state->profile_type = (PyTypeObject *)PyType_FromModuleAndSpec(module, &profile_spec, NULL);
    if (state->profile_type == NULL)
        return -1;
    return PyModule_AddType(module, state->profile_type);
}
