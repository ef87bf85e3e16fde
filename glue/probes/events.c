/* SPDX-License-Identifier: Apache-2.0 */
/* events.c: the events of a thread that has several recorders (see events.h).
 *
 * Another take may begin or end while one of them is served, through a timer that is the user's
 * code: then the others miss this event, and the next one makes the list anew. */
#include "glue/probes/events.h"

/* The thread's recorder number i, or NULL after the last and where the list has changed. */
static ft_recorder *recorder_at(uint32_t i)
{
    const ft_thread_recorders *more = ft_session_here.more;
    if (more == NULL || more->generation != ft_session_generation || i >= more->calls)
        return NULL;
    return more->of[i].recorder;
}

void ft_event_enter_frame_in_more(PyCodeObject *code, const ft_frame *frame, ft_frame *caller)
{
    ft_recorder *recorder;
    for (uint32_t i = 1; (recorder = recorder_at(i)) != NULL; i++)
        ft_event_enter_frame_in(recorder, code, frame, caller);
}

void ft_event_leave_frame_in_more(PyCodeObject *code, const ft_frame *frame)
{
    ft_recorder *recorder;
    for (uint32_t i = 1; (recorder = recorder_at(i)) != NULL; i++)
        ft_event_leave_in(recorder, code, frame);
}

void ft_event_yield_frame_in_more(PyCodeObject *code, ft_frame *frame, PyObject *value)
{
    ft_recorder *recorder;
    for (uint32_t i = 1; (recorder = recorder_at(i)) != NULL; i++)
        ft_event_yield_in(recorder, code, frame, value);
}

void ft_event_enter_method_in_more(const PyMethodDef *method, PyObject *callable, ft_frame *frame)
{
    ft_recorder *recorder;
    for (uint32_t i = 1; (recorder = recorder_at(i)) != NULL; i++)
        ft_event_enter_method_in(recorder, method, callable, frame);
}

void ft_event_leave_method_in_more(const PyMethodDef *method, const ft_frame *frame)
{
    ft_recorder *recorder;
    for (uint32_t i = 1; (recorder = recorder_at(i)) != NULL; i++)
        if (recorder->python_only == 0)
            ft_event_leave_in(recorder, method, frame);
}
