/* SPDX-License-Identifier: Apache-2.0 */
/* calls_evaluator.c: Python function calls through PEP 523, CPython 3.11 with --no-builtins.
 *
 * An evaluator of our own around the interpreter's costs a fraction of the profile hook, but each
 * Python call then takes C stack. With little of that left we hand over to the profile hook, for
 * good: frames that were entered here may then end twice, and the second end finds nothing. */
#include "glue/probes/events.h"

#if !FT_HAS_MONITORING

#include <pthread.h>

#include "engine/model/profile.h"
#include "glue/probes/probes.h"

enum { STACK_RESERVE = 1 << 20, STACK_SHARE = 4 };

static struct {
    uint32_t function_versions; /* given out so far */
    bool handed_over;
} state;

/* Below this address the thread's C stack is nearly used up. NULL: not asked yet. */
static _Thread_local char *stack_floor FT_TLS;

static char *find_stack_floor(void)
{
    pthread_attr_t attributes;
    void *lowest = NULL;
    size_t size = 0;
    if (pthread_getattr_np(pthread_self(), &attributes) != 0)
        return (char *)1; /* never low */
    if (pthread_attr_getstack(&attributes, &lowest, &size) != 0)
        size = 0;
    pthread_attr_destroy(&attributes);
    size_t reserve = size / STACK_SHARE < STACK_RESERVE ? size / STACK_SHARE : STACK_RESERVE;
    return size == 0 ? (char *)1 : (char *)lowest + reserve;
}

static bool stack_is_low(void)
{
    char here;
    if (FT_UNLIKELY(stack_floor == NULL))
        stack_floor = find_stack_floor();
    return &here < stack_floor;
}

static void hand_over(void)
{
    ft_compat_error error;
    ft_compat_error_save(&error);
    ft_session_note(FT_NOTE_DEEP_STACK);
    if (ft_session_change_probe(&ft_probe_calls) < 0)
        PyErr_Clear();
    ft_compat_error_restore(&error);
}

/* A class body that defines __getitem__: see ft_compat_keep_evaluated. */
static void keep_getitem_evaluated(PyObject *namespace)
{
    if (namespace == NULL || !PyDict_CheckExact(namespace))
        return;
    PyObject *getitem = PyDict_GetItemString(namespace, "__getitem__");
    if (getitem != NULL && PyFunction_Check(getitem))
        ft_compat_keep_evaluated((PyFunctionObject *)getitem, &state.function_versions);
}

static PyObject *evaluate(PyThreadState *thread, ft_frame *frame, int throwing)
{
    if (ft_compat_makes_generator(frame))
        return ft_compat_evaluate(thread, frame, throwing);
    if (FT_UNLIKELY(stack_is_low())) {
        hand_over();
        return ft_compat_evaluate(thread, frame, throwing);
    }
    PyCodeObject *code = ft_compat_frame_code(frame);
    ft_compat_keep_evaluated(ft_compat_frame_function(frame), &state.function_versions);
    bool resumable = ft_compat_is_generators(frame); /* others are gone when they were evaluated */
    ft_event_enter_frame(code, frame, ft_compat_current_frame());
    PyObject *result = ft_compat_evaluate(thread, frame, throwing);
    if (FT_UNLIKELY((code->co_flags & CO_OPTIMIZED) == 0 && result != NULL))
        keep_getitem_evaluated(ft_compat_frame_locals(frame));
    if (FT_UNLIKELY(state.handed_over)) /* the profile hook told its end already */
        return result;
    if (FT_UNLIKELY(resumable && result != NULL && ft_compat_is_suspended(frame)))
        ft_event_yield_frame(code, frame, result);
    else
        ft_event_leave_frame(code, frame);
    return result;
}

/* Every function of that name that exists already may be one that is specialised for. */
static void keep_all_evaluated(void)
{
    PyObject *gc = PyImport_ImportModule("gc");
    PyObject *objects = gc == NULL ? NULL : PyObject_CallMethod(gc, "get_objects", NULL);
    Py_XDECREF(gc);
    for (Py_ssize_t i = 0; objects != NULL && i < PyList_GET_SIZE(objects); i++) {
        PyObject *object = PyList_GET_ITEM(objects, i);
        if (PyFunction_Check(object))
            ft_compat_keep_evaluated((PyFunctionObject *)object, &state.function_versions);
    }
    Py_XDECREF(objects);
    PyErr_Clear();
}

/* Until the main module begins. */
static PyObject *evaluate_before_main(PyThreadState *thread, ft_frame *frame, int throwing)
{
    if (!ft_session_is_main(frame))
        return ft_compat_evaluate(thread, frame, throwing);
    keep_all_evaluated();
    ft_session_begin(); /* which puts `evaluate` in the place of this */
    return evaluate(thread, frame, throwing);
}

static bool is_ours(ft_evaluator evaluator)
{
    return evaluator == evaluate || evaluator == evaluate_before_main;
}

static void switch_off(void)
{
    if (state.handed_over)
        return;
    state.handed_over = true;
    if (is_ours(ft_compat_evaluator())) /* another tool's stays */
        ft_compat_set_evaluator(NULL);
}

static bool has_hooks(void)
{
    return state.handed_over || is_ours(ft_compat_evaluator());
}

static int adjust(bool in_use)
{
    if (in_use && ft_session_is_pending())
        ft_compat_set_evaluator(evaluate_before_main);
    else if (in_use && ft_session_level() > FT_LEVEL_OFF)
        ft_compat_set_evaluator(evaluate);
    else
        switch_off();
    return 0;
}

const ft_probe ft_probe_calls_python_only = {"calls", adjust, has_hooks};

#endif
