/* SPDX-License-Identifier: Apache-2.0 */
/* comparison.c: which of two candidates is faster (see comparison.h). */
#include "engine/stats/comparison.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "engine/stats/bootstrap.h"
#include "engine/stats/student.h"

#define FT_UNTOLD 1e4    /* the log of a ratio to nothing: beyond those of doubles (below 1500) */
#define FT_LOG_MAX 700.0 /* exp() of it is finite */

enum {                    /* one of so many units is left out at either end, */
       FT_TRIM_MANY = 10, /* where units are medians of many samples */
       FT_TRIM_ONE = 5,   /* where they are but samples */
       FT_KNOWN = 16      /* samples from which the noise inside a group can be estimated */
};

/* What is known about one set of groups, or about the ratios of two. */
typedef struct side {
    double *units;     /* owned: the median of each group that is used */
    double *logs;      /* owned: of one group at a time */
    uint32_t count;    /* of units */
    uint32_t longest;  /* samples of the largest group */
    uint64_t samples;  /* of the groups used */
    uint64_t nothings; /* of these, samples or pairs with one that is zero or less */
    double within;     /* sum over `known` groups of the variance of the median inside */
    uint32_t known;
} side;

/* Where the middle of a side is, and how well that is known. */
typedef struct location {
    double centre, variance, freedom;
} location;

static double log_of(double time, double floor, bool *nothing)
{
    double at_least = time > floor ? time : floor;
    *nothing = at_least <= 0;
    return *nothing ? -FT_UNTOLD : log(at_least);
}

/* Fills into->logs with a group's; second may be NULL. */
static void take_logs(side *into, const double *first, const double *second, uint32_t count,
                      double floor)
{
    bool one, other = false;
    for (uint32_t i = 0; i < count; i++) {
        double log = log_of(first[i], floor, &one);
        if (second != NULL)
            log -= log_of(second[i], floor, &other);
        into->logs[i] = log;
        into->nothings += one || other;
    }
    into->samples += count;
}

static double variance_of(const double *values, uint32_t count)
{
    double mean = 0, sum = 0;
    for (uint32_t i = 0; i < count; i++)
        mean += values[i] / count;
    for (uint32_t i = 0; i < count; i++)
        sum += (values[i] - mean) * (values[i] - mean);
    return count > 1 ? sum / (count - 1) : 0;
}

/* Adds the group whose logs were taken: its median, and the variance of that by the bootstrap. */
static ft_status add_unit(side *to, const ft_mem *mem, uint32_t count, uint32_t resamples,
                          uint64_t seed)
{
    double medians[FT_COMPARISON_ALONE];
    assert(resamples <= FT_COMPARISON_ALONE);
    if (count >= FT_KNOWN || resamples == FT_COMPARISON_ALONE) {
        ft_samples samples = {to->logs, count};
        ft_status status = ft_bootstrap_medians(mem, &samples, 1, seed, medians, resamples);
        if (status != FT_OK)
            return status;
        double runs = ft_bootstrap_runs(count);
        /* Of few runs each resample has too little of what the next ones would bring. */
        to->within += variance_of(medians, resamples) * runs / (runs > 1 ? runs - 1 : 1);
        to->known++;
    }
    to->units[to->count++] = ft_quantile_median(to->logs, count);
    return FT_OK;
}

static bool is_used(const side *of, uint32_t count)
{
    return count > 0 && count >= (of->longest + 1) / 2;
}

static uint32_t count_used(const side *of, const ft_samples *groups, uint32_t count)
{
    uint32_t used = 0;
    for (uint32_t i = 0; i < count; i++)
        used += is_used(of, groups[i].count);
    return used;
}

static void side_fini(side *of, const ft_mem *mem)
{
    ft_mem_free(mem, of->units);
    ft_mem_free(mem, of->logs);
}

/* second may be NULL. */
static ft_status side_init(side *to, const ft_mem *mem, const ft_samples *first,
                           const ft_samples *second, uint32_t count,
                           const ft_comparison_options *options)
{
    *to = (side){.count = 0};
    for (uint32_t i = 0; i < count; i++)
        to->longest = first[i].count > to->longest ? first[i].count : to->longest;
    assert(to->longest > 0);
    bool alone = count_used(to, first, count) == 1;
    to->units = ft_mem_new(mem, count, sizeof *to->units);
    to->logs = ft_mem_new(mem, to->longest, sizeof *to->logs);
    ft_status status = to->units == NULL || to->logs == NULL ? FT_ERR_MEMORY : FT_OK;
    for (uint32_t i = 0; i < count && status == FT_OK; i++) {
        if (!is_used(to, first[i].count))
            continue;
        take_logs(to, first[i].values, second == NULL ? NULL : second[i].values, first[i].count,
                  options->floor);
        status = add_unit(to, mem, first[i].count,
                          alone ? FT_COMPARISON_ALONE : FT_COMPARISON_RESAMPLES, options->seed + i);
    }
    if (status != FT_OK)
        side_fini(to, mem);
    return status;
}

/* Whether the times are large enough for a ratio. */
static bool is_told(const side *of)
{
    if (of->nothings > of->samples / 4)
        return false;
    for (uint32_t i = 0; i < of->count; i++)
        if (fabs(of->units[i]) > FT_UNTOLD / 2)
            return false;
    return true;
}

/* Of one group: what its runs say. */
static location locate_one(const side *of)
{
    uint32_t runs = ft_bootstrap_runs((uint32_t)of->samples);
    const double least = FT_COMPARISON_LAYOUT * FT_COMPARISON_LAYOUT / (double)of->samples;
    double variance = of->within > least ? of->within : least;
    return (location){of->units[0], runs > 1 ? variance : INFINITY, runs > 1 ? runs - 1 : 1};
}

/* The trimmed mean, and the variance of a unit that it stands for; winsorises the units. */
static location trim(side *of)
{
    uint32_t count = of->count, cut = count / (of->known > 0 ? FT_TRIM_MANY : FT_TRIM_ONE);
    uint32_t left = count - 2 * cut;
    double *units = of->units, sum = 0;
    double low = ft_quantile_select(units, count, cut);
    double high = ft_quantile_select(units, count, count - 1 - cut);
    for (uint32_t i = 0; i < count; i++) {
        units[i] = units[i] < low ? low : units[i] > high ? high : units[i];
        sum += units[i];
    }
    double share = (double)left / count;
    return (location){(sum - cut * (low + high)) / left,
                      variance_of(units, count) / (share * share), left - 1};
}

/* Of several groups. */
static location locate(side *of)
{
    if (of->count == 1)
        return locate_one(of);
    location at = trim(of);
    double within = of->known > 0 ? of->within / of->known : 0;
    const double least = FT_COMPARISON_LAYOUT * FT_COMPARISON_LAYOUT;
    const double most = FT_COMPARISON_LAYOUT_MOST * FT_COMPARISON_LAYOUT_MOST + within;
    if (of->count < FT_COMPARISON_FEW && of->known > 0) {
        double prior = FT_COMPARISON_PRIOR;
        at.variance = (prior * most + at.freedom * at.variance) / (prior + at.freedom);
        at.freedom += prior;
    } else if (at.variance < least) {
        at.variance = least;
    }
    at.variance /= of->count;
    return at;
}

/* The difference of two independent ones (Welch, Biometrika 1947). */
static location subtract(location one, location other)
{
    double variance = one.variance + other.variance;
    double freedom =
        one.variance * one.variance / one.freedom + other.variance * other.variance / other.freedom;
    bool known = freedom > 0 && isfinite(freedom);
    return (location){one.centre - other.centre, variance,
                      known ? variance * variance / freedom : 1};
}

static double exp_within(double log)
{
    return exp(log > FT_LOG_MAX ? FT_LOG_MAX : log < -FT_LOG_MAX ? -FT_LOG_MAX : log);
}

/* least: see needed(). */
static void judge(location at, double least, const ft_comparison_options *options,
                  ft_comparison *into)
{
    double tail = (1 - options->confidence) / 2 / pow(options->looks, 0.75);
    double margin = log1p(options->margin);
    into->ratio = exp_within(at.centre);
    if (!isfinite(at.variance))
        return;
    double half = ft_student_quantile(tail, at.freedom) * sqrt(at.variance);
    double low = at.centre - half, high = at.centre + half;
    into->low = exp_within(low);
    into->high = exp_within(high);
    if (low >= -margin && high <= margin)
        into->verdict = FT_VERDICT_SAME;
    else if (fabs(at.centre) > hypot(half, least))
        into->verdict = at.centre > 0 ? FT_VERDICT_FASTER : FT_VERDICT_SLOWER;
}

/* What a claim needs beyond the noise, as a log. */
static double needed(const side *of)
{
    if (of->count >= FT_COMPARISON_MANY)
        return 0;
    if (of->count > 1)
        return log1p(FT_COMPARISON_SMALL);
    return log1p(of->samples < FT_COMPARISON_PAIRS ? FT_COMPARISON_LARGE : FT_COMPARISON_LEAST);
}

static ft_status compare_pairs(const ft_mem *mem, const ft_samples *first, const ft_samples *second,
                               uint32_t count, const ft_comparison_options *options,
                               ft_comparison *into)
{
    side ratios;
    ft_status status = side_init(&ratios, mem, first, second, count, options);
    if (status != FT_OK)
        return status;
    into->pairs = ratios.samples;
    if (is_told(&ratios))
        judge(locate(&ratios), needed(&ratios), options, into);
    side_fini(&ratios, mem);
    return FT_OK;
}

static ft_status compare_sets(const ft_mem *mem, const ft_samples *first, uint32_t first_count,
                              const ft_samples *second, uint32_t second_count,
                              const ft_comparison_options *options, ft_comparison *into)
{
    side one, other;
    ft_status status = side_init(&one, mem, first, NULL, first_count, options);
    if (status != FT_OK)
        return status;
    status = side_init(&other, mem, second, NULL, second_count, options);
    if (status != FT_OK)
        goto end;
    into->pairs = one.samples < other.samples ? one.samples : other.samples;
    if (is_told(&one) && is_told(&other))
        judge(subtract(locate(&one), locate(&other)),
              fmax(log1p(FT_COMPARISON_LEAST), fmax(needed(&one), needed(&other))), options, into);
    side_fini(&other, mem);
end:
    side_fini(&one, mem);
    return status;
}

ft_status ft_comparison_make(const ft_mem *mem, const ft_samples *first, uint32_t first_count,
                             const ft_samples *second, uint32_t second_count,
                             const ft_comparison_options *options, ft_comparison *comparison)
{
    assert(options->looks >= 1 && options->looks <= FT_COMPARISON_LOOKS_MAX);
    assert(options->confidence > 0 && options->confidence < 1);
    assert(options->margin > 0 && options->floor >= 0);
    assert(!options->paired || first_count == second_count);
    ft_comparison made = {.ratio = 1, .low = 0, .high = INFINITY, .verdict = FT_VERDICT_UNCLEAR};
    ft_status status =
        options->paired
            ? compare_pairs(mem, first, second, first_count, options, &made)
            : compare_sets(mem, first, first_count, second, second_count, options, &made);
    if (status == FT_OK)
        *comparison = made;
    return status;
}
