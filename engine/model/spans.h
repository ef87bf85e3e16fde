/* SPDX-License-Identifier: Apache-2.0 */
/* spans.h: when things of a recording began and ended: the garbage collections of each process, and
 * the threads. Times are ns since the process's recording began.
 *
 * Of collections the longest are kept one by one; all of them are in the sums. */
#ifndef FT_MODEL_SPANS_H
#define FT_MODEL_SPANS_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/base/mem.h"
#include "engine/base/status.h"

#define FT_SPAN_OPEN UINT64_MAX /* an end: it had not ended when the recording did */

typedef struct ft_collection {
    uint32_t process; /* index into the profile's processes */
    uint32_t generation;
    uint64_t start, duration;
    uint64_t collected, uncollectable; /* objects */
} ft_collection;

typedef struct ft_collection_sum { /* of all collections of a generation in one process */
    uint32_t process;
    uint32_t generation;
    uint64_t count;
    uint64_t time, longest; /* ns: of all together, and of the longest */
    uint64_t collected, uncollectable;
} ft_collection_sum;

typedef struct ft_thread_span { /* a thread, or several that ran one after another */
    uint32_t thread;            /* index into the profile's threads: whose tree and name it has */
    uint64_t uses;              /* how many threads, at least 1 */
    uint64_t start, end;        /* end: not before start, or FT_SPAN_OPEN */
} ft_thread_span;

/* Orders that hold always: collections by process, then start; sums by process, then generation, no
 * two alike; threads by thread, then start. */
typedef struct ft_spans {
    const ft_mem *mem;
    ft_collection *collections; /* owned, as all of them */
    uint32_t collection_count, collection_capacity;
    ft_collection_sum *sums;
    uint32_t sum_count, sum_capacity;
    ft_thread_span *threads;
    uint32_t thread_count, thread_capacity;
} ft_spans;

void ft_spans_init(ft_spans *spans, const ft_mem *mem);
void ft_spans_fini(ft_spans *spans);

/* Each appends a copy. FT_ERR_CORRUPT for what can not be or breaks the order above; FT_ERR_MEMORY,
 * FT_ERR_LIMIT. A failure changes nothing. */
ft_status ft_spans_add_collection(ft_spans *spans, const ft_collection *collection);
ft_status ft_spans_add_sum(ft_spans *spans, const ft_collection_sum *sum);
ft_status ft_spans_add_thread(ft_spans *spans, const ft_thread_span *span);

/* Appends all of from, whose processes and threads are from these indices on here, past all that
 * have rows. On a failure into is as it was. */
ft_status ft_spans_merge(ft_spans *into, const ft_spans *from, uint32_t first_process,
                         uint32_t first_thread);

/* When it ended, or, where it had not, when its process's recording did: elapsed (ns). */
static inline uint64_t ft_thread_span_end(const ft_thread_span *span, uint64_t elapsed)
{
    if (span->end != FT_SPAN_OPEN)
        return span->end;
    return span->start > elapsed ? span->start : elapsed;
}

/* Forgets what was appended since spans had the counts of before. */
void ft_spans_cut(ft_spans *spans, const ft_spans *before);

/* Validates the whole: every index in range, every order held. */
bool ft_spans_are_valid(const ft_spans *spans, uint32_t process_count, uint32_t thread_count);

#endif
