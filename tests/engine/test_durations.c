/* SPDX-License-Identifier: Apache-2.0 */
/* test_durations.c: least, most, last and median against an array that is sorted. */
#include "engine/stats/durations.h"

#include "tests/engine/random.h"
#include "tests/engine/sweep.h"
#include "tests/engine/tap.h"

enum { MOST = 6000, SEEDS = 40 };

static int ascending(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* Few ns, some us, anything up to 2^64. */
static uint64_t draw(random_source *source)
{
    switch (random_below(source, 4)) {
    case 0:
        return random_below(source, 200);
    case 1:
        return 1000 + random_below(source, 100000);
    case 2:
        return random_next(source) >> random_below(source, 64);
    default:
        return UINT64_MAX - random_below(source, 3);
    }
}

static int right_median(const ft_durations *durations, uint64_t *values, uint32_t count)
{
    double median = -1;
    if (ft_durations_median(durations, &median) != FT_OK)
        return 0;
    qsort(values, count, sizeof *values, ascending);
    double low = (double)values[(count - 1) / 2], high = (double)values[count / 2];
    if (count <= FT_DURATIONS_EXACT)
        return median == (low + high) / 2;
    double off = median - (low + high) / 2;
    return (off < 0 ? -off : off) <= (low + high) / 2 / 128;
}

static int run_seed(uint64_t seed)
{
    static uint64_t values[MOST];
    random_source source = {seed};
    ft_durations durations;
    ft_durations_init(&durations, &ft_mem_system);
    uint32_t count = 1 + random_below(&source, seed % 2 == 0 ? MOST : FT_DURATIONS_EXACT + 2);
    uint64_t least = UINT64_MAX, most = 0;
    int good = 1;
    for (uint32_t i = 0; i < count; i++) {
        values[i] = draw(&source);
        least = values[i] < least ? values[i] : least;
        most = values[i] > most ? values[i] : most;
        good &= ft_durations_add(&durations, values[i]) == FT_OK;
        good &= durations.last == values[i] && durations.count == i + 1;
    }
    good &= durations.least == least && durations.most == most;
    good &= right_median(&durations, values, count);
    ft_durations_fini(&durations);
    ft_durations_init(&durations, &ft_mem_system);
    double none = -1;
    good &= ft_durations_median(&durations, &none) == FT_OK && none == 0 && durations.count == 0;
    ft_durations_fini(&durations);
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

/* Every power of two and its neighbours, alone in the buckets: off by no more than is said. */
static void test_each_size(void)
{
    int good = 1;
    for (unsigned i = 0; i < 64 * 3; i++) {
        uint64_t value = (UINT64_C(1) << (i / 3)) + i % 3 - 1;
        ft_durations durations;
        ft_durations_init(&durations, &ft_mem_system);
        for (uint32_t n = 0; n < FT_DURATIONS_EXACT; n++)
            good &= ft_durations_add(&durations, value) == FT_OK;
        good &= ft_durations_add(&durations, 0) == FT_OK;
        good &= ft_durations_add(&durations, UINT64_MAX) == FT_OK;
        double median = -1, right = (double)value;
        good &= ft_durations_median(&durations, &median) == FT_OK;
        good &= median >= right * (1 - 1.0 / 128) && median <= right * (1 + 1.0 / 128);
        ft_durations_fini(&durations);
    }
    CHECK(good);
}

static ft_status fill(const ft_mem *mem)
{
    ft_durations durations;
    ft_durations_init(&durations, mem);
    ft_status status = FT_OK;
    uint64_t added = 0;
    while (status == FT_OK && added < FT_DURATIONS_EXACT + 5) {
        double median = -1;
        status = ft_durations_add(&durations, added + 1);
        if (status == FT_OK && (++added % 200 == 0 || added > FT_DURATIONS_EXACT))
            status = ft_durations_median(&durations, &median);
    }
    if (durations.count != added || durations.most != added || durations.least != (added > 0))
        status = FT_ERR_CORRUPT;
    ft_durations_fini(&durations);
    return status;
}

int main(void)
{
    test_against_sorting();
    test_each_size();
    CHECK(sweep(fill));
    return tap_end();
}
