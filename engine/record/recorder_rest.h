/* SPDX-License-Identifier: Apache-2.0 */
/* recorder_rest.h: what a recorder has in memory of its own: the pool of its children's tables and
 * the parked stacks of greenlets that do not run at the moment, and pending tasks. */
#ifndef FT_RECORD_RECORDER_REST_H
#define FT_RECORD_RECORDER_REST_H

#include "engine/base/map.h"
#include "engine/record/line_recorder.h"
#include "engine/record/pool.h"
#include "engine/record/recorder.h"
#include "engine/record/tasks.h"

/* Codes 1 and 2 of every recording. */
enum { FT_CODE_FOLDED_NUMBER = 1, FT_CODE_FOLDED_AGAIN_NUMBER = 2 };

typedef struct ft_parked {
    struct ft_parked *next; /* newest first */
    size_t count;
    ft_stack_entry entries[]; /* from the oldest call to the newest */
} ft_parked;

enum { FT_PARKED_MAX_ENTRIES = 1 << 20 }; /* past this all are dropped: stacks that never resume */

typedef struct ft_recorder_rest {
    ft_pool pool;
    ft_parked *buckets[256]; /* by the frame of the last entry: a resumed stack is found there */
    size_t parked_entries;
    ft_tasks tasks;
    char folded_keys[2];         /* their addresses are the keys of the two FOLDED contexts */
    ft_line_recorder *lines;     /* owned; NULL: the thread met no line yet */
    clockid_t cpu_clock;         /* of the thread that uses the recorder, for any thread to read */
    uint64_t thread;             /* ... and its number, or 0 */
    struct ft_span_thread *span; /* in the arena: when that thread began; NULL: no room */
} ft_recorder_rest;

ft_recorder_rest *ft_recorder_rest_new(const ft_mem *mem);
void ft_recorder_rest_free(ft_recorder_rest *rest, const ft_mem *mem);

/* The thread's lines, made when it meets the first one. NULL when there is no room (noted). */
ft_line_recorder *ft_recorder_lines(ft_recorder *recorder);

/* Keeps a copy. Silently drops it when memory is out: its return shows as a start in mid-stack. */
void ft_parked_add(ft_recorder_rest *rest, const ft_mem *mem, const ft_stack_entry *entries,
                   size_t count);

/* Takes out a stack that has frame in it, best as its last entry; the caller frees it. */
ft_parked *ft_parked_take(ft_recorder_rest *rest, uintptr_t frame);

void ft_parked_drop_all(ft_recorder_rest *rest, const ft_mem *mem);

#endif
