/* SPDX-License-Identifier: Apache-2.0 */
/* test_samples.c: series of samples: what they refuse, and merges of random ones against what both
 * have, one after the other. The file's tests have their way through a file. */
#include "engine/model/samples.h"

#include <math.h>

#include "tests/engine/profiles.h"
#include "tests/engine/sweep.h"
#include "tests/engine/tap.h"

static const ft_series sound = {.clock = FT_SERIES_CPU, .loops = 1};

static bool refuses_series(ft_series series)
{
    ft_samples samples;
    ft_samples_init(&samples, &ft_mem_system);
    bool refused =
        ft_samples_add_series(&samples, &series) == FT_ERR_CORRUPT && samples.series_count == 0;
    ft_samples_fini(&samples);
    return refused;
}

static void test_what_can_not_be(void)
{
    ft_series wrong = sound;
    CHECK(!refuses_series(wrong));
    wrong.clock = FT_SERIES_CLOCKS;
    CHECK(refuses_series(wrong));
    wrong.clock = 0;
    CHECK(refuses_series(wrong));
    wrong = sound;
    wrong.loops = 0;
    CHECK(refuses_series(wrong));
    wrong = sound;
    wrong.empty = NAN;
    CHECK(refuses_series(wrong));
    wrong.empty = -1e-9;
    CHECK(refuses_series(wrong));
    wrong = sound;
    wrong.peak = 1;
    CHECK(refuses_series(wrong));
    wrong.flags = FT_SERIES_HAS_PEAK;
    CHECK(!refuses_series(wrong));
    wrong.blocks = 1;
    CHECK(refuses_series(wrong));
}

static void test_orders(void)
{
    ft_samples samples;
    const double wrong[] = {1, INFINITY}, right = -1;
    ft_samples_init(&samples, &ft_mem_system);
    CHECK(ft_samples_add_group(&samples, 0) == FT_ERR_CORRUPT);
    CHECK(ft_samples_add_counter(&samples, &(ft_counter){0, 0, 1}) == FT_ERR_CORRUPT);
    must(ft_samples_add_series(&samples, &sound) == FT_OK);
    must(ft_samples_add_series(&samples, &sound) == FT_OK);
    CHECK(ft_samples_add_counter(&samples, &(ft_counter){0, 3, 1}) == FT_OK);
    CHECK(ft_samples_add_counter(&samples, &(ft_counter){0, 3, 1}) == FT_ERR_CORRUPT);
    CHECK(ft_samples_add_counter(&samples, &(ft_counter){0, 4, NAN}) == FT_ERR_CORRUPT);
    CHECK(ft_samples_add_counter(&samples, &(ft_counter){1, 3, 1}) == FT_OK);
    CHECK(ft_samples_add_counter(&samples, &(ft_counter){0, 4, 1}) == FT_ERR_CORRUPT);
    CHECK(ft_samples_add_counter(&samples, &(ft_counter){2, 4, 1}) == FT_ERR_CORRUPT);
    CHECK(ft_samples_add_group(&samples, 1) == FT_OK);
    CHECK(ft_samples_add_group(&samples, 0) == FT_ERR_CORRUPT);
    CHECK(ft_samples_add_seconds(&samples, wrong, 2) == FT_ERR_CORRUPT);
    CHECK(samples.second_count == 0 && samples.groups[0].count == 0);
    CHECK(ft_samples_add_seconds(&samples, &right, 1) == FT_OK);
    CHECK(ft_samples_add_seconds(&samples, NULL, 0) == FT_OK);
    CHECK(samples.second_count == 1 && samples.groups[0].count == 1);
    CHECK(ft_samples_are_valid(&samples, 4) && !ft_samples_are_valid(&samples, 3));
    ft_samples_fini(&samples);
}

static void test_many(void)
{
    ft_samples samples;
    ft_samples_init(&samples, &ft_mem_system);
    for (uint32_t i = 0; i < FT_SERIES_MAX; i++)
        must(ft_samples_add_series(&samples, &sound) == FT_OK);
    CHECK(ft_samples_add_series(&samples, &sound) == FT_ERR_LIMIT);
    for (uint32_t i = 0; i < FT_SERIES_COUNTERS_MAX; i++)
        must(ft_samples_add_counter(&samples, &(ft_counter){9, i, 1}) == FT_OK);
    CHECK(ft_samples_add_counter(&samples, &(ft_counter){9, FT_SERIES_COUNTERS_MAX, 1}) ==
          FT_ERR_LIMIT);
    for (uint32_t i = 0; i < 2 * FT_SERIES_GROUPS_MAX; i++)
        must(ft_samples_add_group(&samples, 5 + i / FT_SERIES_GROUPS_MAX) == FT_OK);
    CHECK(ft_samples_add_group(&samples, 6) == FT_ERR_LIMIT);
    CHECK(ft_samples_add_group(&samples, 7) == FT_OK);
    CHECK(ft_samples_are_valid(&samples, FT_SERIES_COUNTERS_MAX));
    ft_samples_fini(&samples);
}

/* Whether whole's series from `first` on are part's. */
static bool has_series(const ft_profile *whole, const ft_profile *part, const ft_samples *first)
{
    const ft_samples *x = &whole->samples, *y = &part->samples;
    bool good = true;
    for (uint32_t i = 0; good && i < y->series_count; i++)
        good =
            same_text(whole, x->series[first->series_count + i].label, part, y->series[i].label) &&
            x->series[first->series_count + i].loops == y->series[i].loops;
    for (uint32_t i = 0; good && i < y->counter_count; i++) {
        const ft_counter *left = &x->counters[first->counter_count + i], *right = &y->counters[i];
        good = left->series == first->series_count + right->series &&
               same_text(whole, left->name, part, right->name) &&
               memcmp(&left->value, &right->value, sizeof left->value) == 0;
    }
    for (uint32_t i = 0; good && i < y->group_count; i++) {
        const ft_group *left = &x->groups[first->group_count + i], *right = &y->groups[i];
        good = left->series == first->series_count + right->series && left->count == right->count &&
               (left->count == 0 || memcmp(x->seconds + left->first, y->seconds + right->first,
                                           left->count * sizeof *x->seconds) == 0);
    }
    return good;
}

static void test_merges(void)
{
    bool good = true;
    uint32_t both = 0;
    for (uint64_t seed = 0; seed < 200; seed++) {
        ft_profile first, second;
        const ft_samples none = {0};
        make_profile(&first, seed, 20);
        make_profile(&second, seed + 1000, 20);
        const ft_samples before = first.samples; /* its counts */
        ft_profile kept;
        make_profile(&kept, seed, 20);
        must(ft_profile_merge(&first, &second) == FT_OK);
        good &= has_series(&first, &kept, &none) && has_series(&first, &second, &before);
        good &= first.samples.series_count == before.series_count + second.samples.series_count &&
                first.samples.second_count == before.second_count + second.samples.second_count;
        good &= ft_profile_check(&first) == FT_OK;
        both += before.second_count > 0 && second.samples.second_count > 0;
        ft_profile_fini(&kept);
        ft_profile_fini(&second);
        ft_profile_fini(&first);
    }
    CHECK(good);
    CHECK(both > 50);
}

/* A merge that has no room for the last series leaves none of the others. */
static void test_merge_past_the_limit(void)
{
    ft_profile first, second;
    must(ft_profile_init(&first, &ft_mem_system) == FT_OK);
    must(ft_profile_init(&second, &ft_mem_system) == FT_OK);
    for (uint32_t i = 0; i < FT_SERIES_MAX - 1; i++)
        must(ft_samples_add_series(&first.samples, &sound) == FT_OK);
    for (uint32_t i = 0; i < 2; i++)
        must(ft_samples_add_series(&second.samples, &sound) == FT_OK);
    CHECK(ft_profile_merge(&first, &second) == FT_ERR_LIMIT);
    CHECK(first.samples.series_count == FT_SERIES_MAX - 1);
    CHECK(ft_profile_check(&first) == FT_OK);
    ft_profile_fini(&second);
    ft_profile_fini(&first);
}

/* A series that is together with the one before is so after a merge, where there is one. */
static void test_merge_of_what_is_together(void)
{
    ft_profile first, second;
    ft_series series = sound;
    must(ft_profile_init(&first, &ft_mem_system) == FT_OK);
    must(ft_profile_init(&second, &ft_mem_system) == FT_OK);
    series.flags = FT_SERIES_TOGETHER;
    must(ft_samples_add_series(&second.samples, &series) == FT_OK);
    CHECK(ft_profile_check(&second) == FT_ERR_CORRUPT);
    must(ft_profile_merge(&first, &second) == FT_OK && ft_profile_merge(&first, &second) == FT_OK);
    CHECK(first.samples.series[0].flags == 0);
    CHECK(first.samples.series[1].flags == FT_SERIES_TOGETHER);
    CHECK(ft_profile_check(&first) == FT_OK);
    ft_profile_fini(&second);
    ft_profile_fini(&first);
}

static ft_profile swept;

static ft_status merge_swept(const ft_mem *mem)
{
    ft_profile into;
    ft_status status = ft_profile_init(&into, mem);
    if (status != FT_OK)
        return status;
    status = ft_profile_merge(&into, &swept);
    must(ft_profile_check(&into) == FT_OK);
    must(status == FT_OK ? same_samples(&into, &swept) : into.samples.series_count == 0);
    ft_profile_fini(&into);
    return status;
}

static void test_without_memory(void)
{
    make_full_profile(&swept, 20);
    CHECK(sweep(merge_swept));
    ft_profile_fini(&swept);
}

int main(void)
{
    test_what_can_not_be();
    test_orders();
    test_many();
    test_merges();
    test_merge_past_the_limit();
    test_merge_of_what_is_together();
    test_without_memory();
    return tap_end();
}
