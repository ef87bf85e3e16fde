/* SPDX-License-Identifier: Apache-2.0 */
/* tasks.c: markers of tasks and what they await (see tasks.h). */
#include "engine/record/tasks.h"

#include <assert.h>

#include "engine/record/children.h"
#include "engine/record/recorder_rest.h"
#include "engine/record/recording.h"

enum {
    FIRST_SLOTS = 16,
    MAX_SLOTS = 1 << 24,
    CREATORS_LOOK_BACK = 4096 /* how far a task looks for one of its own kind among its creators */
};

/* ---- pending tasks by frame ---- */

void ft_tasks_init(ft_tasks *tasks, const ft_mem *mem)
{
    *tasks = (ft_tasks){.mem = mem};
}

void ft_tasks_fini(ft_tasks *tasks)
{
    ft_mem_free(tasks->mem, tasks->slots);
    ft_tasks_init(tasks, tasks->mem);
}

static uint32_t home(const ft_tasks *tasks, uintptr_t frame)
{
    return (uint32_t)((frame * UINT64_C(0x9E3779B97F4A7C15)) >> 32) & tasks->mask;
}

/* The task's slot, or the free one where it belongs. */
static ft_task *slot_of(const ft_tasks *tasks, uintptr_t frame)
{
    uint32_t at = home(tasks, frame);
    while (tasks->slots[at].frame != 0 && tasks->slots[at].frame != frame)
        at = (at + 1) & tasks->mask;
    return &tasks->slots[at];
}

static ft_task *find(const ft_tasks *tasks, uintptr_t frame)
{
    ft_task *task = tasks->count == 0 ? NULL : slot_of(tasks, frame);
    return task == NULL || task->frame == 0 ? NULL : task;
}

static bool grow(ft_tasks *tasks)
{
    ft_tasks larger = *tasks;
    uint64_t slots = tasks->slots == NULL ? FIRST_SLOTS : ((uint64_t)tasks->mask + 1) * 2;
    larger.slots = slots > MAX_SLOTS ? NULL : ft_mem_new(tasks->mem, slots, sizeof *larger.slots);
    if (larger.slots == NULL)
        return false;
    larger.mask = (uint32_t)slots - 1;
    for (uint32_t i = 0; tasks->slots != NULL && i <= tasks->mask; i++)
        if (tasks->slots[i].frame != 0)
            *slot_of(&larger, tasks->slots[i].frame) = tasks->slots[i];
    ft_mem_free(tasks->mem, tasks->slots);
    *tasks = larger;
    return true;
}

/* The task of frame, made if there is none; NULL without memory for it. */
static ft_task *find_or_add(ft_tasks *tasks, uintptr_t frame)
{
    ft_task *task = find(tasks, frame);
    if (task != NULL)
        return task;
    bool full = tasks->slots == NULL || tasks->count >= tasks->mask - tasks->mask / 4;
    if (full && !grow(tasks))
        return NULL;
    tasks->count++;
    task = slot_of(tasks, frame);
    *task = (ft_task){.frame = frame};
    return task;
}

/* Closes the gap, so that no mark of what was there is needed. */
static void take_out(ft_tasks *tasks, ft_task *task)
{
    uint32_t gap = (uint32_t)(task - tasks->slots);
    for (uint32_t at = (gap + 1) & tasks->mask; tasks->slots[at].frame != 0;
         at = (at + 1) & tasks->mask) {
        uint32_t away = (at - home(tasks, tasks->slots[at].frame)) & tasks->mask;
        if (away >= ((at - gap) & tasks->mask)) {
            tasks->slots[gap] = tasks->slots[at];
            gap = at;
        }
    }
    tasks->slots[gap] = (ft_task){0};
    tasks->count--;
}

/* ---- suspensions ---- */

static uint64_t since_first(const ft_recorder *recorder, uint64_t now)
{
    return now - ft_arena_first_ticks(recorder->recording->arena.header);
}

/* Between the two words of either a process may be killed: a reader then finds too small a sum,
 * which it can tell, rather than one that is too large. */

static void begin_suspension(const ft_recorder *recorder, ft_task *task, ft_context *awaited,
                             uint64_t now)
{
    assert(task->awaited == NULL);
    task->awaited = awaited;
    ft_counter_add(&awaited->calls, 1);
    ft_counter_add(&awaited->own, UINT64_C(0) - since_first(recorder, now));
    ft_counter_add_last(&awaited->waiting, 1);
}

static void end_suspension(const ft_recorder *recorder, ft_task *task, uint64_t now)
{
    ft_context *awaited = task->awaited;
    if (awaited == NULL)
        return;
    task->awaited = NULL;
    ft_counter_add(&awaited->waiting, UINT64_MAX);
    ft_counter_add_last(&awaited->own, since_first(recorder, now));
}

void ft_tasks_end(ft_recorder *recorder, uint64_t now)
{
    ft_tasks *tasks = &recorder->rest->tasks;
    for (uint32_t i = 0; tasks->count > 0 && i <= tasks->mask; i++)
        end_suspension(recorder, &tasks->slots[i], now);
    ft_tasks_fini(tasks);
}

/* ---- creation ---- */

/* The creator of a task that `context` creates. A task of the same coroutine among those around it
 * shares its creator: else a task that starts its successor would make a new path each time. */
static const void *shared_creator(const ft_recorder *recorder, const ft_context *context,
                                  const void *key)
{
    const void *unknown = &recorder->rest->tasks.unknown;
    const void *creator = context == recorder->root ? unknown : context;
    for (int i = 0; i < CREATORS_LOOK_BACK; i++) {
        const ft_context *parent = context->parent;
        if (parent == NULL)
            return creator;
        if (parent->code == FT_CODE_TASK_NUMBER) {
            if (context->key == key)
                return parent->key;
            context = parent->key == unknown ? parent : parent->key;
        } else {
            context = parent;
        }
    }
    return unknown;
}

void ft_tasks_create(ft_recorder *recorder, const void *key, const void *frame, uint64_t now)
{
    if ((recorder->current->flags & FT_CODE_CREATES_TASK) != 0)
        return;
    ft_task *task = find_or_add(&recorder->rest->tasks, (uintptr_t)frame);
    if (task == NULL)
        return;
    end_suspension(recorder, task, now); /* of another coroutine that was here and was dropped */
    task->creator = shared_creator(recorder, recorder->current, key);
}

/* ---- entering and yielding ---- */

void ft_tasks_throw(ft_recorder *recorder, const void *frame)
{
    recorder->rest->tasks.thrown = (uintptr_t)frame;
    recorder->rest->tasks.thrown_at = recorder->slice_start; /* no event comes before the entry */
}

/* Who awaited the coroutine `key` of the task, into which an exception was thrown: those inside it
 * have ended. */
static const void *awaited_by(ft_task *task, const void *key)
{
    ft_context *at = task->inside;
    while (at != NULL && at->key != key)
        at = at->code == FT_CODE_TASK_NUMBER ? NULL : at->parent;
    if (at == NULL)
        return task->creator;
    task->inside = at->parent;
    return at->parent->code == FT_CODE_TASK_NUMBER ? at->parent->key : at->parent;
}

/* Ends the suspension of the task whose coroutine key is entered at frame; gives the marker's key.
 */
static const void *resume(ft_recorder *recorder, const void *key, uintptr_t frame, uint64_t now)
{
    ft_tasks *tasks = &recorder->rest->tasks;
    bool thrown = tasks->thrown != 0 && tasks->thrown_at == recorder->slice_start;
    ft_task *task = find(tasks, thrown ? tasks->thrown : frame);
    tasks->thrown = 0;
    if (task == NULL)
        return &tasks->unknown;
    end_suspension(recorder, task, now);
    if (thrown) /* those outside have yet to be entered */
        return awaited_by(task, key);
    const void *creator = task->creator;
    take_out(tasks, task);
    return creator;
}

static ft_context *child_of(ft_recorder *recorder, ft_context *parent, const void *key,
                            uint32_t code)
{
    ft_recording *recording = recorder->recording;
    ft_context *child = ft_children_find(parent, key);
    if (child != NULL)
        return child;
    uint32_t count = atomic_load_explicit(&recording->context_count, memory_order_relaxed);
    if (count >= recording->max_contexts && code != FT_CODE_AWAITED_NUMBER)
        return NULL;
    return ft_recording_new_context(recorder, parent, key, code);
}

ft_context *ft_tasks_enter(ft_recorder *recorder, const void *key, uint32_t code, const void *frame,
                           uint64_t now)
{
    const void *creator = resume(recorder, key, (uintptr_t)frame, now);
    ft_context *marker = child_of(recorder, recorder->current, creator, FT_CODE_TASK_NUMBER);
    return marker == NULL ? NULL : child_of(recorder, marker, key, code);
}

static void suspend(ft_recorder *recorder, const void *frame, uint64_t now)
{
    ft_tasks *tasks = &recorder->rest->tasks;
    ft_context *awaited =
        child_of(recorder, tasks->innermost, &tasks->awaited, FT_CODE_AWAITED_NUMBER);
    ft_task *task = awaited == NULL ? NULL : find_or_add(tasks, (uintptr_t)frame);
    if (task == NULL)
        return;
    end_suspension(recorder, task, now);
    task->inside = tasks->innermost;
    if (task->creator == NULL) /* else it was left in when an exception was thrown in */
        task->creator = recorder->current->parent->key;
    begin_suspension(recorder, task, awaited, now);
}

void ft_tasks_yield(ft_recorder *recorder, const void *task, bool is_value, uint64_t now)
{
    ft_tasks *tasks = &recorder->rest->tasks;
    ft_context *context = recorder->current;
    bool goes_on = tasks->yielded != NULL && tasks->yielded_at == recorder->slice_start &&
                   tasks->yielded->parent == context;
    if (!goes_on)
        tasks->innermost = context;
    /* What a plain generator yields by itself is a value for who iterates over it. */
    bool suspends = !is_value && (goes_on || (context->flags & FT_CODE_SUSPENDS) != 0);
    tasks->yielded = suspends ? context : NULL;
    tasks->yielded_at = now;
    if (suspends && ft_tasks_is_outermost(recorder))
        suspend(recorder, task, now);
}
