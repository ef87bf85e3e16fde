/* SPDX-License-Identifier: Apache-2.0 */
/* bootstrap.c: medians of resamples (see bootstrap.h). */
#include "engine/stats/bootstrap.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

typedef struct entry { /* a sample and its run */
    double value;
    uint32_t run;
} entry;

typedef struct group_runs { /* of a group: runs first .. first + count - 1 */
    uint32_t first, count;
} group_runs;

/* Invariant: entries are in order of their values; the runs of a group are numbered in a row, and
 * lengths[r] entries have run r. */
typedef struct resampler {
    entry *entries;     /* owned */
    group_runs *groups; /* owned */
    uint32_t *lengths;  /* owned: of each run, in samples */
    uint32_t *weights;  /* owned: of each run, how often it was drawn */
    uint32_t count, group_count, run_count;
} resampler;

uint64_t ft_draw_next(ft_draw *draw)
{
    uint64_t mixed = draw->state += UINT64_C(0x9E3779B97F4A7C15);
    mixed = (mixed ^ mixed >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    mixed = (mixed ^ mixed >> 27) * UINT64_C(0x94D049BB133111EB);
    return mixed ^ mixed >> 31;
}

uint32_t ft_draw_below(ft_draw *draw, uint32_t bound)
{
    return (uint32_t)((ft_draw_next(draw) >> 32) * bound >> 32);
}

static int by_value(const void *one, const void *other)
{
    double a = ((const entry *)one)->value, b = ((const entry *)other)->value;
    return (a > b) - (a < b);
}

static void fini(const ft_mem *mem, resampler *from)
{
    ft_mem_free(mem, from->entries);
    ft_mem_free(mem, from->groups);
    ft_mem_free(mem, from->lengths);
    ft_mem_free(mem, from->weights);
}

static void add_group(resampler *to, uint32_t index, ft_samples samples)
{
    uint32_t runs = ft_bootstrap_runs(samples.count);
    to->groups[index] = (group_runs){to->run_count, runs};
    for (uint32_t i = 0; i < samples.count; i++) {
        uint32_t run = to->run_count + (uint32_t)((uint64_t)i * runs / samples.count);
        to->entries[to->count++] = (entry){samples.values[i], run};
        to->lengths[run]++;
    }
    to->run_count += runs;
}

static ft_status init(resampler *to, const ft_mem *mem, const ft_samples *groups, uint32_t count)
{
    uint64_t samples = 0, runs = 0;
    for (uint32_t i = 0; i < count; i++) {
        samples += groups[i].count;
        runs += ft_bootstrap_runs(groups[i].count);
    }
    assert(samples > 0);
    if (samples > FT_BOOTSTRAP_SAMPLES_MAX)
        return FT_ERR_LIMIT;
    *to = (resampler){
        .entries = ft_mem_new(mem, (size_t)samples, sizeof *to->entries),
        .groups = ft_mem_new(mem, count, sizeof *to->groups),
        .lengths = ft_mem_new(mem, (size_t)runs, sizeof *to->lengths),
        .weights = ft_mem_new(mem, (size_t)runs, sizeof *to->weights),
        .group_count = count,
    };
    if (to->entries == NULL || to->groups == NULL || to->lengths == NULL || to->weights == NULL) {
        fini(mem, to);
        return FT_ERR_MEMORY;
    }
    for (uint32_t i = 0; i < count; i++)
        add_group(to, i, groups[i]);
    qsort(to->entries, to->count, sizeof *to->entries, by_value);
    return FT_OK;
}

/* Draws groups and runs of them. How many samples that makes. */
static uint64_t draw_weights(resampler *from, ft_draw *draw)
{
    uint64_t samples = 0;
    memset(from->weights, 0, from->run_count * sizeof *from->weights);
    while (samples == 0)
        for (uint32_t i = 0; i < from->group_count; i++) {
            group_runs group = from->groups[ft_draw_below(draw, from->group_count)];
            for (uint32_t k = 0; k < group.count; k++) {
                uint32_t run = group.first + ft_draw_below(draw, group.count);
                from->weights[run]++;
                samples += from->lengths[run];
            }
        }
    return samples;
}

/* The median of the entries, each as often as its run's weight says: samples in all. */
static double weighted_median(const resampler *from, uint64_t samples)
{
    const entry *at = from->entries, *end = at + from->count;
    uint64_t before = (samples + 1) / 2, passed = 0; /* the lower middle one is number `before` */
    while ((passed += from->weights[at->run]) < before)
        at++;
    double lower = at->value;
    if (samples % 2 != 0 || passed > before)
        return lower;
    for (at++; at < end && from->weights[at->run] == 0; at++)
        ;
    assert(at < end);
    return lower / 2 + at->value / 2;
}

ft_status ft_bootstrap_medians(const ft_mem *mem, const ft_samples *groups, uint32_t group_count,
                               uint64_t seed, double *medians, uint32_t resamples)
{
    resampler from;
    ft_draw draw = {seed};
    ft_status status = init(&from, mem, groups, group_count);
    if (status != FT_OK)
        return status;
    for (uint32_t i = 0; i < resamples; i++)
        medians[i] = weighted_median(&from, draw_weights(&from, &draw));
    fini(mem, &from);
    return FT_OK;
}
