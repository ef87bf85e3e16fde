/* SPDX-License-Identifier: Apache-2.0 */
/* durations.c: exact values, then buckets (see durations.h). */
#include "engine/stats/durations.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/array.h"

enum {
    SUB_BITS = 6,
    SUBS = 1 << SUB_BITS,             /* buckets to a power of two */
    BUCKETS = SUBS * (65 - SUB_BITS), /* the first SUBS hold one value each */
};

void ft_durations_init(ft_durations *durations, const ft_mem *mem)
{
    memset(durations, 0, sizeof *durations);
    durations->mem = mem;
}

void ft_durations_fini(ft_durations *durations)
{
    ft_mem_free(durations->mem, durations->values);
    ft_mem_free(durations->mem, durations->buckets);
    durations->values = durations->buckets = NULL;
}

static uint32_t bucket_of(uint64_t value)
{
    if (value < SUBS)
        return (uint32_t)value;
    unsigned shift = 63 - (unsigned)__builtin_clzll(value) - SUB_BITS;
    return (uint32_t)(SUBS * (shift + 1) + ((value >> shift) & (SUBS - 1)));
}

/* What stands for the values of a bucket: their middle. */
static double middle_of(uint32_t bucket)
{
    if (bucket < 2 * SUBS)
        return bucket; /* one value each */
    unsigned shift = bucket / SUBS - 1;
    uint64_t first = (uint64_t)(SUBS + bucket % SUBS) << shift;
    return (double)first + (double)((UINT64_C(1) << shift) - 1) / 2;
}

static ft_status pour_into_buckets(ft_durations *durations)
{
    uint64_t *buckets = ft_mem_new(durations->mem, BUCKETS, sizeof *buckets);
    if (buckets == NULL)
        return FT_ERR_MEMORY;
    for (uint64_t i = 0; i < durations->count; i++)
        buckets[bucket_of(durations->values[i])]++;
    durations->buckets = buckets;
    ft_mem_free(durations->mem, durations->values);
    durations->values = NULL;
    durations->capacity = 0;
    return FT_OK;
}

static ft_status keep(ft_durations *durations, uint64_t duration)
{
    uint64_t *grown =
        ft_array_grow(durations->mem, durations->values, (uint32_t)durations->count + 1,
                      &durations->capacity, sizeof *durations->values);
    if (grown == NULL)
        return FT_ERR_MEMORY;
    durations->values = grown;
    grown[durations->count] = duration;
    return FT_OK;
}

ft_status ft_durations_add(ft_durations *durations, uint64_t duration)
{
    ft_status status = FT_OK;
    if (durations->buckets == NULL && durations->count < FT_DURATIONS_EXACT) {
        status = keep(durations, duration);
    } else {
        if (durations->buckets == NULL)
            status = pour_into_buckets(durations);
        if (status == FT_OK)
            durations->buckets[bucket_of(duration)]++;
    }
    if (status != FT_OK)
        return status;
    if (durations->count == 0 || duration < durations->least)
        durations->least = duration;
    if (duration > durations->most)
        durations->most = duration;
    durations->last = duration;
    durations->count++;
    return FT_OK;
}

static int compare(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static ft_status median_of_values(const ft_durations *durations, double *median)
{
    size_t count = (size_t)durations->count;
    uint64_t *sorted = ft_mem_new(durations->mem, count, sizeof *sorted);
    if (sorted == NULL)
        return FT_ERR_MEMORY;
    memcpy(sorted, durations->values, count * sizeof *sorted);
    qsort(sorted, count, sizeof *sorted, compare);
    *median = ((double)sorted[(count - 1) / 2] + (double)sorted[count / 2]) / 2;
    ft_mem_free(durations->mem, sorted);
    return FT_OK;
}

/* The value of that rank, from 0, as its bucket tells it. */
static double of_rank(const ft_durations *durations, uint64_t rank)
{
    uint32_t bucket = 0;
    uint64_t below = durations->buckets[0];
    while (below <= rank && bucket < BUCKETS - 1)
        below += durations->buckets[++bucket];
    double value = middle_of(bucket);
    if (value < (double)durations->least)
        return (double)durations->least;
    return value > (double)durations->most ? (double)durations->most : value;
}

ft_status ft_durations_median(const ft_durations *durations, double *median)
{
    if (durations->count > 0 && durations->buckets == NULL)
        return median_of_values(durations, median);
    *median = 0;
    if (durations->count > 0)
        *median = (of_rank(durations, (durations->count - 1) / 2) +
                   of_rank(durations, durations->count / 2)) /
                  2;
    return FT_OK;
}
