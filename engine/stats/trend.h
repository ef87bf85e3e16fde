/* SPDX-License-Identifier: Apache-2.0 */
/* trend.h: is a sample longer the later it is measured? Then runs are not alike: a list grows, a
 * cache fills, the machine gets hot.
 *
 * Each group is cut into up to FT_TREND_BLOCKS blocks of neighbours, and of each block the median
 * is taken, for noise that lasts longer than a sample would look like a trend. Over the blocks of a
 * group Kendall's S is counted (pairs that rise less pairs that fall: Mann, Econometrica 1945), and
 * added up over the groups.
 *
 * probability: that S would be as far from zero, on either side, without any trend. Exact where no
 * two blocks of a group are equal and there are few groups, else normal with Kendall's correction
 * for ties (Rank Correlation Methods, 4) and for continuity. From FT_TREND_GROUPS groups on it is
 * at least that of a t test over the groups' S, which noise of any memory inside a group does not
 * mislead. Fewer groups have no such guard: noise that lasts longer than a block, an eighth of the
 * group, is a trend as far as one can see, so look at change, too.
 *
 * change: by how much the last sample of a group is longer than the first, as a share of the
 * median: Sen's slope (JASA 1968) over the blocks, and the median of that over the groups. Groups
 * whose median is not above zero have none. */
#ifndef FT_STATS_TREND_H
#define FT_STATS_TREND_H

#include <stdint.h>

#include "engine/base/mem.h"
#include "engine/base/status.h"
#include "engine/stats/quantile.h"

enum {
    FT_TREND_BLOCKS = 8,
    FT_TREND_EXACT = 32, /* groups up to which the probability is exact: S is normal long before */
    FT_TREND_GROUPS = 5
};

typedef struct ft_trend {
    double change;      /* 0.1: 10 % longer; 0 where there are no two samples in a group */
    double probability; /* 0 .. 1; 1 where there are no two samples in a group */
} ft_trend;

/* All values are finite. */
ft_status ft_trend_make(const ft_mem *mem, const ft_samples *groups, uint32_t group_count,
                        ft_trend *trend);

#endif
