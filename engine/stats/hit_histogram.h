/* SPDX-License-Identifier: Apache-2.0 */
/* hit_histogram.h: the calls of a cached function by what size of an LRU cache would hit them.
 *
 * Curves (hit_curve.h) feed it: one, or one for each instance where each has a cache of its own;
 * the size is that of each cache then. A curve knows the calls near in time exactly: sizes up to
 * FT_HIT_NEAR are exact, always. Of the others, the far calls, it may have to look at a sample,
 * whose calls count as 1 / rate each. How many far calls there were is known, how many the sample
 * stands for as well; so what the sample says is scaled by what it lacks or has too much.
 *
 * A double for each distance below FT_HIT_FINE and for FT_HIT_STEPS steps to each power of two
 * beyond, where a distance is known to within 1.6 %: the memory is 8 bytes times the largest
 * distance while that is small, and 64 KiB at most. */
#ifndef FT_STATS_HIT_HISTOGRAM_H
#define FT_STATS_HIT_HISTOGRAM_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/base/mem.h"
#include "engine/base/status.h"

enum {
    FT_HIT_NEAR = 2048, /* distances up to it are near: more than most caches have room for */
    FT_HIT_FINE = 4096, /* distances below it have a slot each; a power of two */
    FT_HIT_STEPS = 64   /* slots for each power of two from there on */
};

typedef struct ft_hit_histogram {
    const ft_mem *mem;
    double *hits;   /* owned: calls by the slot of their distance, without first calls */
    uint32_t slots; /* of hits */
    bool exact;     /* no curve sampled, no call was lost: every size is exact */
    uint64_t calls; /* all of them */
    uint64_t near;  /* of these, near hits; what follows is of the others, the far calls */
    double reached; /* how many calls those stand for that were looked at: about all */
    double far;     /* of these, far hits */
    double firsts;  /* of these, the first calls of keys: exact, or an estimate as good as any */
} ft_hit_histogram;

/* A size at which the hits change. */
typedef struct ft_hit_step {
    uint32_t size;
    double hits;   /* of so many calls at this size: whole numbers where that is exact */
    uint32_t slot; /* where the walk is */
} ft_hit_step;

/* Takes no memory before the first hit. */
void ft_hit_histogram_init(ft_hit_histogram *histogram, const ft_mem *mem);
void ft_hit_histogram_fini(ft_hit_histogram *histogram);

/* For curves: a call at a distance, from 1 on, that stands for weight calls; near ones for 1.
 * FT_ERR_MEMORY: it is a miss now, and the histogram no longer exact. */
ft_status ft_hit_histogram_add(ft_hit_histogram *histogram, double distance, double weight);

/* The share of all calls (0 to 1) that LRU of so many entries would have hit; 0 without calls. */
double ft_hit_histogram_ratio(const ft_hit_histogram *histogram, uint64_t size);

/* Distinct keys, in each curve: an estimate where the histogram is not exact. */
double ft_hit_histogram_keys(const ft_hit_histogram *histogram);

/* The next size at which the hits change; false: no more. Begin with a step that is all zero:
 *
 *     for (ft_hit_step step = {0}; ft_hit_histogram_next(histogram, &step);) use(step);
 *
 * Sizes and hits ascend, and hits are at most histogram->calls. */
bool ft_hit_histogram_next(const ft_hit_histogram *histogram, ft_hit_step *step);

#endif
