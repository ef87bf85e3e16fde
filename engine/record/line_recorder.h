/* SPDX-License-Identifier: Apache-2.0 */
/* line_recorder.h: the lines of one thread while they are counted, and the hot path of their probe.
 *
 * An activation is a frame of a watched function that runs, with the line it is at and the moment
 * since when; the next event of that frame gives the time between to the line. So the last line is
 * kept for each frame: recursion, generators and threads can not mix theirs. What a line calls is
 * in its time. While an activation of the same table runs further in, the outer one stands still:
 * no moment counts twice in a table, and its times sum to the time in which it was active.
 *
 * A coroutine that awaits is taken off the stack of activations and kept by its frame: when it goes
 * on, the time since is time and waiting of the line. A generator that yields is kept likewise, for
 * the sake of its line alone.
 *
 * Activations lie in blocks of the arena (kind ACTIVATIONS), so that whoever reads it knows which
 * lines were running when the process died. A block there is an array of them, used or not.
 *
 * Locking: as the recorder, it belongs to its thread; the recording's lock is taken where a thread
 * first meets a table or needs a block. */
#ifndef FT_RECORD_LINE_RECORDER_H
#define FT_RECORD_LINE_RECORDER_H

#include "engine/record/idle.h"
#include "engine/record/line_table.h"
#include "engine/record/recorder.h"

enum ft_line_state {
    FT_LINE_NONE = 0,      /* no activation */
    FT_LINE_RUNNING = 1,   /* the innermost one of its table */
    FT_LINE_STANDING = 2,  /* one of the same table runs further in */
    FT_LINE_SUSPENDED = 3, /* awaits: it is in no stack */
    FT_LINE_PAUSED = 4     /* a generator that yielded: likewise, and no time passes for it */
};

/* Running and suspended ones: the time since `since` is the cell's. */
typedef struct ft_line_activation {
    ft_line_cell *cell; /* of the line; NULL: not known, its time is nobody's */
    uint64_t since;     /* ticks */
    uintptr_t frame;    /* 0: it has ended below others that have not */
    const ft_line_code *code;
    ft_context *context; /* of the call, where calls are recorded too; else NULL */
    uint64_t own;        /* of the context, at since */
    uint64_t waited;     /* of the thread, at since */
    uint32_t outer;      /* index of the nearest one of the same table below; 0: none */
    _Atomic uint32_t state;
} ft_line_activation;

_Static_assert(sizeof(ft_line_activation) == 64, "one cache line, and the file's layout");

/* What a thread has of a table. */
typedef struct ft_line_part {
    ft_line_cell *cells; /* in the arena; NULL: not met yet */
    uint32_t innermost;  /* index of the running activation; 0: none */
    uint32_t count;      /* of activations in the stack */
} ft_line_part;

/* The codes that the thread met last, so that a call takes no lock: keys stay valid as long as the
 * recording, and what they lead to changes only when codes are added to it. */
enum { FT_LINE_KNOWN = 64 };

typedef struct ft_line_recorder {
    ft_recorder *recorder;                   /* borrowed: of the same thread */
    ft_line_activation *bottom, *top, *last; /* bottom[0] is no activation */
    ft_line_part *parts;                     /* owned, by the table's number */
    uint32_t part_count;
    uint32_t known_of; /* the number of codes that the recording had when `known` was right */
    const ft_line_code *known[FT_LINE_KNOWN]; /* borrowed: by a hash of the key; NULL: none */
    bool made_room;                           /* by the last event: see ft_line_made_room */
    struct ft_block *cells;                   /* newest block of LINES */
    ft_line_activation **chunks; /* owned list: suspended ones, and free places for them */
    uint32_t chunk_count, chunk_room;
    uint32_t free_place; /* index + 1 of the first free place; they are chained */
    ft_map suspended;    /* frame -> index + 1, or 0 */
    uint64_t waited;     /* ticks that the thread was seen to wait */
    ft_idle idle;
    bool ended_by_other;         /* another thread ends it, which has looked how much was waiting */
    ft_line_activation *at_fork; /* owned copy of the stack, made before a fork */
    uint32_t at_fork_count, at_fork_room;
} ft_line_recorder;

/* NULL when memory is out. recorder: attached. */
ft_line_recorder *ft_line_recorder_new(ft_recorder *recorder);
void ft_line_recorder_free(ft_line_recorder *lines, const ft_mem *mem);

/* The thread that attached the recorder begins. */
void ft_line_recorder_start(ft_line_recorder *lines);

/* Ends every activation, also the suspended ones. Its own thread does, or (foreign) another one,
 * while it records nothing. */
void ft_line_recorder_end(ft_line_recorder *lines, uint64_t now);
void ft_line_recorder_end_foreign(ft_line_recorder *lines, uint64_t now);

/* Before a fork: keeps a copy of the stack. In the child: the activations of the copy in `before`,
 * the parent's, go on in lines, with nothing counted. */
void ft_line_recorder_copy(ft_line_recorder *lines);
void ft_line_recorder_replay(ft_line_recorder *lines, const ft_line_recorder *before, uint64_t now);

/* The slow halves of the hot path. */
void ft_line_event_slow(ft_line_recorder *lines, const void *key, const void *frame, uint32_t line,
                        uint64_t now);
void ft_line_leave_slow(ft_line_recorder *lines, const void *key, const void *frame, uint64_t now);
void ft_line_long_slice(ft_line_recorder *lines, ft_line_activation *at, uint64_t now);

/* The frame awaits, or yields to who iterates over it. */
void ft_line_suspend(ft_line_recorder *lines, const void *key, const void *frame, bool awaits,
                     uint64_t now);

/* The frame goes on in the line where it was suspended; where that was not seen, in this one (0:
 * it is not known which). */
void ft_line_resume(ft_line_recorder *lines, const void *key, const void *frame, uint32_t line,
                    uint64_t now);

/* Own time of the activation's call until now, where calls are recorded. */
static inline uint64_t ft_line_own(const ft_line_recorder *lines, const ft_context *context,
                                   uint64_t now)
{
    uint64_t own = atomic_load_explicit(&context->own, memory_order_relaxed);
    const ft_recorder *recorder = lines->recorder;
    /* Its caller is running: the probe of calls was told first that it ends, a moment ago. */
    bool runs = recorder->current == context || recorder->current == context->parent;
    return runs ? own + (now - recorder->slice_start) : own;
}

/* The frame's call, where calls are recorded: on top, or below a C function that it is in and a
 * generator that has not been told to yield yet. */
static inline ft_context *ft_line_call_of(const ft_recorder *recorder, uintptr_t frame)
{
    enum { LOOK_BELOW_TOP = 3 };
    const ft_stack_entry *entry = recorder->top;
    for (int looks = 0; entry > recorder->bottom && looks < LOOK_BELOW_TOP; looks++, entry--)
        if (entry->frame == frame && (entry->context->flags & FT_CODE_IS_C) == 0)
            return entry->context;
    return NULL;
}

/* From now on the time is the cell's. */
static inline void ft_line_begin_slice(ft_line_recorder *lines, ft_line_activation *at,
                                       ft_line_cell *cell, uint64_t now)
{
    const ft_recorder *recorder = lines->recorder;
    at->cell = cell;
    at->since = now;
    at->waited = lines->waited;
    at->context = ft_line_call_of(recorder, at->frame);
    if (at->context != NULL)
        at->own = ft_line_own(lines, at->context, now);
}

/* The time until now is the line's. */
static inline void ft_line_end_slice(ft_line_recorder *lines, ft_line_activation *at, uint64_t now)
{
    uint64_t elapsed = now - at->since;
    if (FT_UNLIKELY(elapsed > lines->recorder->long_slice || at->context != NULL ||
                    at->cell == NULL || lines->waited != at->waited)) {
        ft_line_long_slice(lines, at, now);
        return;
    }
    ft_counter_add(&at->cell->time, elapsed);
    at->since = now;
}

/* Is the frame at that line already? */
static inline bool ft_line_is_at(const ft_line_recorder *lines, const void *frame, uint32_t line)
{
    const ft_line_activation *at = lines->top;
    return at->frame == (uintptr_t)frame && at->cell != NULL && at->cell->line == line;
}

/* The frame comes to a line. */
static inline void ft_line_at(ft_line_recorder *lines, const void *key, const void *frame,
                              uint32_t line, uint64_t now)
{
    ft_line_activation *at = lines->top;
    uint32_t slot = 0;
    if (FT_LIKELY(at->frame == (uintptr_t)frame && at->code->key == key))
        slot = ft_line_slot(at->code, line);
    if (FT_UNLIKELY(slot == 0 || at->state != FT_LINE_RUNNING)) {
        ft_line_event_slow(lines, key, frame, line, now);
        return;
    }
    ft_line_end_slice(lines, at, now);
    ft_line_cell *cell =
        lines->parts[at->code->table->number].cells + (slot & ~FT_LINE_NOT_COUNTED);
    if (FT_LIKELY((slot & FT_LINE_NOT_COUNTED) == 0))
        ft_counter_add(&cell->hits, 1);
    ft_line_begin_slice(lines, at, cell, now);
}

/* Did the event make room in the arena? That is no line's time: ft_line_begin_anew. */
static inline bool ft_line_made_room(const ft_line_recorder *lines)
{
    return lines->made_room;
}

static inline void ft_line_begin_anew(ft_line_recorder *lines, uint64_t now)
{
    lines->made_room = false;
    if (lines->top->state == FT_LINE_RUNNING)
        ft_line_begin_slice(lines, lines->top, lines->top->cell, now);
}

/* The activation on top ends. */
static inline void ft_line_pop(ft_line_recorder *lines, uint64_t now)
{
    ft_line_activation *at = lines->top;
    ft_line_end_slice(lines, at, now);
    ft_line_part *part = &lines->parts[at->code->table->number];
    part->innermost = 0;
    part->count--;
    atomic_store_explicit(&at->state, FT_LINE_NONE, memory_order_release);
    lines->top = at - 1;
}

/* The frame ends, however it ends. */
static inline void ft_line_leave(ft_line_recorder *lines, const void *key, const void *frame,
                                 uint64_t now)
{
    ft_line_activation *at = lines->top;
    if (FT_UNLIKELY(at->frame != (uintptr_t)frame || at->code->key != key || at->outer != 0 ||
                    at[-1].frame == 0 || at->state != FT_LINE_RUNNING)) {
        ft_line_leave_slow(lines, key, frame, now);
        return;
    }
    ft_line_pop(lines, now);
}

#endif
