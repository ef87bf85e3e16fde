/* SPDX-License-Identifier: Apache-2.0 */
/* comparison.h: is the second of two candidates faster than the first, slower, or the same?
 *
 * What lies between two measured times besides the code: noise that comes in bursts, samples that
 * were preempted, and the luck of a process, whose layout in memory makes one of two equal pieces
 * of code faster by a percent or so for as long as the process lives. Nothing that is seen inside
 * a process shows its luck. So a group (the samples of a process) counts as one observation, as in
 * Kalibera and Jones (Rigorous Benchmarking in Reasonable Time, ISMM 2013):
 *
 *     m_g   the median over a group of log(first / second), sample by sample: what burdens both
 *           samples of a pair cancels, and the median does not mind those that were preempted
 *     c     the mean of the m_g; of 10 groups or more it is trimmed by a tenth at either end,
 *           of groups of a few samples, which are less alike, by a fifth
 *     s^2   their variance, for the trimmed mean winsorised (Yuen, Biometrika 1974), of d
 *           degrees of freedom
 *     half  t(tail, d) * s / sqrt(groups)
 *
 * ratio = exp(c), low and high = exp(c -+ half).
 *
 * This t holds whatever the noise inside a group is like, for the m_g are independent and, of equal
 * code in random order, symmetrical. But a few groups may be alike by chance, and who looks again
 * and again waits for that chance: s is never taken to be below L, and of 2 to 4 groups s^2 counts
 * together with what is known beforehand, (N * (M^2 + w) + d * s^2) / (N + d) of N + d degrees, w
 * being the variance of a group's median by the bootstrap inside the groups (bootstrap.h; the
 * moderated variance of Smyth, SAGMB 2004). With d = 1 or 2 alone nothing could ever be said.
 *
 * Looking several times. A session that looks after each batch and ends as soon as it knows has as
 * many chances to be wrong as it has looks. The caller says how many looks it allows itself
 * (looks), the same number at each: the tail of each is (1 - confidence) / 2 / looks^0.75, which
 * is close to Pocock's constant boundary (Biometrika 1977), on its safe side from 3 looks on. The
 * intervals are Jennison and Turnbull's repeated ones (JRSS B 1989): with `confidence` all of a
 * session's intervals hold together, so the last may be shown whenever it stopped.
 *
 * One group, or sets that were not measured together (paired = false): a difference of layout, or
 * of the machine then and now, can not be told from a difference of the code. The interval is that
 * of the noise alone (by the bootstrap over runs of neighbours, with a t for their number), but
 * "faster" and "slower" need FT_COMPARISON_LEAST besides,
 *
 *     |c| > sqrt(half^2 + log(1 + FT_COMPARISON_LEAST)^2)
 *
 * and FT_COMPARISON_LARGE while one group has less than FT_COMPARISON_PAIRS pairs. "same" from one
 * group means in this process. From two groups on, but fewer than FT_COMPARISON_MANY, a claim needs
 * FT_COMPARISON_SMALL besides in the same way: their deviation is not known well, and real machines
 * were seen to have processes with more luck than the simulated ones.
 *
 * How often that is wrong, and finds what there is, is measured in tests/engine/test_comparison.c
 * on machines with bursts, heavy tails, two speeds and a layout of 1.5 %: equal code is called
 * faster or slower in at most 5 % of sessions (one group, a layout of 1.5 %: 5.4 %), mostly in 1 to
 * 2 %.
 *
 * Groups with less than half the pairs of the largest (one that was interrupted) are left out.
 *
 * Times that are about nothing. Once the empty loop is subtracted a sample may be zero or below.
 * With a floor > 0 (what the caller can not tell from nothing) every sample below it counts as the
 * floor, so two of nothing are the same, and a ratio to nothing is a bound. Without one, pairs
 * with a sample of zero or less count as extremes of the median; where they are more than a
 * quarter, or are a median, there is no ratio: it is 1, from 0 to infinity, and unclear. */
#ifndef FT_STATS_COMPARISON_H
#define FT_STATS_COMPARISON_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/base/mem.h"
#include "engine/base/status.h"
#include "engine/stats/quantile.h"

/* The luck of a process: the standard deviation of the ratio of two equal pieces of code in it. */
#define FT_COMPARISON_LAYOUT 0.005      /* L: at least */
#define FT_COMPARISON_LAYOUT_MOST 0.015 /* M: and at most, as far as was seen */
#define FT_COMPARISON_PRIOR 3.0         /* N: what that is worth in groups */
#define FT_COMPARISON_LEAST 0.03        /* what cannot be luck: two times M */
#define FT_COMPARISON_LARGE 0.25        /* what a second speed does not do either */
#define FT_COMPARISON_SMALL 0.02        /* what a few processes do not do by luck */
enum {
    FT_COMPARISON_FEW = 5,          /* groups: below that the prior counts */
    FT_COMPARISON_MANY = 10,        /* groups: below that a small difference does not count */
    FT_COMPARISON_PAIRS = 16,       /* of one group: below that only a large difference counts */
    FT_COMPARISON_RESAMPLES = 48,   /* for a group's w: averaged over groups, it may be rough */
    FT_COMPARISON_ALONE = 400,      /* for the w of a single group */
    FT_COMPARISON_LOOKS_MAX = 10000 /* a bound for sanity */
};

/* About the second. */
typedef enum ft_verdict {
    FT_VERDICT_UNCLEAR,
    FT_VERDICT_SAME, /* the interval is within 1 / (1 + margin) .. 1 + margin, 1 in it or not */
    FT_VERDICT_FASTER,
    FT_VERDICT_SLOWER
} ft_verdict;

typedef struct ft_comparison_options {
    double margin;     /* > 0: what is as good as none */
    double confidence; /* 0 < confidence < 1 */
    double floor;      /* >= 0, in the unit of the samples */
    uint32_t looks;    /* 1 .. FT_COMPARISON_LOOKS_MAX: how often the session looks at most */
    bool paired;       /* sample i of group g of either set are of one round */
    uint64_t seed;
} ft_comparison_options;

typedef struct ft_comparison {
    double ratio;     /* first / second: how many times as fast the second is */
    double low, high; /* 0 and infinity where nothing is known */
    uint64_t pairs;   /* that were used; not paired: samples of the smaller set */
    ft_verdict verdict;
} ft_comparison;

/* All values are finite; each set has a sample at least. paired: as many groups, and samples in
 * each, in second as in first. */
ft_status ft_comparison_make(const ft_mem *mem, const ft_samples *first, uint32_t first_count,
                             const ft_samples *second, uint32_t second_count,
                             const ft_comparison_options *options, ft_comparison *comparison);

#endif
