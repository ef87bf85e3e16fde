/* SPDX-License-Identifier: Apache-2.0 */
/* coroutines.c: coroutines as the interpreter has them (see coroutines.h). Nothing here runs code
 * of the user's or makes an object. */
#include "glue/probes/coroutines.h"

#include <string.h>

/* The functions that make a task of their first argument that is a coroutine. Loops written in C
 * (uvloop) are reached through the first. */
static const struct {
    const char *file, *qualname;
} creators[] = {
    {"/asyncio/tasks.py", "create_task"},
    {"/asyncio/base_events.py", "BaseEventLoop.create_task"},
    {"/asyncio/taskgroups.py", "TaskGroup.create_task"},
};

static bool ends_with(PyObject *text, const char *end)
{
    Py_ssize_t length, end_length = (Py_ssize_t)strlen(end);
    const char *bytes = PyUnicode_Check(text) ? PyUnicode_AsUTF8AndSize(text, &length) : NULL;
    PyErr_Clear(); /* lone surrogates */
    return bytes != NULL && length >= end_length &&
           memcmp(bytes + length - end_length, end, (size_t)end_length) == 0;
}

static bool creates_tasks(PyCodeObject *code)
{
    for (size_t i = 0; i < sizeof creators / sizeof creators[0]; i++)
        if (PyUnicode_CompareWithASCIIString(ft_compat_qualname(code), creators[i].qualname) == 0)
            return ends_with(code->co_filename, creators[i].file);
    return false;
}

uint32_t ft_coroutines_flags(PyCodeObject *code)
{
    if ((code->co_flags & CO_COROUTINE) != 0)
        return FT_CODE_SUSPENDS | FT_CODE_IN_AWAIT | FT_CODE_STARTS_TASK;
    if ((code->co_flags & CO_ASYNC_GENERATOR) != 0)
        return FT_CODE_SUSPENDS | FT_CODE_IN_AWAIT;
    if ((code->co_flags & CO_GENERATOR) == 0)
        return creates_tasks(code) ? FT_CODE_CREATES_TASK : 0;
    bool awaitable = (code->co_flags & CO_ITERABLE_COROUTINE) != 0 ||
                     PyUnicode_CompareWithASCIIString(code->co_name, "__await__") == 0;
    return awaitable ? FT_CODE_SUSPENDS | FT_CODE_IN_AWAIT : FT_CODE_IN_AWAIT;
}

void ft_coroutines_create(ft_recorder *recorder, const ft_frame *frame, uint64_t now)
{
    const PyCodeObject *code = ft_compat_frame_code(frame);
    for (int i = 0; i < 2 && i < code->co_argcount; i++) {
        const ft_frame *made = ft_compat_coroutine_frame(ft_compat_frame_local(frame, i));
        if (made == NULL)
            continue;
        ft_tasks_create(recorder, ft_compat_frame_code(made), made, now);
        return;
    }
}

/* The frame of the outermost coroutine that waits for this one. An exception that was thrown in
 * entered this one past those outside, and when a recording starts within a coroutine those outside
 * run already. */
static const ft_frame *outermost(const ft_recorder *recorder, ft_frame *frame)
{
    const ft_stack_entry *below = recorder->top - 1;
    uintptr_t resumer = below > recorder->bottom ? below->frame : 0;
    for (;;) {
        ft_frame *outer = ft_compat_visible(ft_compat_previous(frame));
        if (outer == NULL || (uintptr_t)outer == resumer || !ft_compat_is_generators(outer))
            return frame;
        frame = outer;
    }
}

void ft_coroutines_yield(ft_recorder *recorder, ft_frame *frame, PyObject *value, uint64_t now)
{
    const PyCodeObject *code = ft_compat_frame_code(frame);
    bool is_value = (code->co_flags & CO_ASYNC_GENERATOR) != 0 && ft_compat_is_wrapped(value);
    const ft_frame *task = ft_tasks_is_outermost(recorder) ? outermost(recorder, frame) : frame;
    ft_tasks_yield(recorder, task, is_value, now);
}
