/* SPDX-License-Identifier: Apache-2.0 */
/* tasks.h: coroutines that an event loop runs: who created them, and how long they are suspended.
 *
 * A coroutine that is entered by a function which is no coroutine itself is the outermost one of a
 * task. It is recorded below a marker: R (the event loop) > marker > coroutine. The marker's key is
 * the context that created the task, so that a context knows its creator without a word more; calls
 * and times see through markers.
 *
 * An exception that is thrown into a task enters its innermost coroutine past those outside, which
 * are entered when that has ended. The event loop calls them all, and each but the outermost is
 * recorded below a marker whose key is the context that awaited it.
 *
 * The map of pending tasks holds those that wait to be entered only: created, or suspended.
 * Entering one takes it out, so that nobody has to tell its end; a coroutine that is dropped
 * unstarted leaves an entry behind that the next task at its address overwrites.
 *
 * What a task waits for stands in a context of code AWAITED below the innermost coroutine that
 * yielded: calls are suspensions, `waiting` is how many of them are open, and `own` is the sum of
 * their ends less the sum of their beginnings, in ticks since the arena's first, modulo 2^64. So
 * the moment a process dies, whoever reads the arena knows how long each suspension has lasted. */
#ifndef FT_RECORD_TASKS_H
#define FT_RECORD_TASKS_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/base/mem.h"
#include "engine/record/recorder.h"

/* Codes 3 and 4 of every recording. */
enum { FT_CODE_TASK_NUMBER = 3, FT_CODE_AWAITED_NUMBER = 4 };

typedef struct ft_task {
    uintptr_t frame;     /* of the outermost coroutine; 0: a free slot */
    const void *creator; /* key of the marker: a context, or &tasks->unknown */
    ft_context *awaited; /* where its suspension is counted; NULL: not suspended */
    ft_context *inside; /* the innermost coroutine that is not entered; set while it is suspended */
} ft_task;

typedef struct ft_tasks {
    const ft_mem *mem;
    ft_task *slots; /* owned: open addressing, at most 3/4 full */
    uint32_t mask, count;
    ft_context
        *yielded; /* the coroutine that yielded last, if its suspension goes on outwards ... */
    ft_context *innermost; /* ... and where that began */
    uint64_t yielded_at;
    uintptr_t thrown; /* see ft_tasks_throw */
    uint64_t thrown_at;
    char unknown, awaited; /* their addresses are keys */
} ft_tasks;

void ft_tasks_init(ft_tasks *tasks, const ft_mem *mem);
void ft_tasks_fini(ft_tasks *tasks);

/* The running function creates a task of the coroutine in frame, whose code is key. Not if it is
 * one of those that FT_CODE_CREATES_TASK marks: its caller has told already. */
void ft_tasks_create(ft_recorder *recorder, const void *key, const void *frame, uint64_t now);

/* An exception is thrown into the task of frame: its innermost coroutine is entered next, past
 * those that wait for it. */
void ft_tasks_throw(ft_recorder *recorder, const void *frame);

/* For recorder.c: the context for the coroutine that the running function enters, below a marker;
 * ends the task's suspension. NULL without room. */
ft_context *ft_tasks_enter(ft_recorder *recorder, const void *key, uint32_t code, const void *frame,
                           uint64_t now);

/* The running coroutine or generator yields; its leaving is told next. task: the frame of its
 * task's outermost coroutine. is_value: what an asynchronous generator yields to `async for`. */
void ft_tasks_yield(ft_recorder *recorder, const void *task, bool is_value, uint64_t now);

/* The thread ends: nothing will be resumed. */
void ft_tasks_end(ft_recorder *recorder, uint64_t now);

/* Whether the yielding context has to be told to ft_tasks_yield. */
static inline bool ft_tasks_is_awaited(const ft_recorder *recorder)
{
    return (recorder->current->flags & FT_CODE_IN_AWAIT) != 0;
}

/* Whether the running coroutine was entered by an event loop. */
static inline bool ft_tasks_is_outermost(const ft_recorder *recorder)
{
    const ft_context *parent = recorder->current->parent;
    return parent != NULL && parent->code == FT_CODE_TASK_NUMBER;
}

#endif
