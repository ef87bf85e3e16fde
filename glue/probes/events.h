/* SPDX-License-Identifier: Apache-2.0 */
/* events.h: what the probes call at each event: a dozen lines around the recorder's hot path.
 *
 * The first recorder of the thread is served inline; more than one is rare, and the others are
 * served by a loop in events.c. */
#ifndef FT_GLUE_PROBES_EVENTS_H
#define FT_GLUE_PROBES_EVENTS_H

#include "glue/probes/coroutines.h"
#include "glue/probes/session.h"

/* What a C function is known by, or NULL for any other callable. One that is called through its
 * descriptor and one that was bound first are the same function. */
static inline const PyMethodDef *ft_event_method(PyObject *callable)
{
    PyTypeObject *type = Py_TYPE(callable);
    if (type == &PyCFunction_Type || type == &PyCMethod_Type)
        return ((PyCFunctionObject *)callable)->m_ml;
    if (type == &PyMethodDescr_Type)
        return ((PyMethodDescrObject *)callable)->d_method;
    return NULL;
}

/* ---- one recorder ---- */

static inline void ft_event_enter_frame_in(ft_recorder *recorder, PyCodeObject *code,
                                           const ft_frame *frame, ft_frame *caller)
{
    uint64_t now = ft_take_now(recorder);
    if (FT_UNLIKELY(!ft_recorder_is_at(recorder, caller)))
        ft_session_find(recorder, caller);
    if (FT_UNLIKELY(!ft_recorder_enter(recorder, code, frame, now)))
        ft_session_enter_python(recorder, code, frame, now);
}

static inline void ft_event_leave_at(ft_recorder *recorder, const void *key, const ft_frame *frame,
                                     uint64_t now)
{
    if (FT_UNLIKELY(!ft_recorder_leave(recorder, key, frame, now)) &&
        ft_recorder_switch_to(recorder, frame))
        (void)ft_recorder_leave(recorder, key, frame, now);
}

static inline void ft_event_leave_in(ft_recorder *recorder, const void *key, const ft_frame *frame)
{
    ft_event_leave_at(recorder, key, frame, ft_take_now(recorder));
}

static inline void ft_event_yield_in(ft_recorder *recorder, PyCodeObject *code, ft_frame *frame,
                                     PyObject *value)
{
    uint64_t now = ft_take_now(recorder);
    if (ft_recorder_is_at(recorder, frame) && ft_tasks_is_awaited(recorder))
        ft_coroutines_yield(recorder, frame, value, now);
    ft_event_leave_at(recorder, code, frame, now);
}

static inline void ft_event_enter_method_in(ft_recorder *recorder, const PyMethodDef *method,
                                            PyObject *callable, ft_frame *frame)
{
    if (FT_UNLIKELY(recorder->python_only != 0))
        return;
    uint64_t now = ft_take_now(recorder);
    if (FT_UNLIKELY(!ft_recorder_is_at(recorder, frame)))
        ft_session_find(recorder, frame);
    else if (FT_UNLIKELY((recorder->current->flags & FT_CODE_IS_C) != 0))
        ft_recorder_drop_top(recorder, now); /* the frame calls again: that one never began */
    if (FT_UNLIKELY(!ft_recorder_enter(recorder, method, frame, now)))
        ft_session_enter_c(recorder, method, callable, frame, now);
}

/* ---- all of the thread's recorders ---- */

void ft_event_enter_frame_in_more(PyCodeObject *code, const ft_frame *frame, ft_frame *caller);
void ft_event_leave_frame_in_more(PyCodeObject *code, const ft_frame *frame);
void ft_event_yield_frame_in_more(PyCodeObject *code, ft_frame *frame, PyObject *value);
void ft_event_enter_method_in_more(const PyMethodDef *method, PyObject *callable, ft_frame *frame);
void ft_event_leave_method_in_more(const PyMethodDef *method, const ft_frame *frame);

/* A Python function's frame begins or goes on. caller: the frame below, complete or not. */
static inline void ft_event_enter_frame(PyCodeObject *code, const ft_frame *frame, ft_frame *caller)
{
    ft_recorder *recorder = ft_session_recorder();
    if (FT_UNLIKELY(recorder == NULL))
        return;
    ft_event_enter_frame_in(recorder, code, frame, caller);
    if (FT_UNLIKELY(ft_session_here.more != NULL))
        ft_event_enter_frame_in_more(code, frame, caller);
}

/* It ends or is left by an exception. */
static inline void ft_event_leave_frame(PyCodeObject *code, const ft_frame *frame)
{
    ft_recorder *recorder = ft_session_recorder();
    if (FT_UNLIKELY(recorder == NULL))
        return;
    ft_event_leave_in(recorder, code, frame);
    if (FT_UNLIKELY(ft_session_here.more != NULL))
        ft_event_leave_frame_in_more(code, frame);
}

/* It yields, or awaits something that is not there yet. */
static inline void ft_event_yield_frame(PyCodeObject *code, ft_frame *frame, PyObject *value)
{
    ft_recorder *recorder = ft_session_recorder();
    if (FT_UNLIKELY(recorder == NULL))
        return;
    ft_event_yield_in(recorder, code, frame, value);
    if (FT_UNLIKELY(ft_session_here.more != NULL))
        ft_event_yield_frame_in_more(code, frame, value);
}

/* frame calls a C function. */
static inline void ft_event_enter_method(const PyMethodDef *method, PyObject *callable,
                                         ft_frame *frame)
{
    ft_recorder *recorder = ft_session_recorder();
    if (FT_UNLIKELY(recorder == NULL))
        return;
    ft_event_enter_method_in(recorder, method, callable, frame);
    if (FT_UNLIKELY(ft_session_here.more != NULL))
        ft_event_enter_method_in_more(method, callable, frame);
}

/* The C function that frame called returned or raised. */
static inline void ft_event_leave_method(const PyMethodDef *method, const ft_frame *frame)
{
    ft_recorder *recorder = ft_session_recorder(); /* a forked child begins with the end of fork */
    if (FT_UNLIKELY(recorder == NULL))
        return;
    if (FT_LIKELY(recorder->python_only == 0))
        ft_event_leave_in(recorder, method, frame);
    if (FT_UNLIKELY(ft_session_here.more != NULL))
        ft_event_leave_method_in_more(method, frame);
}

#endif
