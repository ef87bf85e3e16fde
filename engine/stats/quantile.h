/* SPDX-License-Identifier: Apache-2.0 */
/* quantile.h: order statistics of samples by selection, without sorting.
 *
 * Hoare's FIND (CACM 1961) with a median of three as pivot: O(n) on average. Samples that are all
 * alike are no bad case, for both ends of a partition stop at equal ones. Values are finite. */
#ifndef FT_STATS_QUANTILE_H
#define FT_STATS_QUANTILE_H

#include <stddef.h>
#include <stdint.h>

/* Samples in the order they were measured; those of one process, say. Borrowed. */
typedef struct ft_samples {
    const double *values;
    uint32_t count;
} ft_samples;

/* The value that sorting would put at values[rank], rank < count; afterwards it stands there, none
 * before it is larger and none behind it smaller. */
double ft_quantile_select(double *values, size_t count, size_t rank);

/* The middle one, or the mean of the middle two. Reorders values; count > 0. */
double ft_quantile_median(double *values, size_t count);

/* The quantile at share 0 .. 1, linear between the two values beside it (definition 7 of Hyndman
 * and Fan, American Statistician 1996). Reorders values; count > 0. */
double ft_quantile_at(double *values, size_t count, double share);

#endif
