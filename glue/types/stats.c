/* SPDX-License-Identifier: Apache-2.0 */
/* stats.c: fettle._core.Stats (see stats.h).
 *
 * A thin shell around ft_summary, with Profile's tables, so that a report takes either. Invariant:
 * the summary is settled, and changes in merge() alone, which keeps the GIL: it and the tables
 * never run at once. A finaliser that building a table runs must not merge, hence `busy`. The
 * object refers to no Python object, so it needs no collector. */
#include "glue/types/stats.h"

#include <assert.h>
#include <stdbool.h>

#include "engine/file/load.h"
#include "engine/file/pstats_reader.h"
#include "glue/convert.h"

typedef struct stats_object {
    PyObject_HEAD
    ft_summary summary;
    uint32_t busy; /* how many tables are being built; protected by the GIL */
} stats_object;

static ft_module_state *state_of(PyTypeObject *type)
{
    return PyType_GetModuleState(type);
}

/* ---- making and ending ---- */

static PyObject *stats_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    (void)type, (void)args, (void)kwargs;
    PyErr_SetString(PyExc_TypeError, "Stats are not made: use Stats.read(path).");
    return NULL;
}

static void stats_dealloc(PyObject *object)
{
    PyTypeObject *type = Py_TYPE(object);
    assert(((stats_object *)object)->busy == 0); /* a call at work holds a reference */
    ft_summary_fini(&((stats_object *)object)->summary);
    type->tp_free(object);
    Py_DECREF(type); /* an instance of a heap type holds its type */
}

/* No GIL is held. number gets errno for FT_ERR_IO. */
static ft_status read_path(const char *path, ft_summary *summary, int *number)
{
    ft_load file;
    ft_status status = ft_load_file(&file, summary->mem, path, FT_PSTATS_BYTES_MAX,
                                    ft_pstats_reader_is_pstats, number);
    if (status != FT_OK)
        return status;
    status = ft_pstats_reader_read(file.bytes, file.length, summary);
    ft_load_fini(&file);
    return status;
}

static PyObject *stats_read(PyObject *class, PyObject *path)
{
    PyTypeObject *type = (PyTypeObject *)class;
    PyObject *name;
    int number = 0;
    if (!PyUnicode_FSConverter(path, &name))
        return NULL;
    stats_object *self = (stats_object *)type->tp_alloc(type, 0);
    if (self == NULL)
        goto end;
    ft_status status = ft_summary_init(&self->summary, &ft_mem_system);
    if (status == FT_OK) {
        Py_BEGIN_ALLOW_THREADS
        status = read_path(PyBytes_AS_STRING(name), &self->summary, &number);
        Py_END_ALLOW_THREADS
    }
    if (status != FT_OK) {
        ft_convert_error(state_of(type), status, number, path);
        Py_CLEAR(self);
    }
end:
    Py_DECREF(name);
    return (PyObject *)self;
}

static PyObject *stats_merge(PyObject *object, PyObject *other_object)
{
    stats_object *self = (stats_object *)object, *other = (stats_object *)other_object;
    if (Py_TYPE(other_object) != Py_TYPE(object))
        return PyErr_Format(PyExc_TypeError, "merge() takes Stats, not %.100s.",
                            Py_TYPE(other_object)->tp_name);
    if (self == other) {
        PyErr_SetString(PyExc_ValueError, "Stats can not be merged into themselves.");
        return NULL;
    }
    if (self->busy > 0) {
        PyErr_SetString(PyExc_RuntimeError, "A table of these Stats is being built: wait until "
                                            "that call has returned, then try again.");
        return NULL;
    }
    ft_status status = ft_summary_merge(&self->summary, &other->summary);
    if (status != FT_OK)
        return ft_convert_error(state_of(Py_TYPE(self)), status, 0, NULL);
    Py_RETURN_NONE;
}

/* ---- tables ---- */

static PyObject *stats_functions(PyObject *object, PyObject *Py_UNUSED(unused))
{
    stats_object *self = (stats_object *)object;
    const ft_summary *summary = &self->summary;
    self->busy++;
    PyObject *list = ft_convert_functions(state_of(Py_TYPE(self)), &summary->texts, &summary->codes,
                                          summary->functions, summary->function_count);
    self->busy--;
    return list;
}

static PyObject *stats_edges(PyObject *object, PyObject *Py_UNUSED(unused))
{
    stats_object *self = (stats_object *)object;
    const ft_summary *summary = &self->summary;
    self->busy++;
    PyObject *list = ft_convert_edges(state_of(Py_TYPE(self)), &summary->codes, summary->functions,
                                      summary->function_count, summary->edges, summary->edge_count);
    self->busy--;
    return list;
}

static PyObject *stats_totals(PyObject *object, PyObject *Py_UNUSED(unused))
{
    ft_totals totals = ft_summary_totals(&((stats_object *)object)->summary);
    return ft_convert_totals(state_of(Py_TYPE(object)), &totals);
}

static PyObject *no_rows(PyObject *Py_UNUSED(self), PyObject *Py_UNUSED(unused))
{
    return PyList_New(0);
}

static PyObject *no_meta(PyObject *Py_UNUSED(self), PyObject *Py_UNUSED(unused))
{
    return PyDict_New();
}

/* ---- the type ---- */

static PyObject *get_sampled(PyObject *self, void *Py_UNUSED(closure))
{
    return PyBool_FromLong(((stats_object *)self)->summary.sampled);
}

static PyObject *get_untimed(PyObject *self, void *Py_UNUSED(closure))
{
    return PyBool_FromLong(((stats_object *)self)->summary.untimed);
}

static PyGetSetDef stats_getters[] = {
    {"sampled", get_sampled, NULL, "Whether calls are how often a function was seen.", NULL},
    {"untimed", get_untimed, NULL, "Whether some edges have calls only.", NULL},
    {NULL, NULL, NULL, NULL, NULL}};

static PyMethodDef stats_methods[] = {
    {"read", stats_read, METH_O | METH_CLASS,
     "read($type, path, /)\n--\n\nReads one file of cProfile, profile or pstats. OSError, "
     "FileError, MemoryError."},
    {"merge", stats_merge, METH_O,
     "merge($self, other, /)\n--\n\nAdds all of other Stats, as pstats.Stats.add does."},
    {"functions", stats_functions, METH_NOARGS,
     "functions($self, /)\n--\n\nA list of FunctionRow. A function that only an edge names has a "
     "row of zeros."},
    {"edges", stats_edges, METH_NOARGS, "edges($self, /)\n--\n\nA list of EdgeRow."},
    {"totals", stats_totals, METH_NOARGS, "totals($self, /)\n--\n\nThe sums of all functions."},
    {"processes", no_rows, METH_NOARGS, "processes($self, /)\n--\n\n[]: the file names none."},
    {"threads", no_rows, METH_NOARGS, "threads($self, /)\n--\n\n[]: the file names none."},
    {"notes", no_rows, METH_NOARGS, "notes($self, /)\n--\n\n[]: the file has none."},
    {"meta", no_meta, METH_NOARGS, "meta($self, /)\n--\n\n{}: the file has none."},
    {NULL, NULL, 0, NULL}};

static PyType_Slot stats_slots[] = {{Py_tp_doc, (void *)"What cProfile wrote, in memory."},
                                    {Py_tp_new, (void *)stats_new},
                                    {Py_tp_dealloc, (void *)stats_dealloc},
                                    {Py_tp_methods, stats_methods},
                                    {Py_tp_getset, stats_getters},
                                    {0, NULL}};

static PyType_Spec stats_spec = {.name = "fettle._core.Stats",
                                 .basicsize = sizeof(stats_object),
                                 .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE,
                                 .slots = stats_slots};

int ft_stats_type_add(PyObject *module, ft_module_state *state)
{
    assert(state->edge_row_type != NULL);
    state->stats_type = (PyTypeObject *)PyType_FromModuleAndSpec(module, &stats_spec, NULL);
    if (state->stats_type == NULL)
        return -1;
    return PyModule_AddType(module, state->stats_type);
}
