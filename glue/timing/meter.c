/* SPDX-License-Identifier: Apache-2.0 */
/* meter.c: what a piece of code took (see meter.h).
 *
 * start() and stop() are called by the measured function itself, beside the loop, so that a
 * coroutine is measured inside its event loop and a statement's setup is not measured. The clocks
 * are read in one order by start() and in the opposite one by stop(), the wall clock nearest to the
 * code: each clock's span holds those of the clocks inside it, a constant that a loop of nothing
 * shows and that its caller subtracts. Nothing is allocated between the readings. */
#if defined(__linux__) && !defined(_GNU_SOURCE)
#define _GNU_SOURCE /* RUSAGE_THREAD */
#endif

#include "glue/timing/meter.h"

#include <errno.h>
#include <stdbool.h>
#include <sys/resource.h>
#include <unistd.h>
#ifdef __linux__
#include <signal.h>
#include <sys/prctl.h>
#endif

#include "engine/base/clock.h"
#include "engine/base/counters.h"
#include "glue/rows.h"

#ifdef RUSAGE_THREAD
#define USAGE_OF RUSAGE_THREAD
#else
#define USAGE_OF RUSAGE_SELF
#endif

typedef struct instant {
    unsigned long thread_id;
    uint64_t wall, process, thread; /* ns */
    struct rusage usage;
    ft_counter_reading counters;
} instant;

typedef struct meter_object {
    PyObject_HEAD
    ft_counters counters;
    bool has_started;
    instant started;
} meter_object;

/* ---- the readings ---- */

static PyObject *meter_start(PyObject *object, PyObject *unused)
{
    (void)unused;
    meter_object *self = (meter_object *)object;
    instant *at = &self->started;
    self->has_started = true;
    at->thread_id = PyThread_get_thread_ident();
    ft_counters_read(&self->counters, &at->counters);
    getrusage(USAGE_OF, &at->usage);
    at->thread = ft_clock_ns(CLOCK_THREAD_CPUTIME_ID);
    at->process = ft_clock_ns(CLOCK_PROCESS_CPUTIME_ID);
    at->wall = ft_clock_ns(CLOCK_MONOTONIC);
    Py_RETURN_NONE;
}

static void read_end(const meter_object *self, instant *at)
{
    at->wall = ft_clock_ns(CLOCK_MONOTONIC);
    at->process = ft_clock_ns(CLOCK_PROCESS_CPUTIME_ID);
    at->thread = ft_clock_ns(CLOCK_THREAD_CPUTIME_ID);
    getrusage(USAGE_OF, &at->usage);
    at->counters = self->started.counters;
    ft_counters_read(&self->counters, &at->counters);
}

/* A tuple of floats in the order of `counters`; NaN for one that had no turn. */
static PyObject *counted(const meter_object *self, const instant *to)
{
    PyObject *values = PyTuple_New((Py_ssize_t)self->counters.count);
    for (size_t i = 0; values != NULL && i < self->counters.count; i++) {
        double between = ft_counters_between(&self->started.counters, &to->counters, i);
        PyObject *value = PyFloat_FromDouble(between < 0 ? Py_NAN : between);
        if (value == NULL)
            Py_CLEAR(values);
        else
            PyTuple_SET_ITEM(values, (Py_ssize_t)i, value);
    }
    return values;
}

/* A child of fork() has clocks and counts of its own, which begin at 0. */
static uint64_t between(uint64_t from, uint64_t to)
{
    return to > from ? to - from : 0;
}

static long more(long from, long to)
{
    return to > from ? to - from : 0;
}

/* 0, or -1 with an exception. */
static int need_start(const meter_object *self)
{
    if (!self->has_started)
        PyErr_SetString(PyExc_RuntimeError, "stop() ends what start() began: call it first");
    else if (self->started.thread_id != PyThread_get_thread_ident())
        PyErr_SetString(PyExc_RuntimeError, "start() was called in another thread, whose clocks "
                                            "are not those of this one: call stop() there");
    else
        return 0;
    return -1;
}

static PyObject *meter_stop(PyObject *object, PyObject *unused)
{
    (void)unused;
    meter_object *self = (meter_object *)object;
    const instant *from = &self->started;
    instant to;
    read_end(self, &to);
    const ft_module_state *state = ft_module_state_of(Py_TYPE(object));
    if (state == NULL || need_start(self) < 0)
        return NULL;
    ft_row row = ft_row_start(state->reading_type);
    ft_row_put_seconds(&row, between(from->wall, to.wall));
    ft_row_put_seconds(&row, between(from->process, to.process));
    ft_row_put_seconds(&row, between(from->thread, to.thread));
    ft_row_put_index(&row, more(from->usage.ru_nvcsw, to.usage.ru_nvcsw));
    ft_row_put_index(&row, more(from->usage.ru_nivcsw, to.usage.ru_nivcsw));
    ft_row_put_index(&row, more(from->usage.ru_minflt, to.usage.ru_minflt));
    ft_row_put_index(&row, more(from->usage.ru_majflt, to.usage.ru_majflt));
    ft_row_put(&row, row.object == NULL ? NULL : counted(self, &to));
    return row.object;
}

static PyObject *meter_counters(PyObject *object, void *unused)
{
    (void)unused;
    const ft_counters *counters = &((meter_object *)object)->counters;
    PyObject *names = PyTuple_New((Py_ssize_t)counters->count);
    for (size_t i = 0; names != NULL && i < counters->count; i++) {
        PyObject *name = PyUnicode_InternFromString(ft_counter_name(counters->kinds[i]));
        if (name == NULL)
            Py_CLEAR(names);
        else
            PyTuple_SET_ITEM(names, (Py_ssize_t)i, name);
    }
    return names;
}

/* ---- the type ---- */

/* Which of them: True, False, or names, for tests of machines that have none in hardware. */
static int wanted_of(PyObject *given, ft_counter *wanted, size_t *count)
{
    *count = 0;
    int all = PyBool_Check(given) ? given == Py_True : -1;
    PyObject *names = all >= 0 ? NULL : PySequence_Tuple(given);
    if (all < 0 && names == NULL)
        return -1;
    for (ft_counter each = 0; each < FT_COUNTER_END; each++) {
        bool take = all == 1 && each < FT_COUNTER_HARDWARE_END;
        for (Py_ssize_t i = 0; names != NULL && i < PyTuple_GET_SIZE(names); i++) {
            PyObject *name = PyTuple_GET_ITEM(names, i);
            take = take || (PyUnicode_Check(name) &&
                            PyUnicode_CompareWithASCIIString(name, ft_counter_name(each)) == 0);
        }
        if (take)
            wanted[(*count)++] = each;
    }
    Py_XDECREF(names);
    return 0;
}

static PyObject *meter_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    static char *words[] = {"counters", NULL};
    PyObject *given = Py_False;
    ft_counter wanted[FT_COUNTER_END];
    size_t count;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|O:Meter", words, &given) ||
        wanted_of(given, wanted, &count) < 0)
        return NULL;
    meter_object *self = (meter_object *)type->tp_alloc(type, 0);
    if (self != NULL)
        ft_counters_open(&self->counters, wanted, count);
    return (PyObject *)self;
}

static void meter_dealloc(PyObject *object)
{
    PyTypeObject *type = Py_TYPE(object);
    ft_counters_close(&((meter_object *)object)->counters);
    type->tp_free(object);
    Py_DECREF(type);
}

PyDoc_STRVAR(meter_doc,
             "Meter(counters=False)\n--\n\n"
             "The clocks around a piece of code. counters: those of the processor too, as far as\n"
             "the system lets this thread have them.");
PyDoc_STRVAR(start_doc, "start($self, /)\n--\n\nFrom here on.");
PyDoc_STRVAR(stop_doc, "stop($self, /)\n--\n\nWhat happened since start(), as a Reading.");
PyDoc_STRVAR(counters_doc, "Names of the counters that there are, as Reading.counters has them.");

static PyMethodDef meter_methods[] = {
    {"start", meter_start, METH_NOARGS, start_doc},
    {"stop", meter_stop, METH_NOARGS, stop_doc},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef meter_getters[] = {
    {"counters", meter_counters, NULL, counters_doc, NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyType_Slot meter_slots[] = {
    {Py_tp_doc, (void *)meter_doc},         {Py_tp_new, (void *)meter_new},
    {Py_tp_dealloc, (void *)meter_dealloc}, {Py_tp_methods, (void *)meter_methods},
    {Py_tp_getset, (void *)meter_getters},  {0, NULL},
};

static PyType_Spec meter_spec = {
    .name = "fettle._core.Meter",
    .basicsize = sizeof(meter_object),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = meter_slots,
};

static const ft_row_shape reading_shape = {
    "fettle._core.Reading",
    "What happened between start() and stop() of a Meter.",
    {
        {"wall", "seconds"},
        {"cpu", "seconds of CPU time of the process"},
        {"thread", "seconds of CPU time of the thread"},
        {"waits", "voluntary context switches of the thread"},
        {"preempted", "involuntary ones"},
        {"faults", "page faults that the memory answered"},
        {"reads", "page faults that had to read a disk"},
        {"counters", "a tuple of floats, in the order of Meter.counters"},
    },
};

int ft_meter_type_add(PyObject *module, ft_module_state *state)
{
    state->reading_type = ft_row_type_add(module, &reading_shape);
    PyObject *type =
        state->reading_type == NULL ? NULL : PyType_FromModuleAndSpec(module, &meter_spec, NULL);
    if (type == NULL)
        return -1;
    int result = PyModule_AddType(module, (PyTypeObject *)type);
    Py_DECREF(type);
    return result;
}

/* ---- the process that measures ---- */

const char ft_core_end_with_doc[] =
    "end_with(parent, /)\n--\n\n"
    "This process is killed when the process `parent`, which started it, ends. False: it\n"
    "has ended already. Where the system offers nothing of the kind, nothing happens.";

PyObject *ft_core_end_with(PyObject *module, PyObject *parent)
{
    (void)module;
    long pid = PyLong_AsLong(parent);
    if (pid == -1 && PyErr_Occurred() != NULL)
        return NULL;
#ifdef __linux__
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0)
        return PyErr_SetFromErrno(PyExc_OSError);
#endif
    return PyBool_FromLong((long)getppid() == pid);
}
