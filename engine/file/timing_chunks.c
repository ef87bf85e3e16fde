/* SPDX-License-Identifier: Apache-2.0 */
/* timing_chunks.c: the chunks of timings (docs/format.md) become the profile's samples.
 *
 * That numbers are finite and orders are held is looked at where the model adds them; which group a
 * record of samples belongs to, here: a long one goes on in the next record, or chunk. */
#include "engine/file/timing_chunks.h"

/* Bytes of memory one element may cost, spare room included. */
enum {
    SERIES_COST = 2 * sizeof(ft_series),
    COUNTER_COST = 2 * sizeof(ft_counter),
    GROUP_COST = 2 * sizeof(ft_group),
    SECOND_COST = 2 * sizeof(double)
};

enum { AT_ONCE = 512 }; /* doubles on the stack */

static uint32_t get_series(const ft_segment *segment, ft_cursor *from)
{
    uint32_t here = segment->profile->samples.series_count - segment->first_series;
    return segment->first_series + ft_cursor_get_below(from, here);
}

static ft_status take_series(ft_segment *segment, ft_cursor *from)
{
    ft_series series = {.label = ft_segment_get_text(segment, from)};
    series.clock = ft_cursor_get_u32(from);
    series.loops = ft_cursor_get(from);
    series.empty = ft_cursor_get_double(from);
    series.flags = ft_cursor_get_u32(from);
    series.bytes = ft_cursor_get(from);
    series.blocks = ft_cursor_get(from);
    series.peak = ft_cursor_get(from);
    const bool is_first = segment->profile->samples.series_count == segment->first_series;
    if (from->failed || (is_first && (series.flags & FT_SERIES_TOGETHER) != 0))
        return FT_ERR_CORRUPT;
    if (series.clock >= FT_SERIES_CLOCKS)
        return FT_ERR_NEWER;
    ft_status status = ft_segment_spend(segment, SERIES_COST);
    return status == FT_OK ? ft_samples_add_series(&segment->profile->samples, &series) : status;
}

static ft_status take_counter(ft_segment *segment, ft_cursor *from)
{
    ft_counter counter = {.series = get_series(segment, from)};
    counter.name = ft_segment_get_text(segment, from);
    counter.value = ft_cursor_get_double(from);
    if (from->failed)
        return FT_ERR_CORRUPT;
    ft_status status = ft_segment_spend(segment, COUNTER_COST);
    return status == FT_OK ? ft_samples_add_counter(&segment->profile->samples, &counter) : status;
}

/* Makes group the last one, if it is not: the next of the same series, or the first of a later. */
static ft_status open_group(ft_segment *segment, uint32_t series, uint32_t group)
{
    ft_samples *samples = &segment->profile->samples;
    const uint32_t count = samples->group_count;
    const bool same = count > segment->first_group && samples->groups[count - 1].series == series;
    const uint32_t next = same ? count - segment->first_group : 0;
    if (same && group + 1 == next)
        return FT_OK;
    if (group != next)
        return FT_ERR_CORRUPT;
    ft_status status = ft_segment_spend(segment, GROUP_COST);
    if (status == FT_OK)
        status = ft_samples_add_group(samples, series);
    if (status == FT_OK && !same)
        segment->first_group = count;
    return status;
}

static ft_status take_samples(ft_segment *segment, ft_cursor *from)
{
    double seconds[AT_ONCE];
    const uint32_t series = get_series(segment, from), group = ft_cursor_get_u32(from);
    uint32_t left = ft_cursor_get_u32(from);
    if (from->failed || left > (size_t)(from->end - from->at) / sizeof *seconds)
        return FT_ERR_CORRUPT;
    ft_status status = open_group(segment, series, group);
    if (status == FT_OK)
        status = ft_segment_spend(segment, (uint64_t)left * SECOND_COST);
    while (left > 0 && status == FT_OK) {
        const uint32_t count = left < AT_ONCE ? left : AT_ONCE;
        for (uint32_t i = 0; i < count; i++)
            seconds[i] = ft_cursor_get_double(from);
        status = ft_samples_add_seconds(&segment->profile->samples, seconds, count);
        left -= count;
    }
    return status;
}

bool ft_timing_chunks_knows(uint32_t type)
{
    return type == FT_CHUNK_TIME || type == FT_CHUNK_CNTR || type == FT_CHUNK_SMPL;
}

ft_status ft_timing_chunks_take(ft_segment *segment, uint32_t type, ft_cursor *from)
{
    ft_status status = FT_OK;
    while (!ft_cursor_is_done(from) && status == FT_OK)
        status = type == FT_CHUNK_TIME   ? take_series(segment, from)
                 : type == FT_CHUNK_CNTR ? take_counter(segment, from)
                                         : take_samples(segment, from);
    return status;
}
