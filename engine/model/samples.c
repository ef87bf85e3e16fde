/* SPDX-License-Identifier: Apache-2.0 */
/* samples.c: series of samples (see samples.h). What can not be is refused where it is added, so
 * that whoever reads a file need not look again. */
#include "engine/model/samples.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "engine/base/array.h"

void ft_samples_init(ft_samples *samples, const ft_mem *mem)
{
    *samples = (ft_samples){.mem = mem};
}

void ft_samples_fini(ft_samples *samples)
{
    ft_mem_free(samples->mem, samples->seconds);
    ft_mem_free(samples->mem, samples->groups);
    ft_mem_free(samples->mem, samples->counters);
    ft_mem_free(samples->mem, samples->series);
    ft_samples_init(samples, samples->mem);
}

/* The block with room for `more` more elements, or why there is none. */
static ft_status grow(const ft_samples *samples, void *block, uint32_t count, uint32_t more,
                      uint32_t *capacity, size_t size, void **grown)
{
    if (more > UINT32_MAX - count)
        return FT_ERR_LIMIT;
    void *larger = ft_array_grow(samples->mem, block, count + more, capacity, size);
    if (larger == NULL)
        return FT_ERR_MEMORY;
    *grown = larger;
    return FT_OK;
}

static bool series_is_sound(const ft_series *series)
{
    bool has_memory = (series->flags & FT_SERIES_HAS_MEMORY) != 0;
    bool has_peak = (series->flags & FT_SERIES_HAS_PEAK) != 0;
    return series->clock > 0 && series->clock < FT_SERIES_CLOCKS && series->loops > 0 &&
           isfinite(series->empty) && series->empty >= 0 && series->flags <= FT_SERIES_FLAGS &&
           (has_memory || (series->bytes | series->blocks) == 0) && (has_peak || series->peak == 0);
}

ft_status ft_samples_add_series(ft_samples *samples, const ft_series *series)
{
    const ft_series copy = *series; /* here and below: it may lie in the array that moves */
    void *block;
    if (!series_is_sound(series))
        return FT_ERR_CORRUPT;
    if (samples->series_count >= FT_SERIES_MAX)
        return FT_ERR_LIMIT;
    ft_status status = grow(samples, samples->series, samples->series_count, 1,
                            &samples->series_capacity, sizeof copy, &block);
    if (status != FT_OK)
        return status;
    samples->series = block;
    samples->series[samples->series_count++] = copy;
    return FT_OK;
}

/* Whether a counter may follow those that there are; how many of its series they are. */
static bool counter_follows(const ft_samples *samples, const ft_counter *counter, uint32_t *beside)
{
    uint32_t at = samples->counter_count;
    *beside = 0;
    for (; at > 0 && samples->counters[at - 1].series == counter->series; at--, ++*beside)
        if (samples->counters[at - 1].name == counter->name)
            return false;
    return counter->series < samples->series_count && isfinite(counter->value) &&
           (at == 0 || samples->counters[at - 1].series < counter->series);
}

ft_status ft_samples_add_counter(ft_samples *samples, const ft_counter *counter)
{
    const ft_counter copy = *counter;
    void *block;
    uint32_t beside;
    if (!counter_follows(samples, counter, &beside))
        return FT_ERR_CORRUPT;
    if (beside >= FT_SERIES_COUNTERS_MAX)
        return FT_ERR_LIMIT;
    ft_status status = grow(samples, samples->counters, samples->counter_count, 1,
                            &samples->counter_capacity, sizeof copy, &block);
    if (status != FT_OK)
        return status;
    samples->counters = block;
    samples->counters[samples->counter_count++] = copy;
    return FT_OK;
}

/* Whether the last series that has groups is that one, and has as many as it may. */
static bool has_all_groups(const ft_samples *samples, uint32_t series)
{
    const uint32_t count = samples->group_count;
    return count >= FT_SERIES_GROUPS_MAX &&
           samples->groups[count - FT_SERIES_GROUPS_MAX].series == series;
}

ft_status ft_samples_add_group(ft_samples *samples, uint32_t series)
{
    const uint32_t count = samples->group_count;
    void *block;
    if (series >= samples->series_count ||
        (count > 0 && samples->groups[count - 1].series > series))
        return FT_ERR_CORRUPT;
    if (has_all_groups(samples, series))
        return FT_ERR_LIMIT;
    ft_status status = grow(samples, samples->groups, count, 1, &samples->group_capacity,
                            sizeof *samples->groups, &block);
    if (status != FT_OK)
        return status;
    samples->groups = block;
    samples->groups[samples->group_count++] =
        (ft_group){.series = series, .first = samples->second_count};
    return FT_OK;
}

static bool all_finite(const double *seconds, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        if (!isfinite(seconds[i]))
            return false;
    return true;
}

ft_status ft_samples_add_seconds(ft_samples *samples, const double *seconds, uint32_t count)
{
    void *block;
    assert(samples->group_count > 0);
    if (!all_finite(seconds, count))
        return FT_ERR_CORRUPT;
    if (count == 0)
        return FT_OK;
    ft_status status = grow(samples, samples->seconds, samples->second_count, count,
                            &samples->second_capacity, sizeof *seconds, &block);
    if (status != FT_OK)
        return status;
    samples->seconds = block;
    memcpy(samples->seconds + samples->second_count, seconds, count * sizeof *seconds);
    samples->second_count += count;
    samples->groups[samples->group_count - 1].count += count;
    return FT_OK;
}

static ft_status merge_all(ft_samples *into, const ft_samples *from, const uint32_t *texts)
{
    const uint32_t first = into->series_count;
    ft_status status = FT_OK;
    for (uint32_t i = 0; i < from->series_count && status == FT_OK; i++) {
        ft_series series = from->series[i];
        series.label = texts[series.label];
        if (into->series_count == 0)
            series.flags &= ~(uint32_t)FT_SERIES_TOGETHER;
        status = ft_samples_add_series(into, &series);
    }
    for (uint32_t i = 0; i < from->counter_count && status == FT_OK; i++) {
        ft_counter counter = from->counters[i];
        counter.series += first;
        counter.name = texts[counter.name];
        status = ft_samples_add_counter(into, &counter);
    }
    for (uint32_t i = 0; i < from->group_count && status == FT_OK; i++) {
        const ft_group *group = &from->groups[i];
        status = ft_samples_add_group(into, first + group->series);
        if (status == FT_OK)
            status = ft_samples_add_seconds(into, from->seconds + group->first, group->count);
    }
    return status;
}

ft_status ft_samples_merge(ft_samples *into, const ft_samples *from, const uint32_t *texts)
{
    assert(into != from);
    const ft_samples before = *into; /* its counts only: the blocks may move */
    ft_status status = merge_all(into, from, texts);
    if (status != FT_OK)
        ft_samples_cut(into, &before);
    return status;
}

void ft_samples_cut(ft_samples *samples, const ft_samples *before)
{
    samples->series_count = before->series_count;
    samples->counter_count = before->counter_count;
    samples->group_count = before->group_count;
    samples->second_count = before->second_count;
}

static bool counters_are_valid(const ft_samples *samples, uint32_t text_count)
{
    ft_samples so_far = *samples;
    for (uint32_t i = 0; i < samples->counter_count; i++) {
        uint32_t beside;
        so_far.counter_count = i;
        if (samples->counters[i].name >= text_count ||
            !counter_follows(&so_far, &samples->counters[i], &beside) ||
            beside >= FT_SERIES_COUNTERS_MAX)
            return false;
    }
    return true;
}

static bool groups_are_valid(const ft_samples *samples)
{
    uint32_t seconds = 0, series = 0;
    for (uint32_t i = 0; i < samples->group_count; i++) {
        const ft_group *group = &samples->groups[i];
        if (group->series < series || group->series >= samples->series_count ||
            (i >= FT_SERIES_GROUPS_MAX &&
             samples->groups[i - FT_SERIES_GROUPS_MAX].series == group->series) ||
            group->first != seconds || group->count > samples->second_count - seconds)
            return false;
        series = group->series;
        seconds += group->count;
    }
    return seconds == samples->second_count;
}

bool ft_samples_are_valid(const ft_samples *samples, uint32_t text_count)
{
    if (samples->series_count > FT_SERIES_MAX ||
        (samples->series_count > 0 && (samples->series[0].flags & FT_SERIES_TOGETHER) != 0))
        return false;
    for (uint32_t i = 0; i < samples->series_count; i++)
        if (samples->series[i].label >= text_count || !series_is_sound(&samples->series[i]))
            return false;
    return counters_are_valid(samples, text_count) && groups_are_valid(samples) &&
           all_finite(samples->seconds, samples->second_count);
}
