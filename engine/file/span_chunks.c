/* SPDX-License-Identifier: Apache-2.0 */
/* span_chunks.c: the chunks of spans (docs/format.md) become the profile's collections and threads'
 * spans. That rows are sound and orders are held is looked at where the model adds them. */
#include "engine/file/span_chunks.h"

/* Bytes of memory one element may cost, spare room included. */
enum {
    COLLECTION_COST = 2 * sizeof(ft_collection),
    SUM_COST = 2 * sizeof(ft_collection_sum),
    THREAD_SPAN_COST = 2 * sizeof(ft_thread_span)
};

static ft_status take_collection(ft_segment *segment, ft_cursor *from)
{
    ft_collection collection = {.process = ft_segment_get_process(segment, from)};
    collection.generation = ft_cursor_get_u32(from);
    collection.start = ft_cursor_get(from);
    collection.duration = ft_cursor_get(from);
    collection.collected = ft_cursor_get(from);
    collection.uncollectable = ft_cursor_get(from);
    if (from->failed)
        return FT_ERR_CORRUPT;
    ft_status status = ft_segment_spend(segment, COLLECTION_COST);
    return status == FT_OK ? ft_spans_add_collection(&segment->profile->spans, &collection)
                           : status;
}

static ft_status take_sum(ft_segment *segment, ft_cursor *from)
{
    ft_collection_sum sum = {.process = ft_segment_get_process(segment, from)};
    sum.generation = ft_cursor_get_u32(from);
    sum.count = ft_cursor_get(from);
    sum.time = ft_cursor_get(from);
    sum.longest = ft_cursor_get(from);
    sum.collected = ft_cursor_get(from);
    sum.uncollectable = ft_cursor_get(from);
    if (from->failed)
        return FT_ERR_CORRUPT;
    ft_status status = ft_segment_spend(segment, SUM_COST);
    return status == FT_OK ? ft_spans_add_sum(&segment->profile->spans, &sum) : status;
}

/* The end is written as one more than how long it lasted, 0 where it had not ended. */
static ft_status take_thread(ft_segment *segment, ft_cursor *from)
{
    const ft_profile *profile = segment->profile;
    const uint32_t here = profile->thread_count - segment->first_thread;
    ft_thread_span span = {.thread = segment->first_thread + ft_cursor_get_below(from, here)};
    span.uses = ft_cursor_get(from);
    span.start = ft_cursor_get(from);
    const uint64_t lasted = ft_cursor_get(from);
    if (from->failed || (lasted > 0 && lasted - 1 >= FT_SPAN_OPEN - span.start))
        return FT_ERR_CORRUPT;
    span.end = lasted == 0 ? FT_SPAN_OPEN : span.start + (lasted - 1);
    ft_status status = ft_segment_spend(segment, THREAD_SPAN_COST);
    return status == FT_OK ? ft_spans_add_thread(&segment->profile->spans, &span) : status;
}

bool ft_span_chunks_knows(uint32_t type)
{
    return type == FT_CHUNK_COLL || type == FT_CHUNK_CSUM || type == FT_CHUNK_SPAN;
}

ft_status ft_span_chunks_take(ft_segment *segment, uint32_t type, ft_cursor *from)
{
    ft_status status = FT_OK;
    while (!ft_cursor_is_done(from) && status == FT_OK)
        status = type == FT_CHUNK_COLL   ? take_collection(segment, from)
                 : type == FT_CHUNK_CSUM ? take_sum(segment, from)
                                         : take_thread(segment, from);
    return status;
}
