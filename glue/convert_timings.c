/* SPDX-License-Identifier: Apache-2.0 */
/* convert_timings.c: series of samples and Python objects (see convert_timings.h).
 *
 * A series that is added is made in a Profile of its own first: so a wrong value, or code of the
 * caller's that runs while its arguments are looked at, can leave nothing half done in one that
 * others see. */
#include "glue/convert_timings.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "glue/convert.h"
#include "glue/rows.h"
#include "glue/types/profile.h"

static const ft_row_shape timing_row = {
    "fettle._core.TimingRow",
    "A series of samples: what `fettle time` measured of one candidate.",
    {{"label", "what was timed"},
     {"clock", "\"cpu\" or \"wall\""},
     {"loops", "calls a sample"},
     {"empty", "seconds a call of the empty loop, already subtracted"},
     {"groups", "for each process an array('d'): seconds a call, as they were measured"},
     {"memory", "bytes and blocks that one call allocated, or None"},
     {"peak", "bytes at the highest point of a call, or None"},
     {"counters", "for one call: a number by the name of the counter"},
     {"together", "whether sample i of a group is of the same round as that of the row before"}}};

static const char *const clocks[FT_SERIES_CLOCKS] = {
    [FT_SERIES_CPU] = "cpu", [FT_SERIES_WALL] = "wall"};

int ft_convert_timing_types_add(PyObject *module, ft_module_state *state)
{
    state->timing_row_type = ft_row_type_add(module, &timing_row);
    return state->timing_row_type == NULL ? -1 : 0;
}

/* ---- to Python ---- */

/* Where the rows of each kind that are not given yet begin. */
typedef struct rest {
    const ft_profile *profile;
    PyObject *array_type;
    uint32_t counter, group;
} rest;

static PyObject *group_make(const rest *of, const ft_group *group)
{
    const double *seconds = of->profile->samples.seconds;
    PyObject *bytes =
        PyBytes_FromStringAndSize(group->count == 0 ? NULL : (const char *)(seconds + group->first),
                                  (Py_ssize_t)(group->count * sizeof *seconds));
    PyObject *array =
        bytes == NULL ? NULL : PyObject_CallFunction(of->array_type, "sO", "d", bytes);
    Py_XDECREF(bytes);
    return array;
}

static PyObject *groups_make(rest *of, uint32_t series)
{
    const ft_samples *samples = &of->profile->samples;
    const uint32_t first = of->group;
    while (of->group < samples->group_count && samples->groups[of->group].series == series)
        of->group++;
    PyObject *groups = PyTuple_New((Py_ssize_t)(of->group - first));
    for (uint32_t i = first; i < of->group && groups != NULL; i++) {
        PyObject *group = group_make(of, &samples->groups[i]);
        if (group == NULL)
            Py_CLEAR(groups);
        else
            PyTuple_SET_ITEM(groups, (Py_ssize_t)(i - first), group);
    }
    return groups;
}

static PyObject *counters_make(rest *of, uint32_t series)
{
    const ft_samples *samples = &of->profile->samples;
    PyObject *counters = PyDict_New();
    for (; of->counter < samples->counter_count && samples->counters[of->counter].series == series;
         of->counter++) {
        const ft_counter *counter = &samples->counters[of->counter];
        PyObject *name = ft_convert_text(ft_strtab_get(&of->profile->texts, counter->name));
        PyObject *value = PyFloat_FromDouble(counter->value);
        if (counters != NULL &&
            (name == NULL || value == NULL || PyDict_SetItem(counters, name, value) < 0))
            Py_CLEAR(counters);
        Py_XDECREF(value);
        Py_XDECREF(name);
    }
    return counters;
}

static ft_row timing_row_make(const ft_module_state *state, rest *of, uint32_t index)
{
    const ft_series *series = &of->profile->samples.series[index];
    ft_row made = ft_row_start(state->timing_row_type);
    ft_row_put_text(&made, ft_strtab_get(&of->profile->texts, series->label));
    ft_row_put_text(&made, (ft_text){clocks[series->clock], strlen(clocks[series->clock])});
    ft_row_put_number(&made, series->loops);
    if (made.object != NULL)
        ft_row_put(&made, PyFloat_FromDouble(series->empty));
    if (made.object != NULL)
        ft_row_put(&made, groups_make(of, index));
    if (made.object != NULL)
        ft_row_put(&made, (series->flags & FT_SERIES_HAS_MEMORY) == 0
                              ? Py_NewRef(Py_None)
                              : Py_BuildValue("(KK)", (unsigned long long)series->bytes,
                                              (unsigned long long)series->blocks));
    if ((series->flags & FT_SERIES_HAS_PEAK) != 0)
        ft_row_put_number(&made, series->peak);
    else if (made.object != NULL)
        ft_row_put(&made, Py_NewRef(Py_None));
    if (made.object != NULL)
        ft_row_put(&made, counters_make(of, index));
    if (made.object != NULL)
        ft_row_put(&made, PyBool_FromLong((series->flags & FT_SERIES_TOGETHER) != 0));
    return made;
}

PyObject *ft_convert_timings(const ft_module_state *state, const ft_profile *profile)
{
    const uint32_t count = profile->samples.series_count;
    PyObject *list = PyList_New((Py_ssize_t)count);
    PyObject *module = list == NULL ? NULL : PyImport_ImportModule("array");
    rest of = {.profile = profile};
    of.array_type = module == NULL ? NULL : PyObject_GetAttrString(module, "array");
    if (of.array_type == NULL)
        Py_CLEAR(list);
    for (uint32_t i = 0; i < count && list != NULL; i++) {
        ft_row made = timing_row_make(state, &of, i);
        if (ft_row_end(list, i, &made) < 0)
            Py_CLEAR(list);
    }
    Py_XDECREF(of.array_type);
    Py_XDECREF(module);
    return list;
}

/* ---- from Python: each gives 0, or -1 with an exception ---- */

/* What the engine did not take. */
static int fail(const ft_module_state *state, ft_status status)
{
    if (status == FT_ERR_LIMIT)
        PyErr_SetString(PyExc_ValueError, "A profile has no room for so many series, counters or "
                                          "samples.");
    else if (status != FT_OK)
        ft_convert_error(state, status, 0, NULL);
    return status == FT_OK ? 0 : -1;
}

static int intern(const ft_module_state *state, ft_profile *profile, PyObject *text, uint32_t *id)
{
    PyObject *bytes = PyUnicode_AsEncodedString(text, "utf-8", "backslashreplace");
    if (bytes == NULL)
        return -1;
    ft_status status = ft_strtab_intern(&profile->texts, PyBytes_AS_STRING(bytes),
                                        (size_t)PyBytes_GET_SIZE(bytes), id);
    Py_DECREF(bytes);
    return fail(state, status);
}

static int read_number(PyObject *from, const char *what, uint64_t *number)
{
    PyObject *index = PyNumber_Index(from);
    if (index == NULL)
        return -1;
    *number = PyLong_AsUnsignedLongLong(index);
    Py_DECREF(index);
    if (!PyErr_Occurred())
        return 0;
    if (PyErr_ExceptionMatches(PyExc_OverflowError))
        PyErr_Format(PyExc_ValueError, "add_timing() takes %s from 0 to 2**64 - 1, not %R.", what,
                     from);
    return -1;
}

static int read_memory(PyObject *from, ft_series *series)
{
    if (from == Py_None)
        return 0;
    if (!PyTuple_Check(from) || PyTuple_GET_SIZE(from) != 2) {
        PyErr_SetString(PyExc_TypeError, "add_timing() takes memory as a tuple of the bytes and "
                                         "the blocks of a call.");
        return -1;
    }
    series->flags |= FT_SERIES_HAS_MEMORY;
    if (read_number(PyTuple_GET_ITEM(from, 0), "bytes", &series->bytes) < 0)
        return -1;
    return read_number(PyTuple_GET_ITEM(from, 1), "blocks", &series->blocks);
}

static int read_clock(PyObject *from, uint32_t *clock)
{
    for (uint32_t i = FT_SERIES_CPU; i < FT_SERIES_CLOCKS; i++)
        if (PyUnicode_CompareWithASCIIString(from, clocks[i]) == 0)
            *clock = i;
    if (*clock == 0)
        PyErr_Format(PyExc_ValueError, "add_timing() takes the clock \"cpu\" or \"wall\", not %R.",
                     from);
    return *clock == 0 ? -1 : 0;
}

/* The samples of a group. A buffer may begin anywhere, doubles may not. */
static int add_samples(const ft_module_state *state, ft_samples *samples, const Py_buffer *view)
{
    void *copy = NULL;
    if ((uintptr_t)view->buf % _Alignof(double) != 0) {
        copy = PyMem_Malloc((size_t)view->len);
        if (copy == NULL) {
            PyErr_NoMemory();
            return -1;
        }
        memcpy(copy, view->buf, (size_t)view->len);
    }
    ft_status status = ft_samples_add_group(samples, 0);
    if (status == FT_OK)
        status = ft_samples_add_seconds(samples, copy == NULL ? view->buf : copy,
                                        (uint32_t)((size_t)view->len / sizeof(double)));
    PyMem_Free(copy);
    if (status != FT_ERR_CORRUPT)
        return fail(state, status);
    PyErr_SetString(PyExc_ValueError, "add_timing() takes finite samples only.");
    return -1;
}

static int add_group(const ft_module_state *state, ft_samples *samples, PyObject *group)
{
    Py_buffer view;
    if (PyObject_GetBuffer(group, &view, PyBUF_FORMAT | PyBUF_ND) < 0)
        return -1;
    int result = -1;
    if (view.format == NULL || strcmp(view.format, "d") != 0 || view.ndim != 1)
        PyErr_SetString(PyExc_TypeError, "add_timing() takes each group as an array('d') or "
                                         "another buffer of doubles.");
    else if ((uint64_t)view.len / sizeof(double) > UINT32_MAX)
        result = fail(state, FT_ERR_LIMIT);
    else
        result = add_samples(state, samples, &view);
    PyBuffer_Release(&view);
    return result;
}

static int add_groups(const ft_module_state *state, ft_samples *samples, PyObject *groups)
{
    PyObject *all = PySequence_Tuple(groups); /* fixed, whatever the buffers' code does */
    int result = all == NULL ? -1 : 0;
    for (Py_ssize_t i = 0; result == 0 && i < PyTuple_GET_SIZE(all); i++)
        result = add_group(state, samples, PyTuple_GET_ITEM(all, i));
    Py_XDECREF(all);
    return result;
}

static int add_counter(const ft_module_state *state, ft_profile *profile, PyObject *item)
{
    PyObject *name, *value;
    ft_counter counter = {.series = 0};
    if (!PyTuple_Check(item)) {
        PyErr_Format(PyExc_TypeError, "add_timing() takes counters as a dict, not with %R in it.",
                     item);
        return -1;
    }
    if (!PyArg_ParseTuple(item, "UO:counters", &name, &value) ||
        intern(state, profile, name, &counter.name) < 0)
        return -1;
    counter.value = PyFloat_AsDouble(value);
    if (PyErr_Occurred())
        return -1;
    ft_status status = ft_samples_add_counter(&profile->samples, &counter);
    if (status != FT_ERR_CORRUPT)
        return fail(state, status);
    PyErr_Format(PyExc_ValueError, "add_timing() takes finite counters, each name once, not %R.",
                 item);
    return -1;
}

static int add_counters(const ft_module_state *state, ft_profile *profile, PyObject *counters)
{
    if (counters == Py_None)
        return 0;
    PyObject *items = PyMapping_Items(counters);
    int result = items == NULL ? -1 : 0;
    for (Py_ssize_t i = 0; result == 0 && i < PyList_GET_SIZE(items); i++) {
        PyObject *item = Py_NewRef(PyList_GET_ITEM(items, i));
        result = add_counter(state, profile, item);
        Py_DECREF(item);
    }
    Py_XDECREF(items);
    return result;
}

/* The series itself: all but its counters and groups. */
static int add_series(const ft_module_state *state, ft_profile *profile, PyObject *args,
                      PyObject *kwargs, PyObject **groups, PyObject **counters)
{
    static char *words[] = {"label",  "clock", "loops",    "empty",    "groups",
                            "memory", "peak",  "counters", "together", NULL};
    int together = 0;
    PyObject *label, *clock, *loops, *memory = Py_None, *peak = Py_None;
    ft_series series = {0};
    *counters = Py_None;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "UUOdO|OOOp:add_timing", words, &label, &clock,
                                     &loops, &series.empty, groups, &memory, &peak, counters,
                                     &together) ||
        read_clock(clock, &series.clock) < 0 || read_number(loops, "loops", &series.loops) < 0 ||
        read_memory(memory, &series) < 0)
        return -1;
    series.flags |= together ? FT_SERIES_TOGETHER : 0;
    if (peak != Py_None) {
        series.flags |= FT_SERIES_HAS_PEAK;
        if (read_number(peak, "a peak", &series.peak) < 0)
            return -1;
    }
    if (intern(state, profile, label, &series.label) < 0)
        return -1;
    ft_status status = ft_samples_add_series(&profile->samples, &series);
    if (status != FT_ERR_CORRUPT)
        return fail(state, status);
    PyErr_SetString(PyExc_ValueError, "add_timing() takes loops of 1 or more and an empty loop of "
                                      "0 seconds or more.");
    return -1;
}

PyObject *ft_convert_timing(const ft_module_state *state, PyObject *args, PyObject *kwargs)
{
    ft_profile *profile;
    PyObject *groups, *counters;
    PyObject *made = ft_profile_object_new(state, &profile);
    if (made == NULL)
        return NULL;
    ft_profile_object_end(made);
    if (add_series(state, profile, args, kwargs, &groups, &counters) < 0 ||
        add_groups(state, &profile->samples, groups) < 0 ||
        add_counters(state, profile, counters) < 0)
        Py_CLEAR(made);
    return made;
}
