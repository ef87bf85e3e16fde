/* SPDX-License-Identifier: Apache-2.0 */
/* span_log.c: when collections and threads began and ended (see span_log.h). */
#include "engine/record/span_log.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "engine/record/recorder_rest.h"

/* Room for so many bytes is in the block, be it new or filled: so there is never a second one. */
enum { SPARE = 8 };

static_assert(sizeof(ft_span_log) + SPARE <= FT_BLOCK_MIN_BYTES - FT_BLOCK_HEADER_BYTES,
              "one block");

/* NULL without room (noted). */
static ft_span_log *log_of(ft_recording *recording)
{
    ft_block **block = &recording->spans;
    if (ft_recording_reserve(recording, block, FT_BLOCK_SPANS, 0, SPARE) != FT_OK)
        return NULL;
    atomic_store_explicit(&(*block)->used, sizeof(ft_span_log), memory_order_release);
    return ft_block_data(*block);
}

/* ---- collections ---- */

static int by_size(const void *left, const void *right)
{
    const uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;
    return a < b ? -1 : a > b;
}

static uint64_t median_of(const ft_span_log *log)
{
    uint64_t durations[FT_SPAN_COLLECTIONS_MAX];
    for (uint32_t i = 0; i < FT_SPAN_COLLECTIONS_MAX; i++)
        durations[i] = log->collections[i].duration;
    qsort(durations, FT_SPAN_COLLECTIONS_MAX, sizeof *durations, by_size);
    return durations[FT_SPAN_COLLECTIONS_MAX / 2];
}

/* Half of them go at least. */
static void thin_out(ft_span_log *log)
{
    uint32_t kept = 0;
    log->shortest = median_of(log);
    for (uint32_t i = 0; i < FT_SPAN_COLLECTIONS_MAX; i++)
        if (log->collections[i].duration > log->shortest)
            log->collections[kept++] = log->collections[i];
    atomic_store_explicit(&log->collection_count, kept, memory_order_release);
}

static void add_to_sum(ft_span_sum *sum, const ft_span_collection *collection)
{
    ft_counter_add(&sum->count, 1);
    ft_counter_add(&sum->time, collection->duration);
    ft_counter_add(&sum->collected, collection->collected);
    ft_counter_add(&sum->uncollectable, collection->uncollectable);
    if (collection->duration > atomic_load_explicit(&sum->longest, memory_order_relaxed))
        atomic_store_explicit(&sum->longest, collection->duration, memory_order_relaxed);
}

void ft_span_log_collection(ft_recording *recording, const ft_span_collection *collection)
{
    ft_span_log *log =
        recording->arena.header->clock_source == FT_CLOCK_CALLERS ? NULL : log_of(recording);
    if (log == NULL)
        return;
    ft_span_collection row = *collection;
    if (row.generation >= FT_SPAN_GENERATIONS)
        row.generation = FT_SPAN_GENERATIONS - 1;
    add_to_sum(&log->sums[row.generation], &row); /* first: a row that is seen is in its sum */
    if (atomic_load(&log->collection_count) == FT_SPAN_COLLECTIONS_MAX)
        thin_out(log);
    if (row.duration <= log->shortest && log->shortest > 0)
        return;
    log->collections[atomic_load(&log->collection_count)] = row;
    ft_counter_add_last(&log->collection_count, 1);
}

/* ---- threads ---- */

/* Under the lock: a new row, or NULL without room. */
static ft_span_thread *add_row(ft_span_log *log, const ft_recorder *recorder)
{
    uint64_t count = atomic_load_explicit(&log->thread_count, memory_order_relaxed);
    if (count == FT_SPAN_THREADS_MAX)
        return NULL;
    ft_span_thread *row = &log->threads[count];
    *row = (ft_span_thread){.start = recorder->first.ticks, .recorder = recorder->index, .uses = 1};
    ft_counter_add_last(&log->thread_count, 1);
    return row;
}

void ft_span_log_begin(ft_recorder *recorder, bool is_other)
{
    ft_recording *recording = recorder->recording;
    ft_span_log *log = recorder->clock == FT_CLOCK_CALLERS ? NULL : log_of(recording);
    if (log == NULL)
        return;
    pthread_mutex_lock(&recording->lock);
    ft_span_thread *row = add_row(log, recorder), *last = recorder->rest->span;
    pthread_mutex_unlock(&recording->lock);
    if (row != NULL) {
        recorder->rest->span = row;
    } else if (last != NULL) {
        atomic_fetch_add_explicit(&last->uses, is_other, memory_order_relaxed);
        atomic_store_explicit(&last->end, 0, memory_order_relaxed);
    }
}

void ft_span_log_end(ft_recorder *recorder)
{
    ft_span_thread *row = recorder->rest->span;
    if (row != NULL)
        atomic_store_explicit(&row->end, recorder->slice_start, memory_order_relaxed);
}
