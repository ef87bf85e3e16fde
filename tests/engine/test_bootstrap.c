/* SPDX-License-Identifier: Apache-2.0 */
/* test_bootstrap.c: medians of resamples against resamples that are written out and sorted, and
 * their spread against theory. */
#include "engine/stats/bootstrap.h"

#include <math.h>
#include <string.h>

#include "tests/engine/machine.h"
#include "tests/engine/sweep.h"
#include "tests/engine/tap.h"

enum { GROUPS = 6, LONGEST = 60, RESAMPLES = 50, SEEDS = 300 };

static int by_value(const void *one, const void *other)
{
    double a = *(const double *)one, b = *(const double *)other;
    return (a > b) - (a < b);
}

/* Where run number `run` of a group begins; sample i is of run i * runs / count, rounded down. */
static uint32_t run_begin(uint32_t count, uint32_t run)
{
    uint32_t runs = ft_bootstrap_runs(count);
    return (run * count + runs - 1) / runs;
}

/* One resample, drawn in the order of bootstrap.c, written out. */
static double resampled_median(const ft_samples *groups, uint32_t group_count, ft_draw *draw)
{
    static double all[GROUPS * LONGEST * FT_BOOTSTRAP_RUNS];
    uint32_t count = 0;
    while (count == 0)
        for (uint32_t i = 0; i < group_count; i++) {
            ft_samples group = groups[ft_draw_below(draw, group_count)];
            uint32_t runs = ft_bootstrap_runs(group.count);
            for (uint32_t k = 0; k < runs; k++) {
                uint32_t run = ft_draw_below(draw, runs);
                uint32_t from = run_begin(group.count, run), end = run_begin(group.count, run + 1);
                memcpy(all + count, group.values + from, (end - from) * sizeof *all);
                count += end - from;
            }
        }
    qsort(all, count, sizeof *all, by_value);
    return all[(count - 1) / 2] / 2 + all[count / 2] / 2;
}

static int run_seed(uint64_t seed)
{
    static double values[GROUPS][LONGEST];
    random_source source = {seed};
    ft_samples groups[GROUPS];
    double medians[RESAMPLES];
    uint32_t group_count = 1 + random_below(&source, GROUPS), samples = 0;
    for (uint32_t i = 0; i < group_count; i++) {
        groups[i] = (ft_samples){values[i], random_below(&source, LONGEST + 1)};
        samples += groups[i].count;
        for (uint32_t k = 0; k < groups[i].count; k++)
            values[i][k] = seed % 3 == 0 ? random_below(&source, 4) : random_normal(&source);
    }
    if (samples == 0)
        return 1;
    if (ft_bootstrap_medians(&ft_mem_system, groups, group_count, seed, medians, RESAMPLES) !=
        FT_OK)
        return 0;
    ft_draw draw = {seed};
    for (uint32_t i = 0; i < RESAMPLES; i++)
        if (medians[i] != resampled_median(groups, group_count, &draw))
            return 0;
    return 1;
}

static void test_against_resamples_written_out(void)
{
    int good = 1;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        if (run_seed(seed))
            continue;
        printf("# seed %llu\n", (unsigned long long)seed);
        good = 0;
    }
    CHECK(good);
}

static void test_runs(void)
{
    int good = 1;
    for (uint32_t count = 0; count < 1000; count++) {
        uint32_t runs = ft_bootstrap_runs(count);
        good &= runs <= FT_BOOTSTRAP_RUNS && runs <= count && (runs >= 2 || count < 2);
        good &= runs <= 2 || count / runs >= FT_BOOTSTRAP_LENGTH;
    }
    CHECK(good && ft_bootstrap_runs(1000) == FT_BOOTSTRAP_RUNS);
}

static double deviation_of(const double *values, uint32_t count)
{
    double mean = 0, sum = 0;
    for (uint32_t i = 0; i < count; i++)
        mean += values[i] / count;
    for (uint32_t i = 0; i < count; i++)
        sum += (values[i] - mean) * (values[i] - mean);
    return sqrt(sum / (count - 1));
}

/* The median of n normal samples has a deviation of sqrt(pi / 2 / n); resamples of few runs show
 * sqrt((runs - 1) / runs) of it. Averaged over sets of samples. */
static void test_spread_of_medians(void)
{
    enum { SETS = 200, COUNT = 400 };
    static double values[COUNT], medians[400];
    random_source source = {11};
    double mean = 0;
    for (uint32_t set = 0; set < SETS; set++) {
        for (uint32_t i = 0; i < COUNT; i++)
            values[i] = random_normal(&source);
        ft_samples group = {values, COUNT};
        ft_bootstrap_medians(&ft_mem_system, &group, 1, set, medians, 400);
        mean += deviation_of(medians, 400) / SETS;
    }
    double theory = sqrt(3.14159265 / 2 / COUNT) * sqrt(7.0 / 8);
    printf("# deviation of medians: %.4f, in theory %.4f\n", mean, theory);
    CHECK(fabs(mean / theory - 1) < 0.1);
}

/* Each number below a bound as often as the others: chi-square of 9 degrees, 1 in 10000. */
static void test_draws_are_even(void)
{
    uint32_t seen[10] = {0};
    ft_draw draw = {5};
    double chi = 0;
    for (uint32_t i = 0; i < 100000; i++)
        seen[ft_draw_below(&draw, 10)]++;
    for (uint32_t i = 0; i < 10; i++)
        chi += (seen[i] - 10000.0) * (seen[i] - 10000.0) / 10000;
    CHECK(chi < 33.7 && chi > 0.6);
}

static void test_too_many(void)
{
    double one = 1, median = 7;
    ft_samples groups[] = {{&one, UINT32_MAX}, {&one, 1}};
    CHECK(ft_bootstrap_medians(&ft_mem_system, groups, 2, 0, &median, 1) == FT_ERR_LIMIT);
    CHECK(median == 7);
}

static ft_status work(const ft_mem *mem)
{
    double values[] = {3, 3, 3}, median = 0;
    ft_samples group = {values, 3};
    ft_status status = ft_bootstrap_medians(mem, &group, 1, 0, &median, 1);
    if ((status == FT_OK) != (median == 3))
        return FT_ERR_CORRUPT;
    return status;
}

int main(void)
{
    test_against_resamples_written_out();
    test_runs();
    test_spread_of_medians();
    test_draws_are_even();
    test_too_many();
    CHECK(sweep(work));
    return tap_end();
}
