/* SPDX-License-Identifier: Apache-2.0 */
/* span_log.h: when garbage collections and threads of a process began and ended, in one block of
 * its arena, whatever the process does.
 *
 * Of collections the longest are kept: when their room is full, those no longer than the median go,
 * and none so short is kept from then on. So what is kept is all that were longer than `shortest`;
 * the sums have every one of them. A recorder has a row for each thread that used it; once their
 * room is full its last row is stretched to the threads that follow.
 *
 * Locking: collections are told of by one thread at a time (they need the GIL); rows of threads are
 * made under the recording's lock, and ended by who ends the recorder's slice. A reader of the file
 * sees a row when its number is published; while rows move up it may see some of them twice. */
#ifndef FT_RECORD_SPAN_LOG_H
#define FT_RECORD_SPAN_LOG_H

#include "engine/record/recording.h"

enum {
    FT_SPAN_COLLECTIONS_MAX = 1000,
    FT_SPAN_THREADS_MAX = 1050,
    FT_SPAN_GENERATIONS = 4 /* the last one stands for all that are older */
};

typedef struct ft_span_sum { /* of the collections of a generation; times in ticks */
    _Atomic uint64_t count, time, longest, collected, uncollectable;
} ft_span_sum;

typedef struct ft_span_collection {
    uint64_t start, duration; /* ticks */
    uint64_t collected, uncollectable;
    uint32_t generation, reserved;
} ft_span_collection;

typedef struct ft_span_thread {
    uint64_t start;       /* ticks */
    _Atomic uint64_t end; /* 0: not yet */
    uint32_t recorder;
    _Atomic uint32_t uses; /* threads that it stands for, at least 1 */
} ft_span_thread;

/* In a SPANS block: one. */
typedef struct ft_span_log {
    ft_span_sum sums[FT_SPAN_GENERATIONS];
    uint64_t shortest; /* ticks: no collection that is not longer is kept */
    _Atomic uint64_t collection_count, thread_count;
    uint64_t reserved;
    ft_span_collection collections[FT_SPAN_COLLECTIONS_MAX];
    ft_span_thread threads[FT_SPAN_THREADS_MAX];
} ft_span_log;

/* A collection was made. On the callers' clock, whose time nobody asks for, it is not kept. */
void ft_span_log_collection(ft_recording *recording, const ft_span_collection *collection);

/* A thread has taken the recorder, whose clock was started. is_other: not the one that had it. */
void ft_span_log_begin(ft_recorder *recorder, bool is_other);

/* It gives the recorder back; its last slice has ended. */
void ft_span_log_end(ft_recorder *recorder);

#endif
