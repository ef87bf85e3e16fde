/* SPDX-License-Identifier: Apache-2.0 */
/* description.h: what the samples of one candidate say: their median, and how well it is known.
 *
 * low and high: the interval of the median by the bootstrap over groups and runs (bootstrap.h), its
 * distances from the median stretched by t / z * sqrt(u / (u - 1)), where u is the number of groups
 * (of runs, where there is one group), t and z the quantiles of Student's t of u - 1 degrees and of
 * the normal distribution: drawing from few with replacement shows less than fresh ones would
 * (Davison and Hinkley 2.5; Efron and Tibshirani, An Introduction to the Bootstrap, 12.3).
 * Below FT_DESCRIPTION_FEW groups the t is that of three degrees more and the interval at least
 * what a layout of 1 % alone would give, for two that are alike by chance say little.
 *
 * spread: the median absolute deviation * 1.4826 (of normal noise: the standard deviation), as a
 * share of the median. Infinite where samples differ and the median is not above zero. */
#ifndef FT_STATS_DESCRIPTION_H
#define FT_STATS_DESCRIPTION_H

#include <stdint.h>

#include "engine/base/mem.h"
#include "engine/base/status.h"
#include "engine/stats/quantile.h"

#define FT_DESCRIPTION_LAYOUT 0.01
enum {
    FT_DESCRIPTION_RESAMPLES = 400, /* its 2.5 % point is number 10: good to a tenth of the width */
    FT_DESCRIPTION_FEW = 5
};

typedef struct ft_description {
    double median, low, high; /* low <= median <= high; a single sample: high is infinite */
    double spread;
    double least, most;
    uint64_t count;
} ft_description;

/* All values are finite, one at least is there. 0 < confidence < 1. FT_ERR_LIMIT: more than
 * FT_BOOTSTRAP_SAMPLES_MAX samples. */
ft_status ft_description_make(const ft_mem *mem, const ft_samples *groups, uint32_t group_count,
                              double confidence, uint64_t seed, ft_description *description);

#endif
