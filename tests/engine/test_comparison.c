/* SPDX-License-Identifier: Apache-2.0 */
/* test_comparison.c: whole sessions of measuring on machines with noise (machine.h): how often
 * equal code is called faster or slower, how often a real difference is found.
 *
 * Bounds are such that a right program would miss them once in thousands, were the seeds not
 * fixed; a wrong one is far off: see the sessions below that do not tell how often they look. An
 * argument multiplies the sessions: `test_comparison 20` measures the rates themselves. */
#include "engine/stats/comparison.h"

#include <math.h>
#include <string.h>

#include "engine/stats/bootstrap.h"
#include "engine/stats/description.h"
#include "tests/engine/machine.h"
#include "tests/engine/sweep.h"
#include "tests/engine/tap.h"

enum { SESSIONS = 200, GROUPS_MOST = 100, PAIRS_MOST = 10000 };

/* How a session goes. */
typedef struct plan {
    uint32_t groups, rounds; /* at most; rounds in each group */
    uint32_t first, every;   /* looks when there are `first` groups, then each `every` more */
    int apart;               /* the two are measured in sets of their own: not paired */
} plan;

typedef struct rates { /* of sessions */
    int faster, slower, same, sessions;
} rates;

static int times = 1;
static double firsts[PAIRS_MOST], seconds[PAIRS_MOST];

static const ft_comparison_options defaults = {
    .margin = 0.01, .confidence = 0.95, .looks = 1, .paired = true};

static ft_comparison compare(const ft_samples *first, const ft_samples *second, uint32_t count,
                             const ft_comparison_options *options)
{
    ft_comparison made = {.verdict = FT_VERDICT_UNCLEAR};
    ft_comparison_make(&ft_mem_system, first, count, second, count, options, &made);
    return made;
}

static uint32_t looks_of(const plan *to)
{
    return 1 + (to->groups - to->first) / to->every;
}

/* One session of several groups: stops at the first claim. */
static ft_verdict run_session(const machine_model *model, const plan *to, double slower,
                              uint32_t looks, uint64_t seed)
{
    machine on = {.model = model, .source = {seed * 7919 + 13}};
    ft_samples first[GROUPS_MOST], second[GROUPS_MOST];
    ft_comparison_options options = defaults;
    ft_comparison found = {.verdict = FT_VERDICT_UNCLEAR};
    options.looks = looks;
    options.seed = seed;
    options.paired = !to->apart;
    for (uint32_t g = 0; g < to->groups && found.verdict < FT_VERDICT_FASTER; g++) {
        double *one = firsts + g * to->rounds, *other = seconds + g * to->rounds;
        machine_new_process(&on);
        for (uint32_t i = 0; i < 30; i++) /* what was before has an end */
            machine_round(&on, slower, one, other);
        for (uint32_t i = 0; i < to->rounds; i++)
            machine_round(&on, slower, one + i, other + i);
        first[g] = (ft_samples){one, to->rounds};
        second[g] = (ft_samples){other, to->rounds};
        if (g + 1 >= to->first && (g + 1 - to->first) % to->every == 0)
            found = compare(first, second, g + 1, &options);
    }
    return found.verdict;
}

/* One session in one process: looks so many times. */
static ft_verdict run_alone(const machine_model *model, uint32_t rounds, uint32_t looks,
                            double slower, uint64_t seed)
{
    machine on = {.model = model, .source = {seed * 7919 + 13}};
    ft_comparison_options options = defaults;
    ft_comparison found = {.verdict = FT_VERDICT_UNCLEAR};
    options.looks = looks;
    options.seed = seed;
    machine_new_process(&on);
    for (uint32_t i = 0; i < rounds && found.verdict < FT_VERDICT_FASTER; i++) {
        machine_round(&on, slower, firsts + i, seconds + i);
        ft_samples first = {firsts, i + 1}, second = {seconds, i + 1};
        if ((i + 1) % (rounds / looks) == 0)
            found = compare(&first, &second, 1, &options);
    }
    return found.verdict;
}

static void count_verdict(rates *to, ft_verdict verdict)
{
    to->faster += verdict == FT_VERDICT_FASTER;
    to->slower += verdict == FT_VERDICT_SLOWER;
    to->same += verdict == FT_VERDICT_SAME;
    to->sessions++;
}

static void print_rates(const char *name, const rates *of)
{
    double all = of->sessions / 100.0;
    printf("#   %-12s faster %4.1f %%, slower %5.1f %%, same %5.1f %%\n", name, of->faster / all,
           of->slower / all, of->same / all);
}

static rates run(const machine_model *model, const plan *to, double slower, uint32_t looks,
                 int sessions)
{
    rates made = {0};
    for (int i = 0; i < sessions * times; i++)
        count_verdict(&made, run_session(model, to, slower, looks, (uint64_t)i));
    print_rates(model->name, &made);
    return made;
}

static rates run_all_alone(const machine_model *model, uint32_t rounds, uint32_t looks,
                           double slower)
{
    rates made = {0};
    for (int i = 0; i < SESSIONS * times; i++)
        count_verdict(&made, run_alone(model, rounds, looks, slower, (uint64_t)i));
    print_rates(model->name, &made);
    return made;
}

/* At most a share of 0.05 of the sessions, and what chance may add to it (3.5 deviations). */
static int claims_are_few(const rates *of)
{
    double expected = 0.05 * of->sessions;
    return of->faster + of->slower <= expected + 3.5 * sqrt(expected * 0.95);
}

static int is_found(const rates *of, double share)
{
    double spare = times == 1 ? 0 : 3 * sqrt(share * (1 - share) * of->sessions);
    return of->slower >= share * of->sessions - spare && of->faster + of->same <= of->sessions / 50;
}

static const plan plans[] = {
    {10, 30, 2, 1, 0},  {3, 30, 3, 1, 0}, {5, 30, 5, 1, 0}, {20, 1, 5, 3, 0},
    {10, 30, 10, 1, 1}, {4, 5, 2, 1, 0},  {2, 30, 2, 1, 0},
};
enum { PLANS = sizeof plans / sizeof plans[0] };

static void test_equal_code(void)
{
    for (uint32_t p = 0; p < PLANS; p++) {
        const plan *to = &plans[p];
        printf("# equal: %u groups of %u, %u looks%s\n", to->groups, to->rounds, looks_of(to),
               to->apart ? ", not paired" : "");
        for (uint32_t i = 0; i < MACHINE_MODELS; i++) {
            rates made = run(&machine_models[i], to, 0, looks_of(to), SESSIONS);
            CHECK(claims_are_few(&made));
        }
    }
}

static void test_equal_code_in_one_process(void)
{
    static const uint32_t ways[][2] = {{200, 10}, {40, 1}, {6, 1}, {3, 1}}; /* rounds, looks */
    for (uint32_t w = 0; w < sizeof ways / sizeof ways[0]; w++) {
        printf("# equal: 1 group of %u, %u looks\n", ways[w][0], ways[w][1]);
        for (uint32_t i = 0; i < MACHINE_MODELS; i++) {
            rates made = run_all_alone(&machine_models[i], ways[w][0], ways[w][1], 0);
            CHECK(claims_are_few(&made));
        }
    }
}

/* The test can fail: who looks 19 times and says once, claims too much. */
static void test_looks_matter(void)
{
    static const plan often = {20, 4, 2, 1, 0};
    rates made = run(&machine_models[1], &often, 0, 1, SESSIONS);
    CHECK(!claims_are_few(&made));
    made = run(&machine_models[1], &often, 0, looks_of(&often), SESSIONS);
    CHECK(claims_are_few(&made));
}

static void test_slower_code(void)
{
    static const plan ten = {10, 30, 2, 1, 0};
    printf("# 5 %% slower: 10 groups of 30, 9 looks\n");
    for (uint32_t i = 0; i < MACHINE_MODELS; i++) {
        rates made = run(&machine_models[i], &ten, 0.05, 9, SESSIONS);
        CHECK(is_found(&made, i == 0 ? 0.95 : 0.8));
    }
    printf("# 2 %% slower is never the same: 10 groups of 30, 9 looks\n");
    for (uint32_t i = 0; i < MACHINE_MODELS; i++) {
        rates made = run(&machine_models[i], &ten, 0.02, 9, SESSIONS);
        CHECK(made.same + made.faster <= made.sessions / 50);
    }
    printf("# 5 %% slower: 1 group of 200, 10 looks\n");
    rates made = run_all_alone(&machine_models[0], 200, 10, 0.05);
    CHECK(is_found(&made, 0.95));
}

/* 1 % slower, where a pair is uncertain by 1 % and a process by half a percent. */
static void test_slightly_slower_code(void)
{
    static const machine_model quiet = {"quiet", 0.005, 0.007, 0, 0, 0, 0, 0, 0.001, 0};
    static const plan hundred = {100, 100, 5, 5, 0};
    printf("# 1 %% slower, and equal: 100 groups of 100, 20 looks\n");
    rates made = run(&quiet, &hundred, 0.01, 20, 40);
    CHECK(is_found(&made, 0.95));
    made = run(&quiet, &hundred, 0, 20, 40);
    CHECK(claims_are_few(&made));
}

/* How often the interval of the median holds the true one. */
static void test_intervals_of_medians(void)
{
    static const uint32_t ways[][2] = {{3, 40}, {5, 40}, {10, 40}, {20, 1}};
    const machine_model *model = &machine_models[1]; /* symmetrical: the true median is 1 */
    for (uint32_t w = 0; w < sizeof ways / sizeof ways[0]; w++) {
        int held = 0, narrow = 0, sessions = SESSIONS * times;
        for (int s = 0; s < sessions; s++) {
            machine on = {.model = model, .source = {(uint64_t)s * 31 + 5}};
            ft_samples groups[GROUPS_MOST];
            ft_description made = {0};
            for (uint32_t g = 0; g < ways[w][0]; g++) {
                machine_new_process(&on);
                for (uint32_t i = 0; i < ways[w][1]; i++)
                    firsts[g * ways[w][1] + i] = machine_sample(&on, 0, 0);
                groups[g] = (ft_samples){firsts + g * ways[w][1], ways[w][1]};
            }
            ft_description_make(&ft_mem_system, groups, ways[w][0], 0.95, 1, &made);
            held += made.low <= 1 && 1 <= made.high;
            narrow += made.high - made.low < 0.06; /* 2.8 times the luck of one process */
        }
        printf("# median of %u groups of %u: held by %.1f %% of intervals\n", ways[w][0],
               ways[w][1], 100.0 * held / sessions);
        CHECK(held >= 0.9 * sessions && narrow >= 0.8 * sessions);
    }
}

/* ---- what is no noise ---- */

static ft_comparison compare_one(const double *first, const double *second, uint32_t count,
                                 double floor)
{
    ft_samples one = {first, count}, other = {second, count};
    ft_comparison_options options = defaults;
    options.floor = floor;
    return compare(&one, &other, 1, &options);
}

static int knows_nothing(const ft_comparison *of)
{
    return of->ratio == 1 && of->low == 0 && isinf(of->high) && of->verdict == FT_VERDICT_UNCLEAR;
}

/* Statements that take nothing once the empty loop is subtracted: never a wild ratio. */
static void test_times_of_nothing(void)
{
    enum { COUNT = 40 };
    double none[COUNT], noise[2][COUNT], some[COUNT];
    random_source source = {3};
    for (uint32_t i = 0; i < COUNT; i++) {
        none[i] = 0;
        noise[0][i] = 1e-10 * random_normal(&source);
        noise[1][i] = 1e-10 * random_normal(&source);
        some[i] = 5e-9 * (1 + 0.01 * random_normal(&source));
    }
    ft_comparison made = compare_one(none, none, COUNT, 0);
    CHECK(knows_nothing(&made));
    made = compare_one(noise[0], noise[1], COUNT, 0);
    CHECK(knows_nothing(&made));
    made = compare_one(some, noise[1], COUNT, 0);
    CHECK(knows_nothing(&made));
    made = compare_one(noise[0], noise[1], COUNT, 5e-10);
    CHECK(made.verdict == FT_VERDICT_SAME && made.ratio == 1);
    made = compare_one(some, noise[1], COUNT, 5e-10); /* a bound: 5 ns / 0.5 ns */
    CHECK(made.verdict == FT_VERDICT_FASTER && made.ratio > 9 && made.ratio < 11);
    made = compare_one(none, some, COUNT, 0);
    CHECK(knows_nothing(&made));
    some[3] = some[9] = -1e-9; /* a few are extremes of the median */
    made = compare_one(some, some, COUNT, 0);
    CHECK(made.ratio == 1 && made.verdict == FT_VERDICT_SAME);
}

static void test_extreme_times(void)
{
    double huge[20], tiny[20];
    for (uint32_t i = 0; i < 20; i++) {
        huge[i] = 1e308;
        tiny[i] = 5e-324;
    }
    ft_comparison made = compare_one(huge, tiny, 20, 0);
    CHECK(isfinite(made.ratio) && isfinite(made.high) && made.verdict == FT_VERDICT_FASTER);
    made = compare_one(tiny, huge, 20, 0);
    CHECK(made.ratio > 0 && made.verdict == FT_VERDICT_SLOWER);
    made = compare_one(huge, tiny, 1, 0);
    CHECK(made.verdict == FT_VERDICT_UNCLEAR && made.low == 0 && isinf(made.high));
}

/* A group that was interrupted early does not count as much as a whole one: not at all. */
static void test_short_groups_are_left_out(void)
{
    double one[40], other[40];
    for (uint32_t i = 0; i < 40; i++) {
        one[i] = 2 + 0.01 * (i % 7);
        other[i] = 1 + 0.01 * (i % 5);
    }
    ft_samples first[] = {{one, 20}, {one + 20, 20}, {other, 9}, {NULL, 0}};
    ft_samples second[] = {{other, 20}, {other + 20, 20}, {one, 9}, {NULL, 0}};
    ft_comparison two = compare(first, second, 2, &defaults);
    ft_comparison all = compare(first, second, 4, &defaults);
    CHECK(two.pairs == 40 && all.pairs == 40);
    CHECK(two.ratio == all.ratio && two.low == all.low && two.verdict == all.verdict);
    first[2].count = second[2].count = 10;
    CHECK(compare(first, second, 4, &defaults).pairs == 50);
}

/* Draws pairs whose logs have this deviation into groups, and takes the medians. */
static void draw_groups(random_source *source, ft_samples *first, ft_samples *second,
                        double *medians, uint32_t groups, uint32_t length, double deviation)
{
    for (uint32_t g = 0; g < groups; g++) {
        double logs[400], *one = firsts + g * length, *other = seconds + g * length;
        for (uint32_t i = 0; i < length; i++) {
            logs[i] = deviation * random_normal(source);
            one[i] = exp(logs[i]);
            other[i] = 1;
        }
        medians[g] = ft_quantile_median(logs, length);
        first[g] = (ft_samples){one, length};
        second[g] = (ft_samples){other, length};
    }
}

static double half_of(const ft_comparison *of)
{
    return log(of->high / of->low) / 2;
}

/* The formula of the header for two groups, 3 + 1 degrees of freedom (t from a table), w being
 * what theory says of the median of normal samples. */
static void test_the_prior_of_two_groups(void)
{
    enum { LENGTH = 400, SETS = 60 };
    const double deviation = 0.5; /* its w is larger than M^2 */
    double mean = 0;
    int good = 1;
    for (uint64_t seed = 0; seed < SETS; seed++) {
        random_source source = {seed};
        ft_samples first[2], second[2];
        double medians[2];
        draw_groups(&source, first, second, medians, 2, LENGTH, deviation);
        ft_comparison made = compare(first, second, 2, &defaults);
        double within = 3.14159265 / 2 * deviation * deviation / LENGTH;
        double between = (medians[0] - medians[1]) * (medians[0] - medians[1]) / 2;
        double wanted = 2.7764 * sqrt((3 * (0.015 * 0.015 + within) + between) / 4 / 2);
        mean += half_of(&made) / wanted / SETS; /* the bootstrap of 8 runs is rough */
        good &= fabs(log(made.ratio) - (medians[0] + medians[1]) / 2) < 1e-12;
    }
    CHECK(good && fabs(mean - 1) < 0.1);
}

/* Groups that are alike by chance: the interval is that of a deviation of half a percent. */
static void test_groups_that_are_alike(void)
{
    random_source source = {9};
    ft_samples first[6], second[6];
    double medians[6];
    draw_groups(&source, first, second, medians, 6, 40, 1e-6);
    ft_comparison made = compare(first, second, 6, &defaults);
    CHECK(fabs(half_of(&made) / (2.5706 * 0.005 / sqrt(6)) - 1) < 1e-3);
    CHECK(made.verdict == FT_VERDICT_SAME);
}

/* Of one group: the bootstrap's own percentiles, stretched by t of 7 degrees over the normal's. */
static void test_the_interval_of_a_median(void)
{
    double values[100], medians[FT_DESCRIPTION_RESAMPLES];
    random_source source = {4};
    ft_samples group = {values, 100};
    ft_description made = {0};
    for (uint32_t i = 0; i < 100; i++)
        values[i] = 10 + random_normal(&source);
    ft_description_make(&ft_mem_system, &group, 1, 0.95, 8, &made);
    ft_bootstrap_medians(&ft_mem_system, &group, 1, 8, medians, FT_DESCRIPTION_RESAMPLES);
    double stretch = 2.364624 / 1.959964 * sqrt(8.0 / 7);
    double low = ft_quantile_at(medians, FT_DESCRIPTION_RESAMPLES, 0.025);
    double high = ft_quantile_at(medians, FT_DESCRIPTION_RESAMPLES, 0.975);
    CHECK(fabs(made.median - made.low - (made.median - low) * stretch) < 1e-5);
    CHECK(fabs(made.high - made.median - (high - made.median) * stretch) < 1e-5);
}

/* Swapping the two turns the answer round; another unit of time changes nothing. */
static int is_symmetrical(uint32_t seed)
{
    machine on = {.model = &machine_models[seed % MACHINE_MODELS], .source = {seed}};
    double one[60], other[60];
    ft_samples first[3], second[3];
    uint32_t count = 1 + seed % 3;
    machine_new_process(&on);
    for (uint32_t i = 0; i < 60; i++)
        machine_round(&on, 0.02 * (seed % 5), one + i, other + i);
    for (uint32_t g = 0; g < 3; g++) {
        first[g] = (ft_samples){one + 20 * g, 20};
        second[g] = (ft_samples){other + 20 * g, 20};
    }
    ft_comparison there = compare(first, second, count, &defaults);
    ft_comparison back = compare(second, first, count, &defaults);
    int good = fabs(there.ratio * back.ratio - 1) < 1e-9 && fabs(there.low * back.high - 1) < 1e-9;
    for (uint32_t i = 0; i < 60; i++) {
        one[i] *= 1024; /* exactly */
        other[i] *= 1024;
    }
    back = compare(first, second, count, &defaults);
    return good && fabs(there.ratio - back.ratio) < 1e-9 && there.verdict == back.verdict;
}

static void test_symmetry(void)
{
    int good = 1;
    for (uint32_t seed = 0; seed < 50; seed++)
        good &= is_symmetrical(seed);
    CHECK(good);
}

static ft_status work(const ft_mem *mem, bool paired)
{
    double values[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};
    ft_samples groups[] = {{values, 16}, {values, 16}};
    ft_comparison_options options = defaults;
    ft_comparison made = {.ratio = -1};
    options.paired = paired;
    ft_status status = ft_comparison_make(mem, groups, 2, groups, 2, &options, &made);
    if ((status == FT_OK) != (made.ratio > 0)) /* results on success only */
        return FT_ERR_CORRUPT;
    return status;
}

static ft_status work_paired(const ft_mem *mem)
{
    return work(mem, true);
}

static ft_status work_apart(const ft_mem *mem)
{
    return work(mem, false);
}

static ft_status work_describe(const ft_mem *mem)
{
    double values[] = {1, 2, 3, 4};
    ft_samples groups[] = {{values, 4}, {values, 3}};
    ft_description made = {.median = -1};
    ft_status status = ft_description_make(mem, groups, 2, 0.95, 0, &made);
    if ((status == FT_OK) != (made.median == 2))
        return FT_ERR_CORRUPT;
    return status;
}

int main(int argc, char **argv)
{
    times = argc > 1 ? atoi(argv[1]) : 1;
    test_equal_code();
    test_equal_code_in_one_process();
    test_looks_matter();
    test_slower_code();
    test_slightly_slower_code();
    test_intervals_of_medians();
    test_times_of_nothing();
    test_extreme_times();
    test_short_groups_are_left_out();
    test_the_prior_of_two_groups();
    test_groups_that_are_alike();
    test_the_interval_of_a_median();
    test_symmetry();
    CHECK(sweep(work_paired));
    CHECK(sweep(work_apart));
    CHECK(sweep(work_describe));
    return tap_end();
}
