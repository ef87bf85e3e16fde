/* SPDX-License-Identifier: Apache-2.0 */
/* session.h: this process's recording, from the side of the interpreter.
 *
 * There is one per process, and it is a static: fork handlers and thread-exit handlers have no
 * other way to it. Everything here needs the GIL, except the end of a thread. */
#ifndef FT_GLUE_PROBES_SESSION_H
#define FT_GLUE_PROBES_SESSION_H

#include "glue/compat.h"

#include "engine/record/recording.h"

/* The calling thread's recorder. NULL: none yet, or it was given back. On glibc the access is one
 * instruction (initial-exec); elsewhere a dlopened library may not ask for that. */
#if defined(__GLIBC__)
#define FT_TLS __attribute__((tls_model("initial-exec")))
#else
#define FT_TLS
#endif
extern _Thread_local ft_recorder *ft_session_tls FT_TLS;

typedef struct ft_session_options {
    bool builtins; /* C functions too */
    uint32_t max_contexts;
} ft_session_options;

/* How the events come: one per way of hooking an interpreter. */
typedef struct ft_probe {
    const char *name;
    /* Watches for the main module's start, then records. 0, or -1 with a note in the arena. */
    int (*start)(const ft_session_options *options);
    /* No event comes after this. Called with the GIL, once. */
    void (*stop)(void);
} ft_probe;

/* Starts the recording of this process into a new arena in directory. 1, 0 when there is one
 * already (another interpreter of the process asks), or -1 with an exception: the caller decides
 * whether anybody hears of it. */
int ft_session_start(const char *directory, const ft_session_options *options,
                     const ft_probe *probe);

/* Stops the probe and ends the calling thread's slice. What was recorded stays in the arena. */
void ft_session_stop(void);

/* The slow half of ft_session_recorder: first event of a thread, or of a forked child. */
ft_recorder *ft_session_attach(void);

/* Is this frame the main module's own, about to run? */
bool ft_session_is_main(const ft_frame *frame);

/* The main module begins: from now on it counts. */
void ft_session_begin(void);

/* Counts a note of the recording. kind: ft_note_kind. */
void ft_session_note(uint32_t kind);

/* Enters a function that the recording does not know yet. key: its code object, or the PyMethodDef
 * of a C function whose callable is given. */
void ft_session_enter_python(ft_recorder *recorder, PyCodeObject *code, const ft_frame *frame,
                             uint64_t now);
void ft_session_enter_c(ft_recorder *recorder, const PyMethodDef *method, PyObject *callable,
                        const ft_frame *frame, uint64_t now);

/* The stack's top is not of `frame` (NULL: of no frame): finds the nearest caller that is known. */
void ft_session_find(ft_recorder *recorder, ft_frame *frame);

/* The calling thread's recorder, or NULL when it can not have one. */
static inline ft_recorder *ft_session_recorder(void)
{
    ft_recorder *recorder = ft_session_tls;
    return FT_LIKELY(recorder != NULL) ? recorder : ft_session_attach();
}

/* What a C function is known by, or NULL for any other callable. One that is called through its
 * descriptor and one that was bound first are the same function. */
static inline const PyMethodDef *ft_session_method(PyObject *callable)
{
    PyTypeObject *type = Py_TYPE(callable);
    if (type == &PyCFunction_Type || type == &PyCMethod_Type)
        return ((PyCFunctionObject *)callable)->m_ml;
    if (type == &PyMethodDescr_Type)
        return ((PyMethodDescrObject *)callable)->d_method;
    return NULL;
}

/* A Python function's frame begins or goes on. caller: the frame below, complete or not. */
static inline void ft_session_enter_frame(PyCodeObject *code, const ft_frame *frame,
                                          ft_frame *caller)
{
    ft_recorder *recorder = ft_session_recorder();
    if (FT_UNLIKELY(recorder == NULL))
        return;
    uint64_t now = ft_clock_ticks((ft_clock_source)recorder->clock);
    if (FT_UNLIKELY(!ft_recorder_is_at(recorder, caller)))
        ft_session_find(recorder, caller);
    if (FT_UNLIKELY(!ft_recorder_enter(recorder, code, frame, now)))
        ft_session_enter_python(recorder, code, frame, now);
}

/* It ends, yields or is left by an exception. */
static inline void ft_session_leave_frame(PyCodeObject *code, const ft_frame *frame)
{
    ft_recorder *recorder = ft_session_recorder();
    if (FT_UNLIKELY(recorder == NULL))
        return;
    uint64_t now = ft_clock_ticks((ft_clock_source)recorder->clock);
    if (FT_UNLIKELY(!ft_recorder_leave(recorder, code, frame, now)) &&
        ft_recorder_switch_to(recorder, frame))
        (void)ft_recorder_leave(recorder, code, frame, now);
}

/* frame calls a C function. */
static inline void ft_session_enter_method(const PyMethodDef *method, PyObject *callable,
                                           ft_frame *frame)
{
    ft_recorder *recorder = ft_session_recorder();
    if (FT_UNLIKELY(recorder == NULL))
        return;
    uint64_t now = ft_clock_ticks((ft_clock_source)recorder->clock);
    if (FT_UNLIKELY(!ft_recorder_is_at(recorder, frame)))
        ft_session_find(recorder, frame);
    else if (FT_UNLIKELY((recorder->current->flags & FT_CODE_IS_C) != 0))
        ft_recorder_drop_top(recorder, now); /* the frame calls again: that one never began */
    if (FT_UNLIKELY(!ft_recorder_enter(recorder, method, frame, now)))
        ft_session_enter_c(recorder, method, callable, frame, now);
}

/* The C function that frame called returned or raised. */
static inline void ft_session_leave_method(const PyMethodDef *method, const ft_frame *frame)
{
    ft_recorder *recorder = ft_session_recorder(); /* a forked child begins with the end of fork */
    if (FT_UNLIKELY(recorder == NULL))
        return;
    uint64_t now = ft_clock_ticks((ft_clock_source)recorder->clock);
    if (FT_UNLIKELY(!ft_recorder_leave(recorder, method, frame, now)) &&
        ft_recorder_switch_to(recorder, frame))
        (void)ft_recorder_leave(recorder, method, frame, now);
}

#endif
