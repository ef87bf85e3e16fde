/* SPDX-License-Identifier: Apache-2.0 */
/* random.h: the tests' own numbers (splitmix64): the same on every machine for the same seed. */
#ifndef RANDOM_H
#define RANDOM_H

#include <stdint.h>

typedef struct random_source {
    uint64_t state;
} random_source;

static inline uint64_t random_next(random_source *source)
{
    uint64_t mixed = source->state += UINT64_C(0x9E3779B97F4A7C15);
    mixed = (mixed ^ mixed >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    mixed = (mixed ^ mixed >> 27) * UINT64_C(0x94D049BB133111EB);
    return mixed ^ mixed >> 31;
}

/* 0 .. bound - 1, for a bound > 0. */
static inline uint32_t random_below(random_source *source, uint32_t bound)
{
    return (uint32_t)((random_next(source) >> 32) * bound >> 32);
}

#endif
