/* SPDX-License-Identifier: Apache-2.0 */
/* test_quantile.c: selection against sorting; Student's t against closed forms and tables. */
#include "engine/stats/quantile.h"

#include <math.h>
#include <string.h>

#include "engine/stats/student.h"
#include "tests/engine/random.h"
#include "tests/engine/tap.h"

enum { MOST = 300, SEEDS = 2000 };

static int by_value(const void *one, const void *other)
{
    double a = *(const double *)one, b = *(const double *)other;
    return (a > b) - (a < b);
}

/* Values as they come in life, and as they are hard: few different ones, in order, in reverse. */
static double draw_value(random_source *source, uint32_t kind, uint32_t index)
{
    switch (kind) {
    case 0:
        return random_below(source, 3);
    case 1:
        return index;
    case 2:
        return -(double)index;
    case 3:
        return 7;
    case 4: /* a roof */
        return index % 2 != 0 ? (double)index : -(double)index;
    default:
        return (double)random_next(source) / 1e18 - 9;
    }
}

/* Whether select puts the right value at rank, and the others on the right sides of it. */
static int selects(const double *values, const double *sorted, uint32_t count, uint32_t rank)
{
    double copy[MOST];
    memcpy(copy, values, count * sizeof *copy);
    int good = ft_quantile_select(copy, count, rank) == sorted[rank] && copy[rank] == sorted[rank];
    for (uint32_t i = 0; i < count; i++)
        good &= i < rank ? copy[i] <= copy[rank] : copy[i] >= copy[rank];
    qsort(copy, count, sizeof *copy, by_value); /* nothing was lost */
    return good && memcmp(copy, sorted, count * sizeof *copy) == 0;
}

/* Definition 7 as the numpy document writes it: the virtual index (n - 1) q. */
static double quantile_of(const double *sorted, uint32_t count, double share)
{
    double at = (count - 1) * share, below = floor(at);
    uint32_t index = (uint32_t)below;
    double next = sorted[index + 1 < count ? index + 1 : index];
    return sorted[index] + (at - below) * (next - sorted[index]);
}

static int run_seed(uint64_t seed)
{
    random_source source = {seed};
    double values[MOST], sorted[MOST], copy[MOST];
    uint32_t count = 1 + random_below(&source, seed % 3 == 0 ? 5 : MOST);
    uint32_t kind = random_below(&source, 8);
    for (uint32_t i = 0; i < count; i++)
        values[i] = draw_value(&source, kind, i);
    memcpy(sorted, values, count * sizeof *sorted);
    qsort(sorted, count, sizeof *sorted, by_value);
    int good = selects(values, sorted, count, 0) && selects(values, sorted, count, count - 1) &&
               selects(values, sorted, count, random_below(&source, count));
    memcpy(copy, values, count * sizeof *copy);
    double middle = (sorted[(count - 1) / 2] + sorted[count / 2]) / 2;
    good &= fabs(ft_quantile_median(copy, count) - middle) <= 1e-12 * fabs(middle);
    for (uint32_t i = 0; i <= 20; i++) {
        memcpy(copy, values, count * sizeof *copy);
        double wanted = quantile_of(sorted, count, i / 20.0);
        good &= fabs(ft_quantile_at(copy, count, i / 20.0) - wanted) <= 1e-9 * (1 + fabs(wanted));
    }
    return good;
}

static void test_against_sorting(void)
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

static void test_extremes(void)
{
    double most[] = {1.7e308, 1.7e308}, both[] = {-1.7e308, 1.7e308};
    CHECK(ft_quantile_median(most, 2) == 1.7e308); /* no sum that overflows */
    CHECK(ft_quantile_median(both, 2) == 0);
}

static int is_near(double value, double wanted, double error)
{
    return fabs(value - wanted) <= error * fabs(wanted);
}

/* With one and two degrees of freedom the distribution has closed forms. */
static void test_student_closed_forms(void)
{
    int good = 1;
    for (double tail = 0.49; tail > 1e-9; tail *= 0.7) {
        double one = 1 / tan(3.14159265358979324 * tail);
        double two = (1 - 2 * tail) * sqrt(1 / (2 * tail * (1 - tail)));
        good &= is_near(ft_student_quantile(tail, 1), one, 1e-8);
        good &= is_near(ft_student_quantile(tail, 2), two, 1e-8);
        good &= is_near(ft_student_tail(one, 1), tail, 1e-9);
    }
    CHECK(good);
}

/* From printed tables of t, and the normal distribution, which it becomes. */
static void test_student_tables(void)
{
    CHECK(is_near(ft_student_quantile(0.025, 3), 3.1824, 2e-5));
    CHECK(is_near(ft_student_quantile(0.025, 5), 2.5706, 2e-5));
    CHECK(is_near(ft_student_quantile(0.025, 9), 2.2622, 2e-5));
    CHECK(is_near(ft_student_quantile(0.005, 10), 3.1693, 2e-5));
    CHECK(is_near(ft_student_quantile(0.05, 30), 1.6973, 3e-5));
    CHECK(is_near(ft_student_quantile(0.0005, 60), 3.4602, 2e-5));
    CHECK(is_near(ft_student_quantile(0.025, 1e6), 1.95996, 1e-5));
    CHECK(is_near(ft_student_tail(3, 1e7), erfc(3 / sqrt(2)) / 2, 1e-5));
    CHECK(ft_student_tail(0, 4) == 0.5);
}

/* The density integrated by Simpson's rule, for degrees that are not whole. */
static void test_student_integral(void)
{
    enum { STEPS = 20000 };
    int good = 1;
    for (double freedom = 1.3; freedom < 60; freedom *= 1.7) {
        double scale = exp(lgamma((freedom + 1) / 2) - lgamma(freedom / 2)) /
                       sqrt(freedom * 3.14159265358979324);
        double sum = 0, end = 2.5, step = end / STEPS;
        for (int i = 0; i <= STEPS; i++) {
            double at = i * step, weight = i == 0 || i == STEPS ? 1 : i % 2 != 0 ? 4 : 2;
            sum += weight * scale * pow(1 + at * at / freedom, -(freedom + 1) / 2);
        }
        good &= is_near(ft_student_tail(end, freedom), 0.5 - sum * step / 3, 1e-7);
    }
    CHECK(good);
}

int main(void)
{
    test_against_sorting();
    test_extremes();
    test_student_closed_forms();
    test_student_tables();
    test_student_integral();
    return tap_end();
}
