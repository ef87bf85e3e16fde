/* SPDX-License-Identifier: Apache-2.0 */
/* test_trend.c: the probability of a trend against all orders of a few samples, its false alarms
 * and its finds on machines with noise. */
#include "engine/stats/trend.h"

#include <math.h>
#include <string.h>

#include "tests/engine/machine.h"
#include "tests/engine/sweep.h"
#include "tests/engine/tap.h"

enum { GROUPS = 12, LONGEST = 160, SESSIONS = 300 };

static ft_trend trend_of(const ft_samples *groups, uint32_t count)
{
    ft_trend made = {-1, -1};
    ft_trend_make(&ft_mem_system, groups, count, &made);
    return made;
}

static int kendall_sum(const double *values, uint32_t count)
{
    int sum = 0;
    for (uint32_t i = 0; i < count; i++)
        for (uint32_t k = i + 1; k < count; k++)
            sum += (values[k] > values[i]) - (values[k] < values[i]);
    return sum;
}

/* The next order of distinct values (as in a dictionary); false after the last. */
static int next_order(double *values, uint32_t count)
{
    uint32_t i = count - 1, k = count - 1;
    while (i > 0 && values[i - 1] > values[i])
        i--;
    if (i == 0)
        return 0;
    while (values[k] < values[i - 1])
        k--;
    double kept = values[k];
    values[k] = values[i - 1];
    values[i - 1] = kept;
    for (uint32_t j = count - 1; i < j; i++, j--) {
        kept = values[i];
        values[i] = values[j];
        values[j] = kept;
    }
    return 1;
}

/* How many orders of 1 .. count have each S, from -pairs on. */
static int count_orders(uint32_t count, int *orders)
{
    double values[FT_TREND_BLOCKS];
    int pairs = (int)(count * (count - 1) / 2), all = 0;
    for (uint32_t i = 0; i < count; i++)
        values[i] = i + 1;
    memset(orders, 0, (size_t)(2 * pairs + 1) * sizeof *orders);
    do {
        orders[kendall_sum(values, count) + pairs]++;
        all++;
    } while (next_order(values, count));
    return all;
}

static void test_against_all_orders_of_one_group(void)
{
    int orders[60], good = 1;
    for (uint32_t count = 2; count <= 7; count++) {
        int all = count_orders(count, orders), pairs = (int)(count * (count - 1) / 2);
        double values[FT_TREND_BLOCKS];
        for (uint32_t i = 0; i < count; i++)
            values[i] = i + 1;
        do {
            int sum = abs(kendall_sum(values, count)), as_far = 0;
            for (int s = -pairs; s <= pairs; s++)
                as_far += abs(s) >= sum ? orders[s + pairs] : 0;
            double wanted = fmin(1, (double)as_far / all);
            ft_samples group = {values, count};
            good &= fabs(trend_of(&group, 1).probability - wanted) < 1e-12;
        } while (next_order(values, count));
    }
    CHECK(good);
}

static void test_against_all_orders_of_two_groups(void)
{
    int of_three[10], of_five[30], good = 1;
    int all = count_orders(3, of_three) * count_orders(5, of_five);
    double three[] = {1, 2, 3}, five[] = {1, 2, 3, 4, 5};
    do {
        ft_samples groups[] = {{three, 3}, {five, 5}};
        int sum = abs(kendall_sum(three, 3) + kendall_sum(five, 5)), as_far = 0;
        for (int s = -3; s <= 3; s++)
            for (int t = -10; t <= 10; t++)
                as_far += abs(s + t) >= sum ? of_three[s + 3] * of_five[t + 10] : 0;
        good &= fabs(trend_of(groups, 2).probability - fmin(1, (double)as_far / all)) < 1e-12;
    } while (next_order(five, 5) || next_order(three, 3));
    CHECK(good);
}

/* Sen's slope of blocks of one, by sorting all slopes. */
static void test_change(void)
{
    double line[] = {10, 11, 12, 13, 14, 15}, broken[] = {4, 4.1, 100, 4.3, 4.4};
    ft_samples straight = {line, 6}, groups[] = {{broken, 5}, {broken, 5}, {line, 6}};
    CHECK(fabs(trend_of(&straight, 1).change - 5 / 12.5) < 1e-12);
    CHECK(fabs(trend_of(groups, 3).change - 4 * 0.1 / 4.3) < 1e-12); /* the outlier says nothing */
    double longer[LONGEST];
    for (uint32_t i = 0; i < LONGEST; i++)
        longer[i] = 1 + 0.001 * i;
    ft_samples group = {longer, LONGEST};
    CHECK(fabs(trend_of(&group, 1).change - 0.159 / 1.0795) < 1e-3);
    CHECK(trend_of(&group, 1).probability < 1e-4);
}

static void test_nothing_to_say(void)
{
    double same[] = {5, 5, 5, 5, 5, 5}, minus[] = {-3, -2, -1, 0};
    ft_samples groups[40], none = {NULL, 0}, one = {same, 1};
    CHECK(trend_of(NULL, 0).probability >= 1 && trend_of(&none, 1).probability >= 1);
    CHECK(trend_of(&one, 1).probability >= 1 && trend_of(&one, 1).change == 0);
    ft_samples alike = {same, 6}, below = {minus, 4};
    CHECK(trend_of(&alike, 1).probability >= 1 && trend_of(&alike, 1).change == 0);
    CHECK(trend_of(&below, 1).change == 0);
    for (uint32_t i = 0; i < 40; i++)
        groups[i] = i % 2 != 0 ? alike : none;
    CHECK(trend_of(groups, 40).probability >= 1);
}

/* In how many sessions out of SESSIONS a trend is seen, with a chance of 1 % each to be wrong. */
static int count_trends(const machine_model *model, uint32_t group_count, double drift)
{
    static double values[GROUPS][LONGEST];
    int seen = 0;
    for (uint64_t session = 0; session < SESSIONS; session++) {
        machine on = {.model = model, .source = {session * 101 + 7}};
        ft_samples groups[GROUPS];
        for (uint32_t g = 0; g < group_count; g++) {
            machine_new_process(&on);
            for (uint32_t i = 0; i < LONGEST; i++)
                values[g][i] = machine_sample(&on, 0, drift * i / LONGEST);
            groups[g] = (ft_samples){values[g], LONGEST};
        }
        seen += trend_of(groups, group_count).probability < 0.01;
    }
    printf("# %s: %d of %d\n", model->name, seen, SESSIONS);
    return seen;
}

static void test_on_machines(void)
{
    for (uint32_t i = 0; i < MACHINE_MODELS; i++)
        CHECK(count_trends(&machine_models[i], GROUPS, 0) <= 10); /* 3 are to be expected */
    CHECK(count_trends(&machine_models[0], GROUPS, 0.05) >= SESSIONS * 95 / 100);
    CHECK(count_trends(&machine_models[3], GROUPS, 0.2) >= SESSIONS * 80 / 100);
}

/* Equal blocks: the normal approximation with the variance of S over all orders, which is found by
 * trying them: 3 and 2 of 7 are alike. */
static void test_ties(void)
{
    enum { COUNT = 7 };
    static const double kinds[COUNT] = {1, 1, 1, 2, 3, 3, 4};
    double order[COUNT], values[COUNT], squares = 0, all = 0;
    int good = 1;
    for (uint32_t i = 0; i < COUNT; i++)
        order[i] = i;
    do {
        for (uint32_t i = 0; i < COUNT; i++)
            values[i] = kinds[(int)order[i]];
        double sum = kendall_sum(values, COUNT);
        squares += sum * sum;
        all++;
    } while (next_order(order, COUNT));
    for (uint32_t i = 0; i < COUNT; i++)
        order[i] = i;
    for (int i = 0; i < 300 && next_order(order, COUNT); i++) {
        for (uint32_t k = 0; k < COUNT; k++)
            values[k] = kinds[(int)order[k]];
        double sum = fmax(0, abs(kendall_sum(values, COUNT)) - 1);
        ft_samples group = {values, COUNT};
        good &= fabs(trend_of(&group, 1).probability - erfc(sum / sqrt(2 * squares / all))) < 1e-12;
    }
    CHECK(good && all == 5040);
}

/* Groups that wander, each its way, have no trend in common. */
static void test_wandering_groups(void)
{
    static double values[GROUPS][LONGEST];
    int seen = 0, seen_in_one = 0;
    for (uint64_t session = 0; session < SESSIONS; session++) {
        random_source source = {session};
        ft_samples groups[GROUPS];
        for (uint32_t g = 0; g < GROUPS; g++) {
            double at = 100;
            for (uint32_t i = 0; i < LONGEST; i++)
                values[g][i] = at += random_normal(&source);
            groups[g] = (ft_samples){values[g], LONGEST};
        }
        seen += trend_of(groups, GROUPS).probability < 0.01;
        seen_in_one += trend_of(groups, 1).probability < 0.01;
    }
    CHECK(seen <= 10);
    CHECK(seen_in_one > 30); /* what one group can not know: see trend.h */
}

static ft_status work(const ft_mem *mem)
{
    double values[] = {1, 2, 3, 4};
    ft_samples groups[] = {{values, 4}, {values, 3}};
    ft_trend made = {-1, -1};
    ft_status status = ft_trend_make(mem, groups, 2, &made);
    if ((status == FT_OK) != (made.probability >= 0)) /* results on success only */
        return FT_ERR_CORRUPT;
    return status;
}

int main(void)
{
    test_against_all_orders_of_one_group();
    test_against_all_orders_of_two_groups();
    test_change();
    test_nothing_to_say();
    test_on_machines();
    test_ties();
    test_wandering_groups();
    CHECK(sweep(work));
    return tap_end();
}
