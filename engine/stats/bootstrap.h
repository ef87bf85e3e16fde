/* SPDX-License-Identifier: Apache-2.0 */
/* bootstrap.h: medians of samples as they might have been: the bootstrap.
 *
 * Efron's bootstrap (Annals of Statistics 1979) in two stages, as the samples came about (Davison
 * and Hinkley, Bootstrap Methods, 3.8; Kalibera and Jones, ISMM 2013): groups are drawn with
 * replacement, and inside each drawn one runs of neighbours (Carlstein, Annals of Statistics
 * 1986), for the noise of a machine lasts longer than a sample. One group: only its runs.
 *
 * A resample is a weight for each run. The samples are sorted once, and each resample's median is
 * found by adding up weights in that order: O(n log n + resamples * n) with small constants. */
#ifndef FT_STATS_BOOTSTRAP_H
#define FT_STATS_BOOTSTRAP_H

#include <stdint.h>

#include "engine/base/mem.h"
#include "engine/base/status.h"
#include "engine/stats/quantile.h"

enum {
    FT_BOOTSTRAP_RUNS = 8,   /* of a group at most: few, so that a burst of noise fits into one */
    FT_BOOTSTRAP_LENGTH = 4, /* of a run at least, where there are enough samples */
    FT_BOOTSTRAP_SAMPLES_MAX = 1 << 28, /* in all; weights times samples stay in 64 bits */
};

/* Numbers that look random (splitmix64: Steele and others, OOPSLA 2014), alike for equal seeds. */
typedef struct ft_draw {
    uint64_t state;
} ft_draw;

uint64_t ft_draw_next(ft_draw *draw);
uint32_t ft_draw_below(ft_draw *draw, uint32_t bound); /* 0 .. bound - 1, bound > 0 */

/* How many runs a group of so many samples is cut into; their lengths differ by 1 at most. */
static inline uint32_t ft_bootstrap_runs(uint32_t count)
{
    uint32_t runs = count / FT_BOOTSTRAP_LENGTH, least = count < 2 ? count : 2;
    return runs < least ? least : runs < FT_BOOTSTRAP_RUNS ? runs : (uint32_t)FT_BOOTSTRAP_RUNS;
}

/* The medians of so many resamples. Groups without samples are drawn too, and give nothing; one at
 * least has some. FT_ERR_LIMIT: more than FT_BOOTSTRAP_SAMPLES_MAX. */
ft_status ft_bootstrap_medians(const ft_mem *mem, const ft_samples *groups, uint32_t group_count,
                               uint64_t seed, double *medians, uint32_t resamples);

#endif
