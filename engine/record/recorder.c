/* SPDX-License-Identifier: Apache-2.0 */
/* recorder.c: the slow halves of the hot path: new paths, long slices, switched stacks. */
#include "engine/record/recorder.h"

#include <assert.h>
#include <string.h>

#include "engine/model/code.h"
#include "engine/model/profile.h"
#include "engine/record/children.h"
#include "engine/record/recorder_rest.h"
#include "engine/record/recording.h"
#include "engine/record/tasks.h"

enum {
    FIRST_STACK = 256,
    MAX_STACK = 1 << 26,     /* 1 GiB of stack entries: a bound for a runaway, not a limit in use */
    FOLD_LOOK_BACK = 4096,   /* how deep a folded call looks for itself among its callers */
    WAITING_LOOK_FACTOR = 10 /* slices of 200 us are worth the thread's CPU clock (0.9 us) */
};

static void note(ft_recorder *recorder, ft_note_kind kind)
{
    ft_arena_note(&recorder->recording->arena, (uint32_t)kind, 1);
}

bool ft_recorder_grow_stack(ft_recorder *recorder)
{
    size_t used = recorder->bottom == NULL ? 0 : (size_t)(recorder->top - recorder->bottom) + 1;
    size_t room = used == 0 ? FIRST_STACK : used * 2;
    ft_stack_entry *moved = NULL;
    if (room <= MAX_STACK)
        moved = ft_mem_resize(recorder->recording->mem, recorder->bottom, room, sizeof *moved);
    if (moved == NULL) {
        note(recorder, FT_NOTE_OUT_OF_MEMORY);
        return false;
    }
    recorder->bottom = moved;
    recorder->top = moved + (used == 0 ? 0 : used - 1);
    recorder->last = moved + room - 1;
    return true;
}

/* ---- new paths ---- */

static ft_context *find_or_add(ft_recorder *recorder, ft_context *parent, const void *key,
                               uint32_t code)
{
    ft_context *child = ft_children_find(parent, key);
    if (child != NULL)
        return child;
    return ft_recording_new_context(recorder, parent, key, code);
}

static bool is_on_stack(const ft_recorder *recorder, const void *key)
{
    const ft_stack_entry *entry = recorder->top;
    for (int i = 0; i < FOLD_LOOK_BACK && entry > recorder->bottom; i++, entry--)
        if (entry->context->key == key)
            return true;
    return false;
}

/* Past the cap: one context per (caller, callee), and one more for calls that are not primitive. */
static ft_context *folded_child(ft_recorder *recorder, const void *key, uint32_t code)
{
    ft_context *caller = recorder->current;
    unsigned again = is_on_stack(recorder, key);
    ft_context *folded = find_or_add(recorder, recorder->root, &recorder->rest->folded_keys[again],
                                     again ? FT_CODE_FOLDED_AGAIN_NUMBER : FT_CODE_FOLDED_NUMBER);
    if (folded != NULL && caller != recorder->root)
        folded = find_or_add(recorder, folded, caller->key, caller->code);
    if (folded == NULL)
        return NULL;
    note(recorder, FT_NOTE_FOLDED);
    return find_or_add(recorder, folded, key, code);
}

static ft_context *new_child(ft_recorder *recorder, const void *key, uint32_t code)
{
    ft_recording *recording = recorder->recording;
    uint32_t count = atomic_load_explicit(&recording->context_count, memory_order_relaxed);
    if (count >= recording->max_contexts)
        return folded_child(recorder, key, code);
    return ft_recording_new_context(recorder, recorder->current, key, code);
}

/* context: NULL when there is no room: its time goes to its caller, its exit finds the mark. */
static void enter(ft_recorder *recorder, ft_context *context, const void *frame, uint64_t now)
{
    ft_recorder_end_slice(recorder, now);
    if (context == NULL) {
        ft_recorder_push(recorder, recorder->current, (uintptr_t)frame | 1);
        return;
    }
    ft_counter_add(&context->calls, 1);
    ft_recorder_push(recorder, context, (uintptr_t)frame);
}

/* A coroutine that no coroutine awaits: an event loop runs it. */
static bool starts_task(const ft_recorder *recorder, uint32_t flags)
{
    return (flags & FT_CODE_STARTS_TASK) != 0 && (recorder->current->flags & FT_CODE_IN_AWAIT) == 0;
}

bool ft_recorder_enter_slow(ft_recorder *recorder, const void *key, const void *frame, uint64_t now)
{
    ft_context *context = ft_children_find(recorder->current, key);
    if (context != NULL) {
        if ((context->flags & FT_CODE_CREATES_TASK) != 0)
            return false;
        recorder->current->recent = context;
        enter(recorder, context, frame, now);
        return true;
    }
    uint32_t code = ft_recording_code_of(recorder->recording, key);
    uint32_t flags = code == 0 ? 0 : recorder->recording->flags[code];
    if (code == 0 || (flags & FT_CODE_CREATES_TASK) != 0)
        return false;
    if (FT_UNLIKELY(starts_task(recorder, flags)))
        context = ft_tasks_enter(recorder, key, code, frame, now);
    enter(recorder, context != NULL ? context : new_child(recorder, key, code), frame, now);
    return true;
}

bool ft_recorder_enter_creator(ft_recorder *recorder, const void *key, const void *frame,
                               uint64_t now)
{
    uint32_t code = ft_recording_code_of(recorder->recording, key);
    if (code == 0)
        return false;
    ft_context *context = ft_children_find(recorder->current, key);
    enter(recorder, context != NULL ? context : new_child(recorder, key, code), frame, now);
    return true;
}

void ft_recorder_enter_left_out(ft_recorder *recorder, const void *frame, uint64_t now)
{
    enter(recorder, NULL, frame, now);
}

/* ---- time ---- */

void ft_recorder_long_slice(ft_recorder *recorder, uint64_t now)
{
    uint64_t elapsed = now - recorder->slice_start;
    if (elapsed > UINT64_MAX / 2) { /* the clock stepped back: no time rather than a wrong one */
        recorder->slice_start = now;
        return;
    }
    ft_clock_source source = (ft_clock_source)recorder->clock;
    ft_clock_pair pair = ft_clock_read_pair(source);
    double ns_per_tick = ft_clock_ns_per_tick(source, recorder->first, pair);
    uint64_t slice = (uint64_t)((double)elapsed * ns_per_tick);
    bool very_long = elapsed > recorder->long_slice * WAITING_LOOK_FACTOR;
    uint64_t waited = ft_idle_waited(&recorder->idle, slice, pair.ns, very_long);
    uint64_t ticks = slice == 0 ? 0 : (uint64_t)((double)waited / ns_per_tick);
    recorder->slice_start = now;
    ft_counter_add(&recorder->current->own, elapsed);
    ft_counter_add(&recorder->current->waiting, ticks < elapsed ? ticks : elapsed);
    ft_recording_touch_clock(recorder->recording);
}

void ft_recorder_end_foreign_slice(ft_recorder *recorder, uint64_t now)
{
    uint64_t elapsed = now - recorder->slice_start;
    if (recorder->clock == FT_CLOCK_CALLERS) /* that thread alone can ask it */
        return;
    if (elapsed > UINT64_MAX / 2) /* its last event read the clock after we did */
        return;
    recorder->slice_start = now;
    ft_counter_add(&recorder->current->own, elapsed);
    struct timespec cpu;
    if (elapsed <= recorder->long_slice || clock_gettime(recorder->rest->cpu_clock, &cpu) != 0)
        return;
    ft_clock_source source = (ft_clock_source)recorder->clock;
    ft_clock_pair pair = ft_clock_read_pair(source);
    double ns_per_tick = ft_clock_ns_per_tick(source, recorder->first, pair);
    uint64_t off_cpu = pair.ns - ft_clock_ns_of(cpu);
    uint64_t waited = off_cpu > recorder->idle.off_cpu ? off_cpu - recorder->idle.off_cpu : 0;
    uint64_t ticks = (uint64_t)((double)waited / ns_per_tick);
    recorder->idle.off_cpu = off_cpu;
    ft_counter_add(&recorder->current->waiting, ticks < elapsed ? ticks : elapsed);
}

/* ---- exits that do not match, switched stacks ---- */

/* The topmost entry of frame among count, or NULL. A call that was not recorded counts too. */
static ft_stack_entry *find_frame(ft_stack_entry *entries, size_t count, uintptr_t frame)
{
    while (count-- > 0)
        if ((entries[count].frame & ~(uintptr_t)1) == frame)
            return &entries[count];
    return NULL;
}

static void cut_to(ft_recorder *recorder, ft_stack_entry *top)
{
    recorder->top = top;
    recorder->current = top->context;
}

bool ft_recorder_leave_slow(ft_recorder *recorder, const void *key, const void *frame, uint64_t now)
{
    uintptr_t address = (uintptr_t)frame;
    ft_stack_entry *entry = recorder->top;
    if ((entry->frame & ~(uintptr_t)1) != address || entry == recorder->bottom)
        return false;
    /* Entries of this frame: its own and the C function it is in. Those above the one that ends
     * were never told to end (another tool's callback raised): they end with it. */
    while (entry > recorder->bottom && (entry->frame & ~(uintptr_t)1) == address) {
        if (entry->context->key == key || entry->frame != address) {
            ft_recorder_end_slice(recorder, now);
            cut_to(recorder, entry - 1);
            return true;
        }
        entry--;
    }
    return false;
}

/* Moves what stands above top to the parked stacks. Without memory for it, it is dropped. */
static void park_above(ft_recorder *recorder, ft_stack_entry *top)
{
    size_t count = (size_t)(recorder->top - top);
    if (count > 0)
        ft_parked_add(recorder->rest, recorder->recording->mem, top + 1, count);
    cut_to(recorder, top);
}

/* Puts the parked stack that has frame back on top; what stood above frame stays parked. */
static bool resume(ft_recorder *recorder, uintptr_t frame)
{
    ft_parked *parked = ft_parked_take(recorder->rest, frame);
    if (parked == NULL)
        return false;
    ft_stack_entry *first = parked->entries;
    ft_stack_entry *top = find_frame(first, parked->count, frame);
    assert(top != NULL);
    for (ft_stack_entry *entry = first; entry <= top; entry++)
        ft_recorder_push(recorder, entry->context, entry->frame);
    size_t above = (size_t)(first + parked->count - 1 - top);
    if (above > 0)
        ft_parked_add(recorder->rest, recorder->recording->mem, top + 1, above);
    ft_mem_free(recorder->recording->mem, parked);
    return true;
}

bool ft_recorder_switch_to(ft_recorder *recorder, const void *frame)
{
    size_t depth = (size_t)(recorder->top - recorder->bottom);
    ft_stack_entry *found = find_frame(recorder->bottom + 1, depth, (uintptr_t)frame);
    if (found == NULL)
        return resume(recorder, (uintptr_t)frame);
    park_above(recorder, found);
    return true;
}

void ft_recorder_switch_to_root(ft_recorder *recorder, const void *frame)
{
    park_above(recorder, recorder->bottom);
    recorder->bottom->frame = (uintptr_t)frame;
}

bool ft_recorder_stand_in(ft_recorder *recorder, const void *key, const void *frame)
{
    uint32_t code = ft_recording_code_of(recorder->recording, key);
    if (code == 0)
        return false;
    bool task = starts_task(recorder, recorder->recording->flags[code]);
    ft_context *context =
        task ? ft_tasks_enter(recorder, key, code, frame, recorder->slice_start) : NULL;
    if (context == NULL)
        context = find_or_add(recorder, recorder->current, key, code);
    if (context == NULL)
        return false;
    ft_recorder_push(recorder, context, (uintptr_t)frame);
    return true;
}
