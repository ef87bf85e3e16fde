/* SPDX-License-Identifier: Apache-2.0 */
/* description.c: the median of samples and its interval (see description.h). */
#include "engine/stats/description.h"

#include <assert.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "engine/stats/bootstrap.h"
#include "engine/stats/student.h"

#define FT_NORMAL 1e6        /* degrees of freedom of a t that is as good as normal */
#define FT_PRIOR 3.0         /* degrees that are added where there are few groups */
#define FT_NORMAL_MAD 1.4826 /* 1 / the third quartile of the normal distribution */

/* What an interval of the bootstrap over so many groups or runs lacks. */
typedef struct stretch {
    double factor;
    double least; /* of the interval on either side, as a share of the median */
} stretch;

static stretch stretch_of(const ft_samples *groups, uint32_t group_count, double confidence)
{
    uint32_t filled = 0, runs = 0;
    for (uint32_t i = 0; i < group_count; i++) {
        filled += groups[i].count > 0;
        runs += ft_bootstrap_runs(groups[i].count);
    }
    double units = filled > 1 ? filled : runs, tail = (1 - confidence) / 2;
    if (units < 2)
        return (stretch){INFINITY, INFINITY};
    bool few = filled > 1 && filled < FT_DESCRIPTION_FEW;
    double t = ft_student_quantile(tail, units - 1 + (few ? FT_PRIOR : 0));
    double normal = ft_student_quantile(tail, FT_NORMAL);
    return (stretch){t / normal * sqrt(units / (units - 1)),
                     few ? normal * FT_DESCRIPTION_LAYOUT / sqrt(units) : 0};
}

/* One end of the interval, how far from the median: distance >= 0 is that of the bootstrap. */
static double reach(double distance, double median, stretch by)
{
    double least = by.least * fabs(median);
    if (isinf(by.factor))
        return INFINITY;
    return distance * by.factor > least ? distance * by.factor : least;
}

static ft_status put_interval(const ft_mem *mem, const ft_samples *groups, uint32_t group_count,
                              double confidence, uint64_t seed, ft_description *into)
{
    double medians[FT_DESCRIPTION_RESAMPLES], tail = (1 - confidence) / 2;
    ft_status status =
        ft_bootstrap_medians(mem, groups, group_count, seed, medians, FT_DESCRIPTION_RESAMPLES);
    if (status != FT_OK)
        return status;
    double low = ft_quantile_at(medians, FT_DESCRIPTION_RESAMPLES, tail);
    double high = ft_quantile_at(medians, FT_DESCRIPTION_RESAMPLES, 1 - tail);
    stretch by = stretch_of(groups, group_count, confidence);
    into->low = into->median - reach(fmax(0, into->median - low), into->median, by);
    into->high = into->median + reach(fmax(0, high - into->median), into->median, by);
    if (into->least >= 0 && into->low < 0) /* times are not below zero unless samples are */
        into->low = 0;
    return FT_OK;
}

/* Orders values in its way. */
static void put_middle(double *values, uint64_t count, ft_description *into)
{
    into->median = ft_quantile_median(values, (size_t)count);
    into->least = into->most = values[0];
    for (uint64_t i = 0; i < count; i++) {
        into->least = fmin(into->least, values[i]);
        into->most = fmax(into->most, values[i]);
        values[i] = fabs(values[i] - into->median);
    }
    double deviation = FT_NORMAL_MAD * ft_quantile_median(values, (size_t)count);
    if (deviation <= 0)
        into->spread = 0;
    else
        into->spread = into->median > 0 ? deviation / into->median : INFINITY;
}

ft_status ft_description_make(const ft_mem *mem, const ft_samples *groups, uint32_t group_count,
                              double confidence, uint64_t seed, ft_description *description)
{
    assert(confidence > 0 && confidence < 1);
    uint64_t count = 0, used = 0;
    for (uint32_t i = 0; i < group_count; i++)
        count += groups[i].count;
    assert(count > 0);
    if (count > FT_BOOTSTRAP_SAMPLES_MAX)
        return FT_ERR_LIMIT;
    double *values = ft_mem_new(mem, (size_t)count, sizeof *values);
    if (values == NULL)
        return FT_ERR_MEMORY;
    for (uint32_t i = 0; i < group_count; used += groups[i++].count)
        if (groups[i].count > 0)
            memcpy(values + used, groups[i].values, groups[i].count * sizeof *values);
    ft_description made = {.count = count};
    put_middle(values, count, &made);
    ft_mem_free(mem, values);
    ft_status status = put_interval(mem, groups, group_count, confidence, seed, &made);
    if (status == FT_OK)
        *description = made;
    return status;
}
