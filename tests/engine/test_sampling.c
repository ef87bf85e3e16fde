/* SPDX-License-Identifier: Apache-2.0 */
/* test_sampling.c: which blocks pass untold, against what Poisson samples of bytes are: a block of
 * `size` bytes is told of with the probability p = 1 - exp(-size / T), whichever thread allocates
 * it and whatever others do. The seeds are fixed. */
#include <math.h>
#include <string.h>

#include "engine/record/sampling.h"
#include "tests/engine/heap_driver.h"
#include "tests/engine/tap.h"

enum { SEEDS = 30, INTERVAL = 4096, THREADS = 3, KINDS = 6, EACH = 6000 };

static const uint64_t sizes[KINDS] = {0, 16, 100, 512, 3000, 20000};

static driver d;
static ft_sampling sampling;
static ft_sampling_countdown threads[THREADS];

static bool open_sampled(uint64_t seed)
{
    if (driver_open(&d, &ft_mem_system, NULL, INTERVAL, seed) != FT_OK)
        return false;
    for (uint32_t part = 0; part < 2; part++)
        d.heap.parts[part].random = seed * UINT64_C(0x9E3779B97F4A7C15) + part + 1;
    memset(&sampling, 0, sizeof sampling);
    sampling.last = FT_SAMPLING_NONE;
    memset(threads, 0, sizeof threads);
    ft_sampling_set(&sampling, true);
    return true;
}

/* Is the block told of? */
static bool is_told(uint32_t thread, uint64_t size)
{
    ft_heap_part *part = &d.heap.parts[FT_HEAP_PYTHON];
    return !ft_sampling_passes(&sampling, &threads[thread], (size_t)size) &&
           ft_sampling_wants(&sampling, &threads[thread], part, (size_t)size);
}

/* A block that nobody may be told of. */
static void drop(uint32_t thread, uint64_t size)
{
    if (!ft_sampling_passes(&sampling, &threads[thread], (size_t)size))
        ft_sampling_drop(&threads[thread]);
}

/* How many of each kind are told of. Threads change at every block; now and then there are blocks
 * of nobody's, another recording, or one of another heap, while which all are told of. */
static void run(uint32_t told[KINDS])
{
    for (uint32_t i = 0; i < EACH; i++)
        for (uint32_t kind = 0; kind < KINDS; kind++) {
            uint32_t thread = (i + kind * kind) % THREADS;
            told[kind] += is_told(thread, sizes[kind]);
            if (i % 3 == 1)
                drop(thread, sizes[(kind + i) % KINDS]);
            if (i % 1000 == 999 && kind == 0) {
                ft_sampling_set(&sampling, false);
                ft_sampling_set(&sampling, true);
            }
        }
}

static void test_estimates(void)
{
    double squares = 0, sum = 0;
    double by_kind[KINDS] = {0};
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        uint32_t told[KINDS] = {0};
        REQUIRE(open_sampled(seed));
        run(told);
        for (uint32_t kind = 0; kind < KINDS; kind++) {
            double p = 1 - exp(-(sizes[kind] == 0 ? 1.0 : (double)sizes[kind]) / INTERVAL);
            double error = (told[kind] - EACH * p) / sqrt(EACH * p * (1 - p));
            by_kind[kind] += error;
            sum += error;
            squares += error * error;
        }
        driver_close(&d);
    }
    const double count = SEEDS * KINDS;
    CHECK(fabs(sum / count) < 4 / sqrt(count));
    CHECK(fabs(squares / count - 1) < 5 * sqrt(2 / count));
    for (uint32_t kind = 0; kind < KINDS; kind++)
        CHECK(fabs(by_kind[kind]) / SEEDS < 4 / sqrt(SEEDS));
}

/* The heap hears of the blocks behind a sample, so it knows whether that one is temporary. */
static void test_watching(void)
{
    uint32_t samples = 0;
    bool good = true;
    REQUIRE(open_sampled(1));
    ft_heap_part *part = &d.heap.parts[FT_HEAP_PYTHON];
    for (uint32_t i = 0; i < 100000; i++) {
        if (!is_told(0, 16))
            continue;
        samples++;
        uint64_t heard = part->heard;
        for (uint32_t more = 0; more < FT_HEAP_TEMPORARY_WITHIN; more++)
            samples += is_told(0, 16);
        good &= part->heard == heard + FT_HEAP_TEMPORARY_WITHIN;
    }
    CHECK(good && samples > 100);
    driver_close(&d);
}

/* Without a heap that is alone and samples nothing passes. */
static void test_off(void)
{
    REQUIRE(open_sampled(1));
    while (!ft_sampling_passes(&sampling, &threads[0], 1))
        (void)ft_sampling_wants(&sampling, &threads[0], &d.heap.parts[FT_HEAP_PYTHON], 1);
    CHECK(ft_sampling_is_on(&sampling));
    CHECK(ft_sampling_is_stranger(&sampling, FT_HEAP_RAW, 0x100000));
    ft_sampling_set(&sampling, false);
    CHECK(!ft_sampling_is_on(&sampling) && !ft_sampling_passes(&sampling, &threads[0], 1));
    CHECK(!ft_sampling_passes(&sampling, &threads[1], 1));
    CHECK(!ft_sampling_is_stranger(&sampling, FT_HEAP_RAW, 0x100000));
    sampling.last = UINT32_MAX; /* the numbers go round */
    ft_sampling_set(&sampling, true);
    CHECK(ft_sampling_is_on(&sampling) && !ft_sampling_passes(&sampling, &threads[1], 1));
    driver_close(&d);
}

/* More tagged blocks of one hash than its counter holds: then nothing of it passes any more. */
static void test_crowded_hash(void)
{
    enum { BLOCKS = 400 };
    static uintptr_t addresses[BLOCKS];
    uint32_t found = 0;
    bool good = true;
    REQUIRE(open_sampled(1));
    for (uintptr_t at = 0x100000; found < BLOCKS; at += 16)
        if (ft_sampling_hash(at) == ft_sampling_hash(0x100000))
            addresses[found++] = at;
    for (uint32_t count = 100; count <= BLOCKS; count += 300) {
        for (uint32_t i = 0; i < count; i++)
            ft_sampling_note(&sampling, FT_HEAP_RAW, addresses[i], 1);
        for (uint32_t i = 0; i < count; i++) {
            good &= !ft_sampling_is_stranger(&sampling, FT_HEAP_RAW, addresses[i]);
            ft_sampling_note(&sampling, FT_HEAP_RAW, addresses[i], -1);
        }
        bool empty = ft_sampling_is_stranger(&sampling, FT_HEAP_RAW, addresses[0]);
        CHECK(empty == (count < UINT8_MAX));
    }
    CHECK(good && ft_sampling_is_stranger(&sampling, FT_HEAP_PYTHON, addresses[0]));
    ft_sampling_forget(&sampling);
    CHECK(ft_sampling_is_stranger(&sampling, FT_HEAP_RAW, addresses[0]));
    driver_close(&d);
}

int main(void)
{
    test_estimates();
    test_watching();
    test_off();
    test_crowded_hash();
    return tap_end();
}
