/* SPDX-License-Identifier: Apache-2.0 */
/* spans.c: collections and threads of a recording (see spans.h).
 *
 * Three arrays of rows, each only appended to; so taking back is setting counts. The orders are
 * looked at where a row is added. */
#include "engine/model/spans.h"

#include <assert.h>

#include "engine/base/array.h"

/* The block with room for one more element, or why there is none. */
static ft_status grow(const ft_spans *spans, void *block, uint32_t count, uint32_t *capacity,
                      size_t size, void **grown)
{
    if (count == UINT32_MAX)
        return FT_ERR_LIMIT;
    void *larger = ft_array_grow(spans->mem, block, count + 1, capacity, size);
    if (larger == NULL)
        return FT_ERR_MEMORY;
    *grown = larger;
    return FT_OK;
}

/* ---- orders ---- */

static bool collection_follows(const ft_collection *last, const ft_collection *collection)
{
    return last->process < collection->process ||
           (last->process == collection->process && last->start <= collection->start);
}

static bool sum_follows(const ft_collection_sum *last, const ft_collection_sum *sum)
{
    return last->process < sum->process ||
           (last->process == sum->process && last->generation < sum->generation);
}

static bool sum_is_sound(const ft_collection_sum *sum)
{
    return sum->count > 0 && sum->longest <= sum->time;
}

static bool thread_follows(const ft_thread_span *last, const ft_thread_span *span)
{
    return last->thread < span->thread ||
           (last->thread == span->thread && last->start <= span->start);
}

static bool thread_is_sound(const ft_thread_span *span)
{
    return span->uses > 0 && span->start <= span->end && span->start != FT_SPAN_OPEN;
}

/* ---- adding ---- */

ft_status ft_spans_add_collection(ft_spans *spans, const ft_collection *collection)
{
    const ft_collection copy = *collection; /* here and below: it may lie in the array that moves */
    const uint32_t count = spans->collection_count;
    void *rows;
    if (count > 0 && !collection_follows(&spans->collections[count - 1], collection))
        return FT_ERR_CORRUPT;
    ft_status status =
        grow(spans, spans->collections, count, &spans->collection_capacity, sizeof copy, &rows);
    if (status != FT_OK)
        return status;
    spans->collections = rows;
    spans->collections[spans->collection_count++] = copy;
    return FT_OK;
}

ft_status ft_spans_add_sum(ft_spans *spans, const ft_collection_sum *sum)
{
    const ft_collection_sum copy = *sum;
    const uint32_t count = spans->sum_count;
    void *rows;
    if (!sum_is_sound(sum) || (count > 0 && !sum_follows(&spans->sums[count - 1], sum)))
        return FT_ERR_CORRUPT;
    ft_status status = grow(spans, spans->sums, count, &spans->sum_capacity, sizeof copy, &rows);
    if (status != FT_OK)
        return status;
    spans->sums = rows;
    spans->sums[spans->sum_count++] = copy;
    return FT_OK;
}

ft_status ft_spans_add_thread(ft_spans *spans, const ft_thread_span *span)
{
    const ft_thread_span copy = *span;
    const uint32_t count = spans->thread_count;
    void *rows;
    if (!thread_is_sound(span) || (count > 0 && !thread_follows(&spans->threads[count - 1], span)))
        return FT_ERR_CORRUPT;
    ft_status status =
        grow(spans, spans->threads, count, &spans->thread_capacity, sizeof copy, &rows);
    if (status != FT_OK)
        return status;
    spans->threads = rows;
    spans->threads[spans->thread_count++] = copy;
    return FT_OK;
}

/* ---- merging ---- */

ft_status ft_spans_merge(ft_spans *into, const ft_spans *from, uint32_t first_process,
                         uint32_t first_thread)
{
    const ft_spans before = *into; /* its counts only: the blocks may move */
    ft_status status = FT_OK;
    assert(into != from);
    for (uint32_t i = 0; i < from->collection_count && status == FT_OK; i++) {
        ft_collection collection = from->collections[i];
        collection.process += first_process;
        status = ft_spans_add_collection(into, &collection);
    }
    for (uint32_t i = 0; i < from->sum_count && status == FT_OK; i++) {
        ft_collection_sum sum = from->sums[i];
        sum.process += first_process;
        status = ft_spans_add_sum(into, &sum);
    }
    for (uint32_t i = 0; i < from->thread_count && status == FT_OK; i++) {
        ft_thread_span span = from->threads[i];
        span.thread += first_thread;
        status = ft_spans_add_thread(into, &span);
    }
    if (status != FT_OK)
        ft_spans_cut(into, &before);
    return status;
}

void ft_spans_cut(ft_spans *spans, const ft_spans *before)
{
    spans->collection_count = before->collection_count;
    spans->sum_count = before->sum_count;
    spans->thread_count = before->thread_count;
}

/* ---- the whole ---- */

static bool collections_are_valid(const ft_spans *spans, uint32_t process_count)
{
    for (uint32_t i = 0; i < spans->collection_count; i++)
        if (spans->collections[i].process >= process_count ||
            (i > 0 && !collection_follows(&spans->collections[i - 1], &spans->collections[i])))
            return false;
    for (uint32_t i = 0; i < spans->sum_count; i++)
        if (spans->sums[i].process >= process_count || !sum_is_sound(&spans->sums[i]) ||
            (i > 0 && !sum_follows(&spans->sums[i - 1], &spans->sums[i])))
            return false;
    return true;
}

bool ft_spans_are_valid(const ft_spans *spans, uint32_t process_count, uint32_t thread_count)
{
    for (uint32_t i = 0; i < spans->thread_count; i++)
        if (spans->threads[i].thread >= thread_count || !thread_is_sound(&spans->threads[i]) ||
            (i > 0 && !thread_follows(&spans->threads[i - 1], &spans->threads[i])))
            return false;
    return collections_are_valid(spans, process_count);
}

void ft_spans_init(ft_spans *spans, const ft_mem *mem)
{
    *spans = (ft_spans){.mem = mem};
}

void ft_spans_fini(ft_spans *spans)
{
    ft_mem_free(spans->mem, spans->threads);
    ft_mem_free(spans->mem, spans->sums);
    ft_mem_free(spans->mem, spans->collections);
    *spans = (ft_spans){.mem = spans->mem};
}
