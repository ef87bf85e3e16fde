/* SPDX-License-Identifier: Apache-2.0 */
/* trend.c: whether samples get longer (see trend.h). */
#include "engine/stats/trend.h"

#include <assert.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "engine/stats/student.h"

enum {
    FT_PAIRS = FT_TREND_BLOCKS * (FT_TREND_BLOCKS - 1) / 2, /* of the blocks of a group */
    FT_FALLS = FT_TREND_EXACT * FT_PAIRS + 1                /* 0 .. all pairs of all groups */
};

typedef struct blocks {                                       /* of one group */
    double medians[FT_TREND_BLOCKS], places[FT_TREND_BLOCKS]; /* place: of the block's middle */
    uint32_t count;
    uint32_t samples;
} blocks;

/* Kendall's S, of one group or of all. */
typedef struct score {
    double sum, variance; /* variance: without a trend */
    bool tied;
} score;

/* scratch: room for the samples of the longest group. */
static void cut(blocks *into, ft_samples samples, double *scratch)
{
    uint32_t count = samples.count < FT_TREND_BLOCKS ? samples.count : (uint32_t)FT_TREND_BLOCKS;
    *into = (blocks){.count = count, .samples = samples.count};
    for (uint32_t i = 0; i < count; i++) {
        uint32_t from = (uint32_t)((uint64_t)samples.count * i / count);
        uint32_t end = (uint32_t)((uint64_t)samples.count * (i + 1) / count);
        memcpy(scratch, samples.values + from, (end - from) * sizeof *scratch);
        into->medians[i] = ft_quantile_median(scratch, end - from);
        into->places[i] = ((double)from + (double)end) / 2;
    }
}

static double kendall(double count)
{
    return count * (count - 1) * (2 * count + 5) / 18;
}

static score score_of(const blocks *of)
{
    score made = {0, kendall(of->count), false};
    for (uint32_t i = 0; i < of->count; i++) {
        uint32_t alike = 0, before = 0;
        for (uint32_t k = 0; k < of->count; k++) {
            double difference = of->medians[k] - of->medians[i];
            if (k > i)
                made.sum += (difference > 0) - (difference < 0);
            alike += of->medians[k] == of->medians[i];
            before += k < i && of->medians[k] == of->medians[i];
        }
        made.tied |= alike > 1;
        if (before == 0) /* the first of its kind speaks for all */
            made.variance -= kendall(alike);
    }
    return made;
}

/* Sen's slope times the length, as a share of the median; false: there is none. */
static bool change_of(const blocks *of, double *change)
{
    double slopes[FT_PAIRS], medians[FT_TREND_BLOCKS];
    uint32_t count = 0;
    memcpy(medians, of->medians, sizeof medians);
    double median = of->count > 1 ? ft_quantile_median(medians, of->count) : 0;
    if (median <= 0)
        return false;
    for (uint32_t i = 0; i < of->count; i++)
        for (uint32_t k = i + 1; k < of->count; k++)
            slopes[count++] = (of->medians[k] - of->medians[i]) / (of->places[k] - of->places[i]);
    double share = ft_quantile_median(slopes, count) * (of->samples - 1) / median;
    if (!isfinite(share)) /* a difference was beyond all doubles */
        return false;
    *change = share;
    return true;
}

/* How likely each number of falling pairs is in random orders, once a group of `more` blocks is
 * added: block number `count` is lower than 0 .. count - 1 of those before it, each as likely. */
static void add_orders(double *chances, double *scratch, uint32_t *most, uint32_t more)
{
    for (uint32_t count = 2; count <= more; count++) {
        memcpy(scratch, chances, (*most + 1) * sizeof *chances);
        memset(chances, 0, (*most + count) * sizeof *chances);
        for (uint32_t i = 0; i <= *most; i++)
            for (uint32_t k = 0; k < count; k++)
                chances[i + k] += scratch[i] / count;
        *most += count - 1;
    }
}

/* Of the sum of S over all groups, or one farther from 0; no ties. */
static ft_status exact_probability(const ft_mem *mem, const ft_samples *groups, uint32_t count,
                                   double sum, double *probability)
{
    double *chances = ft_mem_new(mem, 2 * FT_FALLS, sizeof *chances);
    uint32_t most = 0;
    double tail = 0;
    if (chances == NULL)
        return FT_ERR_MEMORY;
    chances[0] = 1;
    for (uint32_t i = 0; i < count; i++)
        add_orders(chances, chances + FT_FALLS, &most,
                   groups[i].count < FT_TREND_BLOCKS ? groups[i].count : FT_TREND_BLOCKS);
    assert(most < FT_FALLS && fabs(sum) <= most);
    for (uint32_t falls = 0; falls <= most && most - 2.0 * falls >= fabs(sum); falls++)
        tail += chances[falls];
    *probability = fmin(1, 2 * tail);
    ft_mem_free(mem, chances);
    return FT_OK;
}

static double normal_probability(score of)
{
    if (of.variance <= 0)
        return 1;
    return erfc(fmax(0, fabs(of.sum) - 1) / sqrt(2 * of.variance));
}

/* Of the mean of the groups' S: a t test. */
static double probability_between(const double *sums, uint32_t count)
{
    double mean = 0, variance = 0;
    for (uint32_t i = 0; i < count; i++)
        mean += sums[i] / count;
    for (uint32_t i = 0; i < count; i++)
        variance += (sums[i] - mean) * (sums[i] - mean) / (count - 1);
    if (variance <= 0)
        return 0; /* all alike: no objection */
    return 2 * ft_student_tail(fabs(mean) / sqrt(variance / count), count - 1);
}

static ft_status find_probability(const ft_mem *mem, const ft_samples *groups, uint32_t group_count,
                                  const double *sums, uint32_t scored, score all, double *found)
{
    double probability = normal_probability(all);
    if (!all.tied && scored > 0 && group_count <= FT_TREND_EXACT) {
        ft_status status = exact_probability(mem, groups, group_count, all.sum, &probability);
        if (status != FT_OK)
            return status;
    }
    if (scored >= FT_TREND_GROUPS)
        probability = fmax(probability, probability_between(sums, scored));
    *found = probability;
    return FT_OK;
}

static uint32_t longest_of(const ft_samples *groups, uint32_t group_count)
{
    uint32_t longest = 0;
    for (uint32_t i = 0; i < group_count; i++)
        longest = groups[i].count > longest ? groups[i].count : longest;
    return longest;
}

ft_status ft_trend_make(const ft_mem *mem, const ft_samples *groups, uint32_t group_count,
                        ft_trend *trend)
{
    uint32_t longest = longest_of(groups, group_count), changed = 0, scored = 0;
    score all = {0};
    ft_trend made = {0, 1};
    if (longest < 2) {
        *trend = made;
        return FT_OK;
    }
    double *scratch = ft_mem_new(mem, longest, sizeof *scratch);
    double *changes = ft_mem_new(mem, group_count, sizeof *changes);
    double *sums = ft_mem_new(mem, group_count, sizeof *sums);
    ft_status status = FT_ERR_MEMORY;
    if (scratch == NULL || changes == NULL || sums == NULL)
        goto end;
    for (uint32_t i = 0; i < group_count; i++) {
        blocks of;
        if (groups[i].count < 2)
            continue;
        cut(&of, groups[i], scratch);
        score one = score_of(&of);
        sums[scored++] = one.sum;
        all = (score){all.sum + one.sum, all.variance + one.variance, all.tied || one.tied};
        changed += change_of(&of, &changes[changed]);
    }
    made.change = changed > 0 ? ft_quantile_median(changes, changed) : 0;
    status = find_probability(mem, groups, group_count, sums, scored, all, &made.probability);
    if (status == FT_OK)
        *trend = made;
end:
    ft_mem_free(mem, scratch);
    ft_mem_free(mem, changes);
    ft_mem_free(mem, sums);
    return status;
}
