/* SPDX-License-Identifier: Apache-2.0 */
/* hit_histogram.c: calls by what size of an LRU cache would hit them (see hit_histogram.h). */
#include "engine/stats/hit_histogram.h"

#include <assert.h>
#include <string.h>

#include "engine/base/array.h"

static_assert((FT_HIT_FINE & (FT_HIT_FINE - 1)) == 0 && FT_HIT_FINE > FT_HIT_STEPS, "whole steps");
static_assert(FT_HIT_NEAR < FT_HIT_FINE, "a near distance has a slot of its own");

void ft_hit_histogram_init(ft_hit_histogram *histogram, const ft_mem *mem)
{
    *histogram = (ft_hit_histogram){.mem = mem, .exact = true};
}

void ft_hit_histogram_fini(ft_hit_histogram *histogram)
{
    ft_mem_free(histogram->mem, histogram->hits);
    ft_hit_histogram_init(histogram, histogram->mem);
}

static uint32_t slot_of(uint32_t distance)
{
    uint32_t octaves = 0;
    for (; distance >> octaves >= FT_HIT_FINE; octaves++)
        ;
    if (octaves == 0)
        return distance;
    /* The step of a power of two is its size / FT_HIT_STEPS. */
    uint32_t from = (uint32_t)FT_HIT_FINE << (octaves - 1), step = from / FT_HIT_STEPS;
    return FT_HIT_FINE + (octaves - 1) * FT_HIT_STEPS + (distance - from) / step;
}

/* The largest distance of a slot: only a cache of that size hits all of it. */
static uint32_t size_of(uint32_t slot)
{
    if (slot < FT_HIT_FINE)
        return slot;
    uint32_t octave = (slot - FT_HIT_FINE) / FT_HIT_STEPS;
    uint32_t from = (uint32_t)FT_HIT_FINE << octave, step = from / FT_HIT_STEPS;
    return from - 1 + ((slot - FT_HIT_FINE) % FT_HIT_STEPS + 1) * step;
}

static ft_status make_slot(ft_hit_histogram *histogram, uint32_t slot)
{
    uint32_t slots = histogram->slots;
    if (slot < slots)
        return FT_OK;
    double *hits = ft_array_grow(histogram->mem, histogram->hits, slot + 1, &slots, sizeof *hits);
    if (hits == NULL)
        return FT_ERR_MEMORY;
    memset(hits + histogram->slots, 0, (slots - histogram->slots) * sizeof *hits);
    histogram->hits = hits;
    histogram->slots = slots;
    return FT_OK;
}

ft_status ft_hit_histogram_add(ft_hit_histogram *histogram, double distance, double weight)
{
    assert(distance >= 1 && weight >= 1);
    uint32_t slot = slot_of(distance < UINT32_MAX ? (uint32_t)distance : UINT32_MAX);
    assert(slot > FT_HIT_NEAR || weight == 1);
    ft_status status = make_slot(histogram, slot);
    if (status != FT_OK) {
        histogram->exact = false;
        return status;
    }
    histogram->hits[slot] += weight;
    if (slot > FT_HIT_NEAR)
        histogram->far += weight;
    else
        histogram->near++;
    return FT_OK;
}

/* What the far hits are to be multiplied with. */
static double scale_of(const ft_hit_histogram *histogram)
{
    double far = (double)(histogram->calls - histogram->near);
    double misses = histogram->reached - histogram->far;
    if (histogram->exact || histogram->far <= 0)
        return 1;
    return far > misses ? (far - misses) / histogram->far : 0;
}

double ft_hit_histogram_keys(const ft_hit_histogram *histogram)
{
    double most = (double)(histogram->calls - histogram->near);
    return histogram->firsts < most ? histogram->firsts : most;
}

bool ft_hit_histogram_next(const ft_hit_histogram *histogram, ft_hit_step *step)
{
    double most = (double)histogram->calls;
    while (step->slot + 1 < histogram->slots) {
        double more = histogram->hits[++step->slot];
        if (more <= 0 || step->hits >= most)
            continue;
        if (step->slot > FT_HIT_NEAR)
            more *= scale_of(histogram);
        step->size = size_of(step->slot);
        step->hits = step->hits + more < most ? step->hits + more : most;
        return true;
    }
    return false;
}

double ft_hit_histogram_ratio(const ft_hit_histogram *histogram, uint64_t size)
{
    double hits = 0;
    for (ft_hit_step step = {0}; ft_hit_histogram_next(histogram, &step) && step.size <= size;)
        hits = step.hits;
    return histogram->calls == 0 ? 0 : hits / (double)histogram->calls;
}
