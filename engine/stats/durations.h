/* SPDX-License-Identifier: Apache-2.0 */
/* durations.h: how long each of many uses took: the least, the most, the last and the median.
 *
 * Up to FT_DURATIONS_EXACT of them are kept as they are and the median is exact. What comes after
 * is counted in buckets, 64 to each power of two, and so are then those that were kept: the median
 * is off by at most 1/128 of itself from there on, in 30 KB however many there are. */
#ifndef FT_STATS_DURATIONS_H
#define FT_STATS_DURATIONS_H

#include <stdint.h>

#include "engine/base/mem.h"
#include "engine/base/status.h"

enum { FT_DURATIONS_EXACT = 1024 };

typedef struct ft_durations {
    const ft_mem *mem;
    uint64_t *values;  /* owned; the first ones, while there are no buckets */
    uint64_t *buckets; /* owned; NULL up to FT_DURATIONS_EXACT */
    uint32_t capacity; /* of values */
    uint64_t count;    /* in values or in the buckets */
    uint64_t least, most, last;
} ft_durations;

void ft_durations_init(ft_durations *durations, const ft_mem *mem);
void ft_durations_fini(ft_durations *durations);

/* FT_ERR_MEMORY leaves them as they were. */
ft_status ft_durations_add(ft_durations *durations, uint64_t duration);

/* FT_ERR_MEMORY leaves *median alone; 0 of none. */
ft_status ft_durations_median(const ft_durations *durations, double *median);

#endif
