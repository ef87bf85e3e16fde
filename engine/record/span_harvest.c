/* SPDX-License-Identifier: Apache-2.0 */
/* span_harvest.c: the span log in an arena becomes the profile's spans (see span_harvest.h). */
#include "engine/record/span_harvest.h"

#include <stdlib.h>
#include <string.h>

ft_status ft_span_harvest_start(ft_span_harvest *harvest, uint32_t recorders)
{
    harvest->threads = ft_mem_new(harvest->mem, (size_t)recorders + 1, sizeof *harvest->threads);
    if (harvest->threads == NULL)
        return FT_ERR_MEMORY;
    harvest->thread_count = recorders;
    for (uint32_t i = 0; i < recorders; i++)
        harvest->threads[i] = UINT32_MAX;
    return FT_OK;
}

void ft_span_harvest_fini(ft_span_harvest *harvest)
{
    ft_mem_free(harvest->mem, harvest->threads);
}

static uint64_t to_ns(const ft_span_harvest *harvest, uint64_t ticks)
{
    return ft_clock_to_ns(ticks, harvest->ns_per_tick);
}

/* ns since the recording began. */
static uint64_t time_of(const ft_span_harvest *harvest, uint64_t ticks)
{
    return to_ns(harvest, ticks > harvest->begun ? ticks - harvest->begun : 0);
}

static void see(ft_span_harvest *harvest, uint64_t ticks)
{
    if (ticks > harvest->last_event)
        harvest->last_event = ticks;
}

/* ---- collections ---- */

/* One that had begun before the recording did counts from there on. Rows that were seen already,
 * while they moved up, are passed over. */
static ft_status take_collection(ft_span_harvest *harvest, const ft_span_collection *row,
                                 uint64_t *last)
{
    const uint64_t end = row->start + row->duration;
    if (row->start <= *last)
        return FT_OK;
    if (end < row->start || row->generation >= FT_SPAN_GENERATIONS) {
        harvest->torn++;
        return FT_OK;
    }
    *last = row->start;
    see(harvest, end);
    const uint64_t start = row->start > harvest->begun ? row->start : harvest->begun;
    const ft_collection made = {.process = harvest->process,
                                .generation = row->generation,
                                .start = time_of(harvest, start),
                                .duration = to_ns(harvest, end > start ? end - start : 0),
                                .collected = row->collected,
                                .uncollectable = row->uncollectable};
    return ft_spans_add_collection(&harvest->profile->spans, &made);
}

static ft_status take_sum(ft_span_harvest *harvest, const ft_span_sum *sum, uint32_t generation)
{
    const uint64_t time = to_ns(harvest, atomic_load_explicit(&sum->time, memory_order_relaxed));
    const uint64_t longest =
        to_ns(harvest, atomic_load_explicit(&sum->longest, memory_order_relaxed));
    const ft_collection_sum made = {
        .process = harvest->process,
        .generation = generation,
        .count = atomic_load_explicit(&sum->count, memory_order_relaxed),
        .time = time,
        .longest = longest < time ? longest : time,
        .collected = atomic_load_explicit(&sum->collected, memory_order_relaxed),
        .uncollectable = atomic_load_explicit(&sum->uncollectable, memory_order_relaxed)};
    return made.count == 0 ? FT_OK : ft_spans_add_sum(&harvest->profile->spans, &made);
}

static ft_status take_collections(ft_span_harvest *harvest, const ft_span_log *log)
{
    uint64_t count = atomic_load_explicit(&log->collection_count, memory_order_relaxed), last = 0;
    ft_status status = FT_OK;
    if (count > FT_SPAN_COLLECTIONS_MAX) {
        harvest->torn++;
        count = 0;
    }
    for (uint32_t i = 0; i < count && status == FT_OK; i++)
        status = take_collection(harvest, &log->collections[i], &last);
    for (uint32_t i = 0; i < FT_SPAN_GENERATIONS && status == FT_OK; i++)
        status = take_sum(harvest, &log->sums[i], i);
    return status;
}

/* ---- threads ---- */

static int by_thread_and_start(const void *left, const void *right)
{
    const ft_thread_span *a = left, *b = right;
    if (a->thread != b->thread)
        return a->thread < b->thread ? -1 : 1;
    return a->start < b->start ? -1 : a->start > b->start;
}

/* The row as one of the profile; false where it has no thread there. */
static bool convert(ft_span_harvest *harvest, const ft_span_thread *row, ft_thread_span *made)
{
    const uint64_t end = atomic_load_explicit(&row->end, memory_order_relaxed);
    made->uses = atomic_load_explicit(&row->uses, memory_order_relaxed);
    if (row->recorder >= harvest->thread_count || made->uses == 0) {
        harvest->torn++;
        return false;
    }
    made->thread = harvest->threads[row->recorder];
    made->start = time_of(harvest, row->start);
    made->end = end == 0 ? FT_SPAN_OPEN : time_of(harvest, end > row->start ? end : row->start);
    return made->thread != UINT32_MAX;
}

static ft_status take_threads(ft_span_harvest *harvest, const ft_span_log *log)
{
    const uint64_t count = atomic_load_explicit(&log->thread_count, memory_order_relaxed);
    uint32_t kept = 0;
    if (count > FT_SPAN_THREADS_MAX) {
        harvest->torn++;
        return FT_OK;
    }
    ft_thread_span *made = ft_mem_new(harvest->mem, (size_t)count + 1, sizeof *made);
    if (made == NULL)
        return FT_ERR_MEMORY;
    for (uint32_t i = 0; i < count; i++)
        kept += convert(harvest, &log->threads[i], &made[kept]);
    qsort(made, kept, sizeof *made, by_thread_and_start);
    ft_status status = FT_OK;
    for (uint32_t i = 0; i < kept && status == FT_OK; i++)
        status = ft_spans_add_thread(&harvest->profile->spans, &made[i]);
    ft_mem_free(harvest->mem, made);
    return status;
}

ft_status ft_span_harvest_block(ft_span_harvest *harvest, const uint8_t *content, uint64_t bytes)
{
    const ft_span_log *log = (const ft_span_log *)(const void *)content;
    if (bytes != sizeof *log || harvest->is_done) {
        harvest->torn += bytes > 0; /* else it ended while it began */
        return FT_OK;
    }
    harvest->is_done = true;
    ft_status status = take_collections(harvest, log);
    return status == FT_OK ? take_threads(harvest, log) : status;
}
