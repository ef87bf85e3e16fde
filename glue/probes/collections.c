/* SPDX-License-Identifier: Apache-2.0 */
/* collections.c: the probe of garbage collections (see collections.h).
 *
 * In between a collection's start and its end the interpreter does not begin another one, so one
 * time is enough. An end whose start was not heard of is not counted. */
#include "glue/probes/collections.h"

#include <errno.h>

#include "engine/record/span_log.h"
#include "glue/probes/allocs.h"
#include "glue/probes/session.h"

enum { GENERATION, COLLECTED, UNCOLLECTABLE, KEYS };

typedef struct ft_collector {
    PyObject *list;        /* strong: gc.callbacks; NULL: it was not found */
    PyObject *function;    /* strong */
    PyObject *keys[KEYS];  /* strong: of the dictionary that the function is given */
    ft_clock_source clock; /* the best of this machine, which to find out takes long */
    uint64_t started;      /* its ticks; 0: no collection is on */
    bool is_in;            /* the function was put into the list */
} ft_collector;

static ft_collector collector;

/* ---- the function ---- */

/* The number below a key, or 0. It makes no object. */
static uint64_t number_of(PyObject *info, int key)
{
    PyObject *value = PyDict_GetItemWithError(info, collector.keys[key]); /* borrowed */
    Py_ssize_t number = value != NULL && PyLong_Check(value) ? PyLong_AsSsize_t(value) : 0;
    if (PyErr_Occurred() != NULL)
        PyErr_Clear();
    return number > 0 ? (uint64_t)number : 0;
}

/* Takes that the fork left in the parent's arena move into one of the child's own first. */
static bool is_told(ft_take *take)
{
    if (FT_UNLIKELY(take->forked))
        ft_session_go_on();
    return !take->stopped && !take->lost && !take->forked && take->id != 0 &&
           take->recording.arena.header->clock_source == collector.clock;
}

static void tell(const ft_span_collection *collection)
{
    for (ft_take *take = ft_session_next(NULL); take != NULL; take = ft_session_next(take))
        if (is_told(take))
            ft_span_log_collection(&take->recording, collection);
}

/* gc.callbacks: phase, {"generation": int, "collected": int, "uncollectable": int}. Anybody may
 * call it with anything. */
static PyObject *on_phase(PyObject *Py_UNUSED(self), PyObject *const *arguments, Py_ssize_t count)
{
    const uint64_t now = ft_clock_ticks(collector.clock);
    if (count != 2 || !PyUnicode_Check(arguments[0]) || !PyDict_CheckExact(arguments[1]) ||
        !collector.is_in)
        Py_RETURN_NONE;
    if (PyUnicode_CompareWithASCIIString(arguments[0], "start") == 0) {
        collector.started = now;
    } else if (collector.started != 0) {
        int number = errno;
        const ft_span_collection collection = {
            .start = collector.started,
            .duration = now > collector.started ? now - collector.started : 0,
            .generation = (uint32_t)number_of(arguments[1], GENERATION),
            .collected = number_of(arguments[1], COLLECTED),
            .uncollectable = number_of(arguments[1], UNCOLLECTABLE)};
        collector.started = 0;
        tell(&collection);
        errno = number;
    }
    Py_RETURN_NONE;
}

static PyMethodDef methods[] = {
    {"record_collection", (PyCFunction)(void (*)(void))on_phase, METH_FASTCALL,
     "record_collection(phase, info, /)\n--\n\nTells the recording of garbage collections."},
    {NULL, NULL, 0, NULL}};

/* ---- its place ---- */

/* The list gc.callbacks; the module stays as unimported as it was. NULL with an exception. */
static PyObject *find_list(void)
{
    PyObject *modules = PyImport_GetModuleDict();
    PyObject *known = PyDict_GetItemString(modules, "gc"); /* borrowed */
    PyObject *module = PyImport_ImportModule("gc");
    if (module == NULL)
        return NULL;
    if (known == NULL && PyDict_DelItemString(modules, "gc") < 0)
        PyErr_Clear();
    PyObject *list = PyObject_GetAttrString(module, "callbacks");
    Py_DECREF(module);
    if (list != NULL && !PyList_CheckExact(list)) {
        Py_CLEAR(list);
        PyErr_SetString(PyExc_TypeError, "gc.callbacks is no list");
    }
    return list;
}

static int make_keys(void)
{
    static const char *const names[KEYS] = {"generation", "collected", "uncollectable"};
    for (int i = 0; i < KEYS; i++)
        if ((collector.keys[i] = PyUnicode_InternFromString(names[i])) == NULL)
            return -1;
    return 0;
}

void ft_collections_prepare(void)
{
    if (collector.function != NULL || !ft_compat_is_main_interpreter())
        return;
    ft_session_leave_out(methods);
    collector.clock = ft_clock_best();
    collector.function = PyCFunction_New(methods, NULL);
    if (collector.function != NULL && make_keys() == 0)
        collector.list = find_list();
    if (collector.list == NULL)
        PyErr_Clear();
    else
        PyObject_GC_UnTrack(collector.function); /* the program has no such object */
}

/* Where the function is in the list, or -1. */
static Py_ssize_t place_of(void)
{
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(collector.list); i++)
        if (PyList_GET_ITEM(collector.list, i) == collector.function)
            return i;
    return -1;
}

static bool is_wanted(void)
{
    for (ft_take *take = ft_session_next(NULL); take != NULL; take = ft_session_next(take))
        if (take->id != 0 && !take->stopped)
            return true;
    return false;
}

static int set_place(bool in)
{
    Py_ssize_t at = place_of();
    collector.is_in = in;
    collector.started = 0;
    if (in)
        return at < 0 ? PyList_Append(collector.list, collector.function) : 0;
    return at < 0 ? 0 : PyList_SetSlice(collector.list, at, at + 1, NULL);
}

void ft_collections_adjust(void)
{
    ft_compat_error error;
    const bool wanted = is_wanted();
    if (collector.list == NULL || wanted == collector.is_in || !ft_compat_is_main_interpreter())
        return;
    ft_compat_error_save(&error);
    bool entered = ft_allocs_enter(); /* the list is no block of the program's */
    if (set_place(wanted) < 0)
        PyErr_Clear();
    ft_allocs_leave(entered);
    ft_compat_error_restore(&error);
}

bool ft_collections_are_lost(void)
{
    return collector.is_in && place_of() < 0;
}
