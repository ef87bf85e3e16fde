/* SPDX-License-Identifier: Apache-2.0 */
/* take.c: one recording that the session feeds (see take.h). */
#include "glue/probes/take.h"

#include <assert.h>
#include <errno.h>
#include <math.h>

#include "glue/probes/allocs.h"
#include "glue/probes/selector.h"

#define NS_PER_SECOND 1e9

/* Written once, when the module is loaded. */
static ft_clock_pair first_pair;

void ft_take_start_clock(void)
{
    if (first_pair.ns == 0)
        first_pair = ft_clock_read_pair(ft_clock_best());
}

static int add_selectors(ft_take *take, PyObject *words)
{
    for (Py_ssize_t i = 0; words != NULL && i < PyList_GET_SIZE(words); i++)
        if (ft_selectors_add(&take->selectors, PyList_GET_ITEM(words, i)) < 0)
            return -1;
    return 0;
}

static int add_spared(ft_take *take, PyObject *idents)
{
    Py_ssize_t count = idents == NULL ? 0 : PyList_GET_SIZE(idents);
    if (count == 0)
        return 0;
    take->spared = ft_mem_resize(&ft_mem_system, NULL, (size_t)count, sizeof *take->spared);
    if (take->spared == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    for (Py_ssize_t i = 0; i < count; i++) {
        unsigned long ident = PyLong_AsUnsignedLong(PyList_GET_ITEM(idents, i));
        if (ident == (unsigned long)-1 && PyErr_Occurred())
            return -1;
        take->spared[take->spared_count++] = ident;
    }
    return 0;
}

bool ft_take_spares(const ft_take *take, unsigned long thread)
{
    for (size_t i = 0; i < take->spared_count; i++)
        if (take->spared[i] == thread)
            return true;
    return false;
}

int ft_take_open(ft_take *take, const char *directory, const ft_take_options *options)
{
    *take = (ft_take){.calls = options->calls,
                      .builtins = options->calls && options->builtins,
                      .lines = options->lines,
                      .marks = options->marks,
                      .lines_alone = options->lines_alone,
                      .memory = options->memory,
                      .frames = options->frames > 0 ? options->frames : 1,
                      .sample = options->sample,
                      .one_thread = options->one_thread,
                      .replaces_hook = options->replaces_hook,
                      .timer_unit = options->timer_unit};
    ft_status status =
        ft_recording_open(&take->recording, &ft_mem_system, directory, options->max_contexts);
    if (status != FT_OK && directory == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    if (status != FT_OK) {
        PyErr_Format(PyExc_OSError, "no arena in %s: %s", directory, ft_status_text(status));
        return -1;
    }
    if (directory == NULL)
        ft_recording_set_first(&take->recording, first_pair);
    if (options->timer != NULL) {
        double unit = options->timer_unit > 0 ? options->timer_unit * NS_PER_SECOND : 1;
        ft_recording_use_callers_clock(&take->recording, unit);
        take->timer = Py_NewRef(options->timer);
    }
    if (add_selectors(take, options->selectors) == 0 && add_spared(take, options->spared) == 0)
        return 0;
    ft_take_close(take);
    return -1;
}

void ft_take_close(ft_take *take)
{
    assert(take->id == 0 && !take->watching);
    PyObject *timer = take->timer, *functions = take->functions, **keepers = take->keepers;
    size_t count = take->keeper_count;
    ft_allocs_close(take);
    ft_recording_close(&take->recording);
    take->keepers = NULL;
    take->keeper_count = take->keeper_room = 0;
    ft_selectors_free(take->selectors);
    take->timer = take->functions = NULL;
    take->selectors = NULL;
    ft_mem_free(&ft_mem_system, take->spared);
    take->spared = NULL;
    take->spared_count = 0;
    Py_XDECREF(timer); /* from here on the take may be open again */
    Py_XDECREF(functions);
    for (size_t i = 0; i < count; i++)
        Py_DECREF(keepers[i]);
    ft_mem_free(&ft_mem_system, keepers);
}

void ft_take_keep(ft_take *take, PyObject *object)
{
    if (take->keeper_count == take->keeper_room) {
        size_t room = take->keeper_room == 0 ? 256 : take->keeper_room * 2;
        PyObject **moved =
            ft_mem_resize(&ft_mem_system, take->keepers, room, sizeof *take->keepers);
        if (moved == NULL)
            return; /* no room for the list: kept for ever */
        take->keepers = moved;
        take->keeper_room = room;
    }
    take->keepers[take->keeper_count++] = object;
}

int ft_take_traverse(const ft_take *take, visitproc visit, void *arg)
{
    Py_VISIT(take->timer);
    Py_VISIT(take->functions);
    for (size_t i = 0; i < take->keeper_count; i++)
        Py_VISIT(take->keepers[i]);
    return 0;
}

/* ---- the user's timer ---- */

/* What the timer gave as ticks: counts of its unit, or ns. -1 with an exception. */
static int ticks_of(const ft_take *take, PyObject *given, uint64_t *ticks)
{
    if (take->timer_unit > 0) {
        long long count = PyLong_AsLongLong(given);
        if (count == -1 && PyErr_Occurred() != NULL)
            return -1;
        *ticks = (uint64_t)count;
        return 0;
    }
    double ns = PyFloat_AsDouble(given) * NS_PER_SECOND;
    if (PyErr_Occurred() != NULL)
        return -1;
    if (!(fabs(ns) < 9.2e18)) {
        PyErr_SetString(PyExc_OverflowError, "the timer's time is out of range");
        return -1;
    }
    *ticks = (uint64_t)(int64_t)ns;
    return 0;
}

static int drop_later(void *owner)
{
    Py_DECREF((PyObject *)owner);
    return 0;
}

/* The event that asked goes on with the take: if the timer dropped the last reference to its owner,
 * the owner ends after the event. Where that can not be asked for it stays for ever. */
static void release_owner(PyObject *owner)
{
    if (Py_REFCNT(owner) > 1)
        Py_DECREF(owner);
    else
        (void)Py_AddPendingCall(drop_later, owner);
}

/* The timer is the user's code, which may do anything. While it runs the owner refuses to change
 * the take. A timer that fails stands still. */
static uint64_t ask_timer(const ft_recorder *recorder)
{
    ft_compat_error error;
    ft_take *take = ft_take_of(recorder);
    uint64_t ticks = recorder->slice_start;
    PyObject *owner = Py_XNewRef(take->owner);
    if (owner == NULL)
        return ticks;
    int number = errno;
    ft_compat_error_save(&error);
    take->asking++;
    PyObject *given = PyObject_CallNoArgs(take->timer);
    if (given == NULL || ticks_of(take, given, &ticks) < 0)
        PyErr_WriteUnraisable(take->timer);
    Py_XDECREF(given);
    take->asking--;
    release_owner(owner);
    ft_compat_error_restore(&error);
    errno = number;
    return ticks;
}

uint64_t ft_take_now_slow(const ft_recorder *recorder)
{
    if (recorder->clock == FT_CLOCK_CALLERS)
        return ask_timer(recorder);
    return ft_clock_ns(CLOCK_MONOTONIC);
}
