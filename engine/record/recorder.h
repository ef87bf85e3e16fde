/* SPDX-License-Identifier: Apache-2.0 */
/* recorder.h: the calling-context tree of one thread while it grows, and the hot path of the probe.
 *
 * One event costs one clock reading and at most one look-up: on entry the caller's context names
 * the child it entered last (`recent`); another child is found in a small hash table of its own.
 * On exit nothing is looked up: the shadow stack knows the caller. Nothing is allocated unless a
 * new path is seen.
 *
 * A context is 64 bytes, one cache line, and never moves. It is filled, then published by the
 * release store of its block's `used`. Each counter is one aligned word with one writer, so a
 * reader of the file sees values that were true at some moment (docs/invariants.md).
 *
 * The frame given with each event is the interpreter's; comparing it with the top of the shadow
 * stack tells when control went elsewhere (a greenlet switch, a start in mid-stack): then
 * ft_recorder_switch_to finds, parks or resumes stacks. */
#ifndef FT_RECORD_RECORDER_H
#define FT_RECORD_RECORDER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/base/clock.h"
#include "engine/base/status.h"
#include "engine/record/idle.h"

#define FT_LIKELY(condition) __builtin_expect(!!(condition), 1)
#define FT_UNLIKELY(condition) __builtin_expect(!!(condition), 0)

typedef struct ft_recording ft_recording;

typedef struct ft_context {
    _Atomic uint64_t calls;
    _Atomic uint64_t own;     /* ticks */
    _Atomic uint64_t waiting; /* ticks of own */
    const void *key;          /* what the probe calls the function by; NULL for the root */
    struct ft_context *parent;
    struct ft_context
        *recent; /* the child entered last, or any context with another key; not NULL */
    struct ft_context **children; /* children.h: owned by the pool; NULL below two children */
    uint32_t code;                /* number of the code record, from 1; 0 for the root */
    uint32_t flags : 5;           /* of the code: ft_code_flag */
    uint32_t log2_slots : 5;      /* of children */
    uint32_t child_count : 22;
} ft_context;

_Static_assert(sizeof(ft_context) == 64, "one cache line, and the file's layout");

enum ft_code_flag {
    FT_CODE_IS_C = 1,
    FT_CODE_TAKES_HOOK = 2,   /* what never returns from it had its hook replaced */
    FT_CODE_CREATES_TASK = 4, /* the probe looks at each call of it: ft_recorder_enter refuses it */
    FT_CODE_SUSPENDS = 8,     /* coroutines and the like: a yield suspends who awaits them */
    /* Of a code: may pass on the yields of what it awaits: the above, and generators. Of a context:
     * for a generator only when what resumes it does so too. */
    FT_CODE_IN_AWAIT = 16,
    /* From here on not in contexts. */
    FT_CODE_STARTS_TASK = 32 /* a coroutine: whoever enters it awaits it, or is an event loop */
};

enum { FT_CONTEXT_FLAGS = 31 };

typedef struct ft_stack_entry {
    ft_context *context;
    uintptr_t frame; /* the frame that runs, for a C function its caller's; | 1: not recorded */
} ft_stack_entry;

enum ft_recorder_state { FT_RECORDER_FREE = 0, FT_RECORDER_IN_USE = 1 };

/* Lives in a slot of the arena, so that a reader of the file finds what was open at the end. */
typedef struct ft_recorder {
    ft_context *current;  /* always top->context; kept here for the reader */
    uint64_t slice_start; /* ticks: since then current has been running */
    ft_stack_entry *top;
    ft_stack_entry *last; /* the last usable entry */
    uint64_t long_slice;  /* ticks from which on a slice is looked at for waiting */
    uint16_t clock;       /* ft_clock_source */
    uint16_t python_only; /* not 0: C functions are not recorded */
    _Atomic uint32_t state;
    ft_recording *recording; /* borrowed */
    ft_stack_entry *bottom;  /* owned; bottom[0] is the root */

    struct ft_block *contexts;     /* newest block of contexts */
    struct ft_recorder_rest *rest; /* owned: what no reader of the file needs */
    ft_context *root;
    uint32_t index; /* among the recording's recorders */
    _Atomic uint32_t uses;
    ft_clock_pair first; /* pair at the start */
    ft_idle idle;        /* of the thread that uses it */
} ft_recorder;

_Static_assert(sizeof(ft_recorder) == 128, "two cache lines, and the file's layout");

/* The slow halves of the hot path; see the functions below. */
bool ft_recorder_enter_slow(ft_recorder *recorder, const void *key, const void *frame,
                            uint64_t now);
/* Enters what ft_recorder_enter refuses for FT_CODE_CREATES_TASK. False when it is not known. */
bool ft_recorder_enter_creator(ft_recorder *recorder, const void *key, const void *frame,
                               uint64_t now);
/* A function begins that is left out: its time and calls are its caller's. Any key leaves it. */
void ft_recorder_enter_left_out(ft_recorder *recorder, const void *frame, uint64_t now);
bool ft_recorder_leave_slow(ft_recorder *recorder, const void *key, const void *frame,
                            uint64_t now);
void ft_recorder_long_slice(ft_recorder *recorder, uint64_t now);
bool ft_recorder_grow_stack(ft_recorder *recorder);

/* The top of the stack is not of the running frame. Finds frame in the stack, where what stands
 * above it is parked, or among the parked stacks, which is put back; false when it is in neither.
 */
bool ft_recorder_switch_to(ft_recorder *recorder, const void *frame);

/* What runs now was not seen to start: parks all, down to the root. The root stands for this frame
 * from now on, so that its next call finds itself at once. */
void ft_recorder_switch_to_root(ft_recorder *recorder, const void *frame);

/* The function `key` runs already and its frame is the running one: it is put on the stack without
 * a call being counted. False when key is not known or there is no room. */
bool ft_recorder_stand_in(ft_recorder *recorder, const void *key, const void *frame);

/* Ends the slice of a thread other than the calling one, which can not run until this returned.
 * On the callers' clock it goes on. */
void ft_recorder_end_foreign_slice(ft_recorder *recorder, uint64_t now);

/* One writer: a plain add, but of whole words only. */
static inline void ft_counter_add(_Atomic uint64_t *counter, uint64_t amount)
{
    uint64_t value = atomic_load_explicit(counter, memory_order_relaxed);
    atomic_store_explicit(counter, value + amount, memory_order_relaxed);
}

/* The same, and a reader that sees it sees what was stored before. */
static inline void ft_counter_add_last(_Atomic uint64_t *counter, uint64_t amount)
{
    uint64_t value = atomic_load_explicit(counter, memory_order_relaxed);
    atomic_store_explicit(counter, value + amount, memory_order_release);
}

/* Gives the time since the last event to the running context. A clock that stepped back shows as
 * a huge slice and is put right in the slow half. */
static inline void ft_recorder_end_slice(ft_recorder *recorder, uint64_t now)
{
    uint64_t elapsed = now - recorder->slice_start;
    if (FT_UNLIKELY(elapsed > recorder->long_slice)) {
        ft_recorder_long_slice(recorder, now);
        return;
    }
    recorder->slice_start = now;
    ft_counter_add(&recorder->current->own, elapsed);
}

static inline void ft_recorder_push(ft_recorder *recorder, ft_context *context, uintptr_t frame)
{
    if (FT_UNLIKELY(recorder->top == recorder->last) && !ft_recorder_grow_stack(recorder))
        return; /* noted; the exit will find nothing to pop */
    *++recorder->top = (ft_stack_entry){.context = context, .frame = frame};
    recorder->current = context;
}

/* The function `key` begins. frame: its frame; for a C function its caller's. False when key is not
 * known: intern it (recording.h) and call again. False too for FT_CODE_CREATES_TASK: tell the task
 * (tasks.h), then call ft_recorder_enter_creator. */
static inline bool ft_recorder_enter(ft_recorder *recorder, const void *key, const void *frame,
                                     uint64_t now)
{
    ft_context *context = recorder->current->recent;
    if (FT_UNLIKELY(context->key != key))
        return ft_recorder_enter_slow(recorder, key, frame, now);
    ft_recorder_end_slice(recorder, now);
    ft_counter_add(&context->calls, 1);
    ft_recorder_push(recorder, context, (uintptr_t)frame);
    return true;
}

/* The function `key` ends, however it ends. False when it is not on top: the caller may switch to
 * its frame and call again. */
static inline bool ft_recorder_leave(ft_recorder *recorder, const void *key, const void *frame,
                                     uint64_t now)
{
    ft_stack_entry *top = recorder->top;
    if (FT_UNLIKELY(top->frame != (uintptr_t)frame || top->context->key != key))
        return ft_recorder_leave_slow(recorder, key, frame, now);
    ft_recorder_end_slice(recorder, now);
    recorder->top = top - 1;
    recorder->current = top[-1].context;
    return true;
}

/* Ends what is on top, whose end nobody will tell. There must be something above the root. */
static inline void ft_recorder_drop_top(ft_recorder *recorder, uint64_t now)
{
    ft_recorder_end_slice(recorder, now);
    recorder->current = (--recorder->top)->context;
}

/* Does the top of the stack belong to this frame? */
static inline bool ft_recorder_is_at(const ft_recorder *recorder, const void *frame)
{
    return recorder->top->frame == (uintptr_t)frame;
}

#endif
